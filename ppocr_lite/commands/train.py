"""Train a network from a config; checkpoints and logs go to Global.save_model_dir."""

from __future__ import annotations

import argparse

from ppocr_lite.commands.console import say
from ppocr_lite.config.arguments import add_config
from ppocr_lite.engine.run import read_config, start_logging, train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_config(parser)
    parser.add_argument("--resume", action="store_true", help="continue the newest checkpoint of save_model_dir")


def run(arguments: argparse.Namespace) -> int:
    """Train; return the exit status."""
    config = read_config(arguments)
    start_logging(debug=config.Global.debug)
    state = train(config, resume=arguments.resume)
    best = "" if state.best is None else f", best {state.best:.6f} at step {state.best_step}"
    say(f"step {state.step}, epoch {state.epoch}{best}: {config.Global.save_model_dir}")
    return 0
