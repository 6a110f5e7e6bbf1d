"""How a command line names a config."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_config(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add ``-c config.yml`` and ``-o Section.key=value …``, several per ``-o``."""
    parser.add_argument("-c", "--config", required=required, type=Path, metavar="FILE", help="YAML file of the run")
    parser.add_argument(
        "-o", "--opt", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="e.g. Global.epoch_num=1"
    )
