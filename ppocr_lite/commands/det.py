"""Find text regions.

Prints a line a page, ``path<TAB>[{"points": [[x, y], …], "score": …}, …]``; with --output also draws them there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ppocr_lite import visualize
from ppocr_lite.commands.console import say
from ppocr_lite.commands.inputs import Names, add_ocr_options, add_paths, find_files, for_each, make_ocr, read_given
from ppocr_lite.io import images
from ppocr_lite.results import Detections

ENDING = "_det.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_paths(parser)
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for drawings")
    add_ocr_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Detect on everything that is given; return the exit status."""
    files = find_files(arguments.paths, recursive=arguments.recursive, output=arguments.output)
    names = Names(arguments.output, files, [ENDING]) if arguments.output is not None else None
    ocr = make_ocr(arguments)

    def work(file: Path, relative: Path) -> None:
        for name, image in read_given(file, max_pixels=ocr.max_pixels, password=arguments.password):
            found = ocr.detect(image)
            say(f"{name}\t{json.dumps(_regions(found))}")
            if names is not None:
                stem = names.free(file, relative, name)
                images.write(stem.with_name(stem.name + ENDING), visualize.draw_polygons(image, found.polygons))

    return for_each(files, "files", work)


def _regions(found: Detections) -> list[dict[str, Any]]:
    return [
        {"points": [[round(float(x), 1), round(float(y), 1)] for x, y in polygon], "score": round(float(score), 4)}
        for polygon, score in zip(found.polygons, found.scores, strict=True)
    ]
