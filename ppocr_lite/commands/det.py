"""Find text regions.

Prints a line a page, ``path<TAB>[{"points": [[x, y], …], "score": …}, …]``; with --output also draws them there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ppocr_lite import OCR, images, visualize
from ppocr_lite.commands.console import say
from ppocr_lite.commands.inputs import add_ocr_options, add_paths, find_files, for_each, ocr_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_paths(parser)
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for drawings")
    add_ocr_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Detect on everything that is given; return the exit status."""
    files = find_files(arguments.paths, recursive=arguments.recursive)
    ocr = OCR(**ocr_options(arguments))

    def work(file: Path, relative: Path) -> None:
        image = images.read(file)
        found = ocr.detect(image)
        regions = [
            {"points": [[round(float(x), 1), round(float(y), 1)] for x, y in polygon], "score": round(float(score), 4)}
            for polygon, score in zip(found.polygons, found.scores, strict=True)
        ]
        say(f"{file}\t{json.dumps(regions)}")
        if arguments.output is not None:
            target = (arguments.output / relative).with_suffix("")
            target.parent.mkdir(parents=True, exist_ok=True)
            images.write(target.with_name(f"{target.name}_det.png"), visualize.draw_polygons(image, found.polygons))

    return for_each(files, "files", work)
