"""Score a checkpoint, or an exported folder, on the evaluation data of a config; prints the metrics as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ppocr_lite.commands.console import say
from ppocr_lite.config.arguments import add_config
from ppocr_lite.engine.run import evaluate_bundle, evaluate_run, read_config, start_logging


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_config(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--weights", type=Path, help="checkpoint folder, run folder or weight file")
    what.add_argument("--bundle", type=Path, help="exported model folder")
    parser.add_argument("--engine", default="auto", help="what runs an exported folder")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print; return the exit status."""
    config = read_config(arguments)
    start_logging(debug=config.Global.debug)
    if arguments.bundle is not None:
        metrics = evaluate_bundle(config, arguments.bundle, arguments.engine)
    else:
        metrics = evaluate_run(config, arguments.weights)
    say(json.dumps(metrics, indent=2))
    return 0
