"""Tell which way up line images are with a checkpoint; print a line an image and write them to Global.save_res_path.

python tools/infer_cls.py -c configs/cls/cls_mv3.yml -o Global.infer_img=image.png Global.checkpoints=output/run
"""

from __future__ import annotations

import sys
from pathlib import Path

from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.infer import infer
from ppocr_lite.engine.run import argument_parser, report_errors, start_logging


def main() -> int:
    """Parse, check, predict, print; return the exit status: 1 if an image could not be read."""
    parser = argument_parser(__doc__)
    parser.add_argument("--weights", type=Path, help="checkpoint folder, run folder or weight file")
    arguments = parser.parse_args()
    config = load_config(arguments.config, arguments.opt)
    start_logging(debug=config.Global.debug)
    failed: list[Path] = []
    for line in infer(config, arguments.weights, failed):
        print(line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(report_errors(main))
