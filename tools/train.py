"""Train a model from a config: ``ppocr-lite train`` as a script, for launchers that take one.

python tools/train.py -c configs/rec/rec_en_mv3_crnn.yml -o Global.epoch_num=1 Train.loader.num_workers=0
python -m paddle.distributed.launch --nproc_per_node 2 tools/train.py -c …
"""

from __future__ import annotations

import sys

from ppocr_lite.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
