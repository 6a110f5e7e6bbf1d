"""Read pages.

Prints the text of each page, or as JSON one page a line; or with --output writes a file per input and format:
NAME.json, NAME.txt, NAME.md, NAME.hocr, NAME.xml (ALTO), NAME_ocr.pdf (the pages of the input, with their text to
search), and NAME_ocr.png (the drawing).  Folders, patterns, PDF and multi-page files are read page by page; what is
written of the pages of one file is one file, with a number where it must be one a page, as for drawings:
NAME_p001_ocr.png.  With --split all formats are written that way.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import NamedTuple

from ppocr_lite import OCRResult
from ppocr_lite.commands.console import say
from ppocr_lite.commands.inputs import Names, add_ocr_options, add_paths, as_file, find_files, for_each, make_ocr
from ppocr_lite.errors import ConfigError, ImageError, OCRError, suggest
from ppocr_lite.io.pages import page_numbers, read_every_page
from ppocr_lite.results import save_pages

# format → what is appended to the name of the input
ENDINGS = {
    "json": ".json",
    "txt": ".txt",
    "md": ".md",
    "png": "_ocr.png",
    "hocr": ".hocr",
    "alto": ".xml",
    "pdf": "_ocr.pdf",
}
ONE_A_PAGE = ("png",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_paths(parser)
    parser.add_argument("--output", type=Path, metavar="DIR", help="write files here instead of printing")
    parser.add_argument("--format", default=None, help=f"comma-separated: {','.join(ENDINGS)} (default: txt)")
    parser.add_argument("--pages", type=_pages, help="of a PDF or multi-page file, e.g. 1-5")
    parser.add_argument("--split", action="store_true", help="write a file for each page of a PDF or multi-page file")
    add_ocr_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read everything that is given; return the exit status."""
    formats = _formats(arguments)
    files = find_files(arguments.paths, recursive=arguments.recursive, output=arguments.output)
    output = arguments.output
    names = None if output is None else Names(output, files, [ENDINGS[kind] for kind in formats])
    ocr = make_ocr(arguments)

    def work(file: Path, relative: Path) -> None:
        failed: list[str] = []
        read: list[OCRResult] = []
        with as_file(file) as path:
            target = _Output(formats, file, path, arguments.password)
            for name, found in read_every_page(path, arguments.pages, ocr.max_pixels, arguments.password):
                if isinstance(found, OCRError):
                    failed.append(str(found))
                    continue
                shown = name.replace(str(path), str(file))
                page = dataclasses.replace(ocr.ocr(found), source=shown)
                if names is None:
                    alone = len(files) == 1 and name == str(path)
                    say(_line(page) if formats == ["json"] else _titled(page, alone))
                    continue
                stem = names.free(file, relative, shown)
                for kind in set(ONE_A_PAGE).intersection(formats):
                    page.save(stem.with_name(stem.name + ENDINGS[kind]), image=found)
                if arguments.split or name == str(path):
                    target.save([page], stem, joined=False)
                else:
                    read.append(page)
            if names is not None and read:
                target.save(read, names.free(file, relative, str(file)), joined=True)
        if failed:
            raise ImageError("\n".join(failed).replace(str(path), str(file)))

    return for_each(files, "files", work)


class _Output(NamedTuple):
    """Where the pages of an input go.

    Attributes:
        formats: What is written.
        shown: What the input is called.
        file: Where it is.
        password: Of an encrypted PDF.
    """

    formats: list[str]
    shown: Path
    file: Path
    password: str | None

    def save(self, read: list[OCRResult], stem: Path, *, joined: bool) -> None:
        """Write one page, or pages joined, in every format that is not one a page."""
        for kind in (kind for kind in self.formats if kind not in ONE_A_PAGE):
            target = stem.with_name(stem.name + ENDINGS[kind])
            if kind == "pdf":
                save_pages([self._placed(page) for page in read], target, self.password)
            elif joined:
                save_pages(read, target)
            else:
                read[0].save(target)

    def _placed(self, page: OCRResult) -> OCRResult:
        """Return *page* with its source as it can be read again."""
        return dataclasses.replace(page, source=f"{self.file}{str(page.source).removeprefix(str(self.shown))}")


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


def _line(page: OCRResult) -> str:
    """Return a page as one line of JSON Lines."""
    return json.dumps(page.to_dict(), ensure_ascii=False)


def _titled(page: OCRResult, alone: bool) -> str:
    return page.text if alone else f"== {page.source}\n{page.text}\n"
