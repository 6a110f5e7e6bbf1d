"""Find the text regions of images with an exported model, and draw them into inference_results/det_res_*.

Options, log and drawings are those of the script of this name in PaddleOCR.

python tools/infer/predict_det.py --image_dir=image.jpg --det_model_dir=inference/det --use_gpu=False
"""

from __future__ import annotations

import sys

from ppocr_lite.commands.console import report_errors
from ppocr_lite.commands.paddleocr import predict_det

if __name__ == "__main__":
    sys.exit(report_errors(lambda: predict_det(__doc__)))
