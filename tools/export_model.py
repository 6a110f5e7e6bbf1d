"""Write a checkpoint as a model folder and check that both compute the same: ``ppocr-lite export`` as a script.

python tools/export_model.py -c configs/det/det_mv3_db.yml \
    -o Global.checkpoints=output/det_mv3_db Global.save_inference_dir=inference/det
"""

from __future__ import annotations

import sys

from ppocr_lite.cli import main

if __name__ == "__main__":
    sys.exit(main(["export", *sys.argv[1:]]))
