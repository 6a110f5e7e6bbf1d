"""Read line images with an exported model.

Options and log are those of the script of this name in PaddleOCR.

python tools/infer/predict_rec.py --image_dir=image.jpg --rec_model_dir=inference/rec --use_gpu=False
"""

from __future__ import annotations

import sys

from ppocr_lite.commands.console import report_errors
from ppocr_lite.commands.paddleocr import predict_rec

if __name__ == "__main__":
    sys.exit(report_errors(lambda: predict_rec(__doc__)))
