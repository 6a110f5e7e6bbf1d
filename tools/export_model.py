"""Write a checkpoint as a model folder for prediction, and check that both compute the same.

python tools/export_model.py -c configs/det/det_mv3_db.yml \
    -o Global.checkpoints=output/det_mv3_db Global.save_inference_dir=inference/det
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.export import export_model
from ppocr_lite.engine.run import argument_parser, report_errors, start_logging


def main() -> None:
    """Parse, check, export, print the folder."""
    parser = argument_parser(__doc__)
    parser.add_argument("--weights", type=Path, help="checkpoint folder, run folder or weight file")
    parser.add_argument(
        "--onnx", action=argparse.BooleanOptionalAction, help="write model.onnx too (default: if it can)"
    )
    arguments = parser.parse_args()
    config = load_config(arguments.config, arguments.opt)
    start_logging(debug=config.Global.debug)
    print(export_model(config, arguments.weights, onnx=arguments.onnx))


if __name__ == "__main__":
    sys.exit(report_errors(main))
