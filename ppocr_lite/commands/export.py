"""Write a checkpoint as a model folder for prediction, and compare the two.

With --triton the network goes into a model repository of Triton Inference Server, too; without -c, that of --output,
a folder that was exported before.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ppocr_lite.commands.console import say
from ppocr_lite.config.arguments import add_config
from ppocr_lite.engine.export import export_model
from ppocr_lite.engine.run import read_config, start_logging
from ppocr_lite.errors import ConfigError
from ppocr_lite.predict.engines.triton import write_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_config(parser, required=False)
    parser.add_argument("--weights", type=Path, help="checkpoint folder, run folder or weight file")
    parser.add_argument("--output", type=Path, metavar="DIR", help="model folder (default: Global.save_inference_dir)")
    parser.add_argument(
        "--onnx", action=argparse.BooleanOptionalAction, default=None, help="write model.onnx too (default: if it can)"
    )
    parser.add_argument("--half", action="store_true", help="store the weights of model.onnx in half precision")
    parser.add_argument(
        "--triton", type=Path, metavar="REPOSITORY", help="write the network and config.pbtxt there, too"
    )
    parser.add_argument("--device", default="cpu", help="what Triton is to run it on: cpu (default), gpu:0, ...")


def run(arguments: argparse.Namespace) -> int:
    """Export; return the exit status."""
    folder = arguments.output
    if arguments.config is not None:
        config = read_config(arguments)
        start_logging(debug=config.Global.debug)
        folder = export_model(config, arguments.weights, arguments.output, arguments.onnx, arguments.half)
        say(str(folder))
    elif arguments.triton is None or folder is None:
        raise ConfigError(
            "export needs -c FILE, or --triton REPOSITORY and --output DIR with what was exported before."
        )
    if arguments.triton is not None:
        say(str(write_model(folder, arguments.triton, arguments.device)))
    return 0
