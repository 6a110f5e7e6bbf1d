"""Tell which way up line images are with an exported model.

Options and log are those of the script of this name in PaddleOCR.

python tools/infer/predict_cls.py --image_dir=image.jpg --cls_model_dir=inference/cls --use_gpu=False
"""

from __future__ import annotations

import sys

from ppocr_lite.commands.console import report_errors
from ppocr_lite.commands.paddleocr import predict_cls

if __name__ == "__main__":
    sys.exit(report_errors(lambda: predict_cls(__doc__)))
