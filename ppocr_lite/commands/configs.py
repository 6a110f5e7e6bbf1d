"""What verbs that work from a config have in common: ``-c FILE -o Section.key=value …``."""

from __future__ import annotations

import argparse

from ppocr_lite.config import Config
from ppocr_lite.engine.build import load_config


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add ``-c`` and ``-o``."""
    parser.add_argument("-c", "--config", required=True, metavar="FILE", help="config of the run")
    parser.add_argument(
        "-o", "--opt", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="e.g. Global.epoch_num=1"
    )


def read_config(arguments: argparse.Namespace) -> Config:
    """Return the config, overridden and checked."""
    return load_config(arguments.config, arguments.opt)
