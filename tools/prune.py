"""Remove redundant channels of a trained network (FPGM), and write what training goes on from.

First see what each group of channels is worth, then prune by that:

    python tools/prune.py -c configs/det/det_released.yml --weights WEIGHTS --analyse output/det_sensitivities.json
    python tools/prune.py -c configs/det/det_released.yml --weights WEIGHTS \
        --sensitivities output/det_sensitivities.json --max-loss 0.02 --output output/det_pruned
    python tools/train.py -c output/det_pruned/config.yml

--ratio removes the same share of every group instead.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ppocr_lite.commands.console import report_errors
from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.run import argument_parser, start_logging
from ppocr_lite.slim import Sensitivities, analyse_run, by_loss, by_ratio, prune_run
from ppocr_lite.slim.fpgm import DIVISOR


def main() -> None:
    """Parse, check, analyse or prune."""
    parser = argument_parser(__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="checkpoint folder, run folder or weight file")
    parser.add_argument("--divisor", type=int, default=DIVISOR, help="widths are multiples of this (default: 8)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--analyse", type=Path, metavar="FILE", help="write how much each group matters")
    what.add_argument("--sensitivities", type=Path, metavar="FILE", help="prune by what --analyse wrote")
    what.add_argument("--ratio", type=float, help="remove this share of every group")
    parser.add_argument("--ratios", type=float, nargs="+", default=[0.25, 0.5, 0.75], help="for --analyse")
    parser.add_argument("--max-loss", type=float, default=0.02, help="of the score, for each group alone")
    parser.add_argument("--output", type=Path, metavar="DIR", help="gets config.yml and model.safetensors")
    arguments = parser.parse_args()
    if arguments.analyse is None and arguments.output is None:
        parser.error("--output is needed to prune")
    config = load_config(arguments.config, arguments.opt)
    start_logging(debug=config.Global.debug)
    if arguments.analyse is not None:
        analyse_run(config, arguments.weights, arguments.ratios, arguments.divisor).save(arguments.analyse)
        print(arguments.analyse)
        return
    if arguments.sensitivities is not None:
        choose = by_loss(Sensitivities.load(arguments.sensitivities), arguments.max_loss, arguments.divisor)
    else:
        choose = by_ratio(arguments.ratio, arguments.divisor)
    print(prune_run(config, arguments.weights, choose, arguments.output))


if __name__ == "__main__":
    sys.exit(report_errors(main))
