"""What each thing that makes a page faster is worth: pages are read with it and without it, in turns.

    python experiments/speed_items.py receipts=../shared/data/receipts_en/val.txt:10
    python experiments/speed_items.py screens=../shared/data/web_zh_phone/val.txt:5 --lang ch --against rec_model=FOLDER

A list is NAME=PATH:PAGES, a label file whose paths start at its own folder, and how many of its pages are read, spread
evenly.  Of each pair of passes the time with the thing is divided by the time without; the table has the medians, of
processor time and of wall time, and how many lines read otherwise.  With ``--against`` the other reader of a pair has
these options instead.  Run it on a machine with nothing else running.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import yaml

from ppocr_lite import OCR
from ppocr_lite.commands.console import report_errors
from ppocr_lite.io.images import Image, read
from ppocr_lite.predict import upright
from ppocr_lite.predict.recognizer import TextRecognizer
from ppocr_lite.transforms.labels import read_lines


@contextmanager
def every_line_classified() -> Iterator[None]:
    """Look at each line, as before."""
    with patch.object(upright, "FIRST", sys.maxsize):
        yield


@contextmanager
def one_reading() -> Iterator[None]:
    """Read no line again."""
    with patch.object(TextRecognizer, "read_again", lambda self, lines, texts, timer: list(texts)):
        yield


@contextmanager
def one_worker() -> Iterator[None]:
    """Run one batch after the other, each on all threads."""
    plain = TextRecognizer.read_once

    def read_once(self: TextRecognizer, *arguments: Any) -> Any:
        with patch.object(self, "workers", 1):
            return plain(self, *arguments)

    with patch.object(TextRecognizer, "read_once", read_once):
        yield


WITHOUT: dict[str, Callable[[], Any]] = {
    "six lines tell which way up a page stands": every_line_classified,
    "doubtful lines are read again at all": one_reading,
    "a batch a thread, each network on one": one_worker,
}


def main() -> None:
    """Read, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", nargs="+", metavar="NAME=PATH:PAGES")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--lang", default="en")
    parser.add_argument("--models", help="a model set instead of the released models")
    parser.add_argument("--option", nargs="+", default=[], metavar="NAME=VALUE", help="of the reader")
    parser.add_argument(
        "--against", nargs="+", default=[], metavar="NAME=VALUE", help="of the reader it is compared to"
    )
    arguments = parser.parse_args()
    cv2.setNumThreads(arguments.threads)
    common = {"threads": arguments.threads, "models": arguments.models}
    common |= {} if arguments.models else {"lang": arguments.lang}
    ocr = OCR(**common, **options(arguments.option))
    other = OCR(**common, **options(arguments.against)) if arguments.against else ocr
    items = {f"instead of {' '.join(arguments.against)}": nullcontext} if arguments.against else WITHOUT
    print("| | pages | processor time | wall time | lines that differ |\n| --- | --- | --- | --- | --- |")
    for given in arguments.lists:
        name, pages = load(given)
        for what, without in items.items():
            cpu, wall, differ = compare((ocr, other), pages, without, arguments.pairs)
            print(f"| {what} | {name} | {cpu:.3f} | {wall:.3f} | {differ} |", flush=True)


def load(given: str) -> tuple[str, list[Image]]:
    """Return the name and the pages of a list."""
    name, _, rest = given.partition("=")
    path, _, count = rest.rpartition(":")
    rows = [row.partition("\t")[0] for _, row in read_lines(Path(path))]
    chosen = rows[:: max(1, len(rows) // int(count))][: int(count)]
    return name, [read(Path(path).parent / row) for row in chosen]


def options(given: list[str]) -> dict[str, Any]:
    """Return arguments of OCR."""
    return {name: yaml.safe_load(value) for name, _, value in (option.partition("=") for option in given)}


def compare(
    readers: tuple[OCR, OCR], pages: list[Image], without: Callable[[], Any], pairs: int
) -> tuple[float, float, int]:
    """Return how processor and wall time with a thing compare to those without, and how many lines differ."""
    ocr, other = readers
    ratios = []
    for _ in range(pairs):
        with without():
            *before, old = timed(other, pages)
        *now, new = timed(ocr, pages)
        ratios.append([one / other for one, other in zip(now, before, strict=True)])
    differ = sum(len(set(a) ^ set(b)) for a, b in zip(old, new, strict=True))
    cpu, wall = (statistics.median(column) for column in zip(*ratios, strict=True))
    return cpu, wall, differ


def timed(ocr: OCR, pages: list[Image]) -> tuple[float, float, list[list[str]]]:
    """Return processor and wall seconds of reading some pages, and their texts."""
    cpu, wall = time.process_time(), time.perf_counter()
    texts = [[line.text for line in ocr.ocr(page)] for page in pages]
    return time.process_time() - cpu, time.perf_counter() - wall, texts


if __name__ == "__main__":
    sys.exit(report_errors(main))
