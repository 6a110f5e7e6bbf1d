r"""Read pages with exported models, and draw them into inference_results.

Options, log and drawings are those of the script of this name in PaddleOCR.

python tools/infer/predict_system.py --image_dir=image.jpg --det_model_dir=inference/det \
    --rec_model_dir=inference/rec --use_gpu=False
"""

from __future__ import annotations

import sys

from ppocr_lite.commands.console import report_errors
from ppocr_lite.commands.paddleocr import predict_system

if __name__ == "__main__":
    sys.exit(report_errors(lambda: predict_system(__doc__)))
