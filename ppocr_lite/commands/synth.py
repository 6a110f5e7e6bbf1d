"""Make training data: images and a label file, the same for any number of workers.

rec: text lines; cls: text lines, half of them upside down; det: pages with a polygon for each line, in
scenes for each word.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ppocr_lite.commands.console import Progress, add_quiet, say
from ppocr_lite.synth import writer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_quiet(parser)
    parser.add_argument("kind", choices=writer.KINDS)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder without labels yet")
    parser.add_argument("--count", type=int, required=True, metavar="N", help="number of samples")
    parser.add_argument("--seed", type=int, default=0, help="sample i depends on (seed, i) alone")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    parser.add_argument("--split", choices=("train", "val", "all"), help="which fonts; those of val are never in train")
    parser.add_argument("--lang", help="bundled dictionary, such as en")
    parser.add_argument("--charset", metavar="FILE", help="dictionary file instead")
    parser.add_argument("--corpora", nargs="+", metavar="FILE", help="text to take words from; none is needed")
    parser.add_argument("--fonts", nargs="+", metavar="PATH", help="fonts or folders instead of the system's")
    parser.add_argument("--backgrounds", nargs="+", metavar="DIR", help="folders of photographs without text")
    parser.add_argument("--strength", type=float, help="how often effects are applied; 0 is clean, 1 is usual")
    lines = parser.add_argument_group("lines")
    lines.add_argument("--height", type=int, nargs=2, metavar=("MIN", "MAX"), help="pixels")
    lines.add_argument("--max-chars", type=int, metavar="N", help="longest line")
    lines.add_argument("--max-width", type=int, metavar="N", help="widest line at height 32, pixels")
    pages = parser.add_argument_group("pages")
    pages.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help="pixels")


def run(arguments: argparse.Namespace) -> int:
    """Make the data; return the exit status."""
    with Progress("samples", arguments.count) as bar:
        labels = writer.run(**_given(arguments), progress=bar.reached)
    say(str(labels))
    return 0


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what was given, so that the defaults stand in the data maker alone."""
    given = {name: value for name, value in vars(arguments).items() if value is not None and name != "quiet"}
    return {name: tuple(value) if name in ("height", "size") else value for name, value in given.items()}
