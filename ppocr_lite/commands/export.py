"""Write a checkpoint as a model folder for prediction, and compare the two."""

from __future__ import annotations

import argparse
from pathlib import Path

from ppocr_lite.commands.console import say
from ppocr_lite.config.arguments import add_config
from ppocr_lite.engine.export import export_model
from ppocr_lite.engine.run import read_config, start_logging


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_config(parser)
    parser.add_argument("--weights", type=Path, help="checkpoint folder, run folder or weight file")
    parser.add_argument("--output", type=Path, metavar="DIR", help="model folder (default: Global.save_inference_dir)")
    parser.add_argument(
        "--onnx", action=argparse.BooleanOptionalAction, default=None, help="write model.onnx too (default: if it can)"
    )
    parser.add_argument("--half", action="store_true", help="store the weights of model.onnx in half precision")


def run(arguments: argparse.Namespace) -> int:
    """Export; return the exit status."""
    config = read_config(arguments)
    start_logging(debug=config.Global.debug)
    say(str(export_model(config, arguments.weights, arguments.output, arguments.onnx, arguments.half)))
    return 0
