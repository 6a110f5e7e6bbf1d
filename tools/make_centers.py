"""Write the file of centres that CenterLoss starts from.

python tools/make_centers.py -c configs/rec/ch_PP-OCRv2/ch_PP-OCRv2_rec.yml \
    -o Global.checkpoints=output/ch_PP-OCRv2_rec --output train_center.npz

The config is the one that the recogniser was trained with, by CTC alone.  Its training lines are read without random
changes; on those that it reads correctly, the features of each step go to the class predicted there, and the centre of
a class is their mean.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ppocr_lite.commands.console import report_errors
from ppocr_lite.engine.find_centers import describe, find_centers
from ppocr_lite.engine.run import argument_parser, read_config, start_logging
from ppocr_lite.losses import centers


def main() -> None:
    """Parse, run the recogniser, write the file."""
    parser = argument_parser(__doc__)
    parser.add_argument("--weights", type=Path, help="checkpoint, run folder or weight file")
    parser.add_argument("--output", type=Path, required=True, help=".npz or .safetensors")
    parser.add_argument("--most", type=int, metavar="N", help="look at the first N lines only")
    arguments = parser.parse_args()
    start_logging()
    sums = find_centers(read_config(arguments), arguments.weights, arguments.most)
    centers.save(arguments.output, sums.means())
    print(f"{arguments.output}: {describe(sums)}")


if __name__ == "__main__":
    sys.exit(report_errors(main))
