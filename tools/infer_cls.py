"""Tell which way up line images are with a checkpoint; print a line an image and write them to Global.save_res_path.

python tools/infer_cls.py -c configs/cls/cls_mv3.yml -o Global.infer_img=image.png Global.checkpoints=output/run
"""

from __future__ import annotations

import sys

from ppocr_lite.commands.console import report_errors
from ppocr_lite.engine.infer import main

if __name__ == "__main__":
    sys.exit(report_errors(lambda: main(__doc__)))
