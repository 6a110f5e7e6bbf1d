"""Train a model from a config.

python tools/train.py -c configs/rec/rec_en_mv3_crnn.yml -o Global.epoch_num=1 Train.loader.num_workers=0
python -m paddle.distributed.launch --nproc_per_node 2 tools/train.py -c …
"""

from __future__ import annotations

import sys

from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.run import argument_parser, report_errors, start_logging, train


def main() -> None:
    """Parse, check, train."""
    parser = argument_parser(__doc__)
    parser.add_argument("--resume", action="store_true", help="continue the newest checkpoint of save_model_dir")
    arguments = parser.parse_args()
    config = load_config(arguments.config, arguments.opt)
    start_logging(debug=config.Global.debug)
    train(config, resume=arguments.resume)


if __name__ == "__main__":
    sys.exit(report_errors(main))
