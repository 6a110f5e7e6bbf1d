"""Prepare a trained network for 8-bit integers (PACT): measure its ranges, and write what training goes on from.

python tools/quantize.py -c configs/det/det_released.yml --weights WEIGHTS --output output/det_int8
python tools/train.py -c output/det_int8/config.yml -o Optimizer.lr.learning_rate=0.0001
python tools/export_model.py -c output/det_int8/config.yml --weights output/det_int8/train --output inference/det_int8

The second step may be left out: then the network is quantised without training.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ppocr_lite.commands.console import report_errors
from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.run import argument_parser, start_logging
from ppocr_lite.slim import quantize_run


def main() -> None:
    """Parse, check, measure, write."""
    parser = argument_parser(__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="checkpoint folder, run folder or weight file")
    parser.add_argument("--batches", type=int, default=16, help="training batches to measure on (default: 16)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="gets config.yml, model.safetensors")
    arguments = parser.parse_args()
    config = load_config(arguments.config, arguments.opt)
    start_logging(debug=config.Global.debug)
    print(quantize_run(config, arguments.weights, arguments.output, arguments.batches))


if __name__ == "__main__":
    sys.exit(report_errors(main))
