"""Read line images: prints ``path<TAB>text<TAB>score``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ppocr_lite.commands.console import say
from ppocr_lite.commands.inputs import add_ocr_options, add_paths, find_files, for_each, make_ocr, read_given


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_paths(parser)
    add_ocr_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read everything that is given; return the exit status."""
    files = find_files(arguments.paths, recursive=arguments.recursive)
    ocr = make_ocr(arguments)

    def work(file: Path, relative: Path) -> None:
        for name, image in read_given(file, max_pixels=ocr.max_pixels, password=arguments.password):
            (found,) = ocr.recognize([image])
            say(f"{name}\t{found.text}\t{found.score:.4f}")

    return for_each(files, "lines", work)
