"""Evaluate a checkpoint or an exported folder on the Eval data of a config: ``ppocr-lite eval`` as a script.

python tools/eval.py -c configs/rec/rec_en_mv3_crnn.yml -o Global.checkpoints=output/rec_en_mv3_crnn
python tools/eval.py -c configs/rec/rec_en_mv3_crnn.yml --bundle inference/rec
"""

from __future__ import annotations

import sys

from ppocr_lite.cli import main

if __name__ == "__main__":
    sys.exit(main(["eval", *sys.argv[1:]]))
