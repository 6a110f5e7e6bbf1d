"""Evaluate a checkpoint or an exported folder on the Eval data of a config; print the metrics as JSON.

python tools/eval.py -c configs/rec/rec_en_mv3_crnn.yml -o Global.checkpoints=output/rec_en_mv3_crnn
python tools/eval.py -c configs/rec/rec_en_mv3_crnn.yml --bundle inference/rec
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.run import argument_parser, evaluate_bundle, evaluate_run, report_errors, start_logging


def main() -> None:
    """Parse, check, evaluate, print."""
    parser = argument_parser(__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--weights", type=Path, help="checkpoint folder, run folder or weight file")
    what.add_argument("--bundle", type=Path, help="exported model folder")
    parser.add_argument("--engine", default="auto", help="what runs an exported folder")
    arguments = parser.parse_args()
    config = load_config(arguments.config, arguments.opt)
    start_logging(debug=config.Global.debug)
    if arguments.bundle:
        metrics = evaluate_bundle(config, arguments.bundle, arguments.engine)
    else:
        metrics = evaluate_run(config, arguments.weights)
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    sys.exit(report_errors(main))
