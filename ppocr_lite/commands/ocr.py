"""Read pages.

Prints the text of each page, or with --output writes a file per page and format: NAME.json, NAME.txt, NAME_ocr.png
(the drawing), NAME.hocr, NAME.xml (ALTO), NAME_ocr.pdf (the image, with its text to search).  Folders, patterns, PDF
and multi-page files are read page by page; the pages of one file are numbered: NAME_p001.json.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from ppocr_lite import OCRResult
from ppocr_lite.commands.console import say
from ppocr_lite.commands.inputs import Names, add_ocr_options, add_paths, find_files, for_each, make_ocr, read_given
from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.io.pages import page_numbers

# format → what is appended to the name of the input
ENDINGS = {"json": ".json", "txt": ".txt", "png": "_ocr.png", "hocr": ".hocr", "alto": ".xml", "pdf": "_ocr.pdf"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_paths(parser)
    parser.add_argument("--output", type=Path, metavar="DIR", help="write files here instead of printing")
    parser.add_argument("--format", default=None, help=f"comma-separated: {','.join(ENDINGS)} (default: txt)")
    parser.add_argument("--pages", type=_pages, help="of a PDF or multi-page file, e.g. 1-5")
    add_ocr_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read everything that is given; return the exit status."""
    formats = _formats(arguments)
    files = find_files(arguments.paths, recursive=arguments.recursive, output=arguments.output)
    output = arguments.output
    names = None if output is None else Names(output, files, [ENDINGS[kind] for kind in formats])
    ocr = make_ocr(arguments)

    def work(file: Path, relative: Path) -> None:
        for name, pixels in read_given(file, arguments.pages, max_pixels=ocr.max_pixels, password=arguments.password):
            page = dataclasses.replace(ocr.ocr(pixels), source=name)
            if names is None:
                say(
                    page.to_json()
                    if formats == ["json"]
                    else _titled(page, alone=len(files) == 1 and name == str(file))
                )
                continue
            stem = names.free(file, relative, name)
            for kind in formats:
                page.save(stem.with_name(stem.name + ENDINGS[kind]), image=pixels)

    return for_each(files, "files", work)


def _pages(text: str) -> str:
    try:
        page_numbers(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _formats(arguments: argparse.Namespace) -> list[str]:
    formats = [name.strip() for name in (arguments.format or "txt").split(",")]
    for name in formats:
        if name not in ENDINGS:
            raise ConfigError(f"--format {arguments.format}: no format is called {name!r}.{suggest(name, ENDINGS)}")
    if arguments.output is None and formats not in (["txt"], ["json"]):
        raise ConfigError(f"--format {arguments.format} needs --output DIR: only txt or json alone can be printed.")
    return formats


def _titled(page: OCRResult, *, alone: bool) -> str:
    return page.text if alone else f"== {page.source}\n{page.text}\n"
