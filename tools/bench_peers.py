"""Time this library beside Tesseract and RapidOCR, on the same pages in one run, with what each reads right.

    pip install rapidocr rapidocr-onnxruntime && apt-get install tesseract-ocr
    python tools/bench_peers.py ../shared/data/receipts_en/val.txt --ignore-case --threads 2
    python tools/bench_peers.py doc/samples/*.jpg --lang en
    python tools/bench_peers.py ../shared/data/pdf_zh_docs/val.txt --models PP-OCRv6_small --peers rapidocr

A path is a detection list with texts, whose pages are also judged, or a picture, which is only timed.  Readers take
turns on every page, each from the file to the text; times are medians of --repeat readings, averaged over the pages.
*CPU* is the processor time of all threads, of the same reading.  Token F1 compares words, and the single characters of
Chinese and Japanese, wherever they stand; *spaces* are those read, of those in the truth.
Peers that are not installed are named and left out.  Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib
import importlib.metadata
import io
import logging
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ppocr_lite import OCR, __version__
from ppocr_lite.commands.console import report_errors
from ppocr_lite.io.images import read
from ppocr_lite.metrics import EndToEndMetric
from ppocr_lite.predict.order import reading_order
from ppocr_lite.transforms.labels import DetLabelEncode, read_lines

Found = tuple[list[Any], list[str]]  # outlines (P, 2) and texts, in reading order
NOTHING: Found = ([], [])
IDEOGRAPHS = "\u3000-\u30ff\u3400-\u9fff\uff00-\uffef"  # with kana, and the signs that stand among them
TOKEN = re.compile(f"[{IDEOGRAPHS}]|[^\\s{IDEOGRAPHS}]+")


@dataclass
class Tokens:
    """Words and ideographs that were read right, and spaces.

    Attributes:
        right: Tokens read that are in the truth, each as often as there.
        read: All tokens read.
        true: All tokens of the truth.
        spaces_read: Spaces within lines that were read.
        spaces_true: Spaces within the lines of the truth.
    """

    right: int = 0
    read: int = 0
    true: int = 0
    spaces_read: int = 0
    spaces_true: int = 0

    def update(self, texts: Sequence[str], truth: Sequence[str]) -> None:
        """Count one page."""
        read, true = (Counter(TOKEN.findall("\n".join(lines))) for lines in (texts, truth))
        self.right += (read & true).total()
        self.read += read.total()
        self.true += true.total()
        self.spaces_read += sum(line.count(" ") for line in texts)
        self.spaces_true += sum(line.count(" ") for line in truth)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / max(1, self.read + self.true)


@dataclass
class Reader:
    """One that reads files, and what came of it.

    Attributes:
        name: With version, and engine or models.
        read: File → what it found.
        metric: What it read right.
        tokens: The same, in words and ideographs.
        seconds: The median of each page.
        cpu_seconds: The same of processor time.
    """

    name: str
    read: Callable[[Path], Found]
    metric: EndToEndMetric
    loading: float = 0.0
    tokens: Tokens = field(default_factory=Tokens)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)


class NotInstalledError(Exception):
    """A peer that is not installed."""


def ours(engine: str, options: Mapping[str, Any], threads: int) -> tuple[str, Callable[[Path], Found]]:
    """This library with one engine and ``lang`` or ``models``."""
    ocr = OCR(engine=engine, threads=threads, **options)

    def read_file(path: Path) -> Found:
        page = ocr.ocr(path)
        return [line.polygon for line in page], [line.text for line in page]

    return f"ppocr_lite {__version__}, {', '.join([*map(str, options.values()), engine])}", read_file


def rapid(threads: int) -> tuple[str, Callable[[Path], Found]]:
    """RapidOCR 2 and 3, with the models in its wheel."""
    module = _import("rapidocr")
    counts = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": threads for kind in ("intra", "inter")}
    reader = module.RapidOCR(params={**counts, "Global.log_level": "critical"})
    weights = sorted(path.stem for path in Path(module.__file__).parent.joinpath("models").glob("*rec*.onnx"))

    def read_file(path: Path) -> Found:
        result = reader(str(path))
        return NOTHING if result.boxes is None else (list(result.boxes), list(result.txts))

    return f"RapidOCR {importlib.metadata.version('rapidocr')}, {', '.join(weights)}", read_file


def older_rapid(threads: int) -> tuple[str, Callable[[Path], Found]]:
    """RapidOCR 1, whose wheels hold smaller models: those of PP-OCRv4 since 1.3, those of PP-OCRv3 before."""
    module = _import("rapidocr_onnxruntime")
    reader = module.RapidOCR(intra_op_num_threads=threads)
    weights = sorted(path.stem for path in Path(module.__file__).parent.joinpath("models").glob("*rec*.onnx"))
    version = importlib.metadata.version("rapidocr-onnxruntime")

    def read_file(path: Path) -> Found:
        lines, _ = reader(str(path))
        return ([np.array(box) for box, _, _ in lines], [text for _, text, _ in lines]) if lines else NOTHING

    return f"RapidOCR {version}, {', '.join(weights)}", read_file


def tesseract(lang: str, threads: int) -> tuple[str, Callable[[Path], Found]]:
    """Tesseract as a command, the start of its process included; its words are joined to its lines."""
    if not shutil.which("tesseract"):
        raise NotInstalledError("tesseract is not installed")
    trained = {"ch": "chi_sim+eng", "en": "eng"}[lang]
    version = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]

    def read_file(path: Path) -> Found:
        command = ["tesseract", str(path), "stdout", "-l", trained, "tsv"]
        environment = {**os.environ, "OMP_THREAD_LIMIT": str(threads)}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        lines: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for row in csv.DictReader(io.StringIO(done.stdout), delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["level"] == "5" and row["text"].strip():
                lines.setdefault((row["block_num"], row["par_num"], row["line_num"]), []).append(row)
        return [_outline(words) for words in lines.values()], [
            " ".join(word["text"] for word in words) for words in lines.values()
        ]

    return f"Tesseract {version}, {trained}", read_file


def _outline(words: Sequence[dict[str, str]]) -> np.ndarray:
    left, top, width, height = np.array([[float(w[k]) for k in ("left", "top", "width", "height")] for w in words]).T
    x0, y0, x1, y1 = left.min(), top.min(), (left + width).max(), (top + height).max()
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NotInstalledError(f"{name} is not installed ({error})") from error


def pages(paths: Sequence[Path], limit: int | None) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """Yield pictures with their labels in reading order, None where there are none; *limit* thins lists out evenly."""
    for path in paths:
        if path.suffix != ".txt":
            yield path, None
            continue
        rows = [row for _, row in read_lines(path)]
        for row in rows[:: max(1, len(rows) // limit)][:limit] if limit else rows:
            name, _, label = row.partition("\t")
            file = path.parent / name
            truth = DetLabelEncode()({"image": read(file), "label": label, "path": name})
            order = reading_order(truth["polys"])
            yield (
                file,
                {
                    "polys": [truth["polys"][i] for i in order],
                    "texts": [truth["texts"][i] for i in order],
                    "ignore_tags": np.asarray(truth["ignore_tags"])[order],
                },
            )


def measure(reader: Reader, file: Path) -> tuple[float, float, Found]:
    """Return the seconds and the processor seconds of one reading, and what it gave."""
    started, used = time.perf_counter(), sum(os.times()[:4])  # with child processes
    found = reader.read(file)
    return time.perf_counter() - started, sum(os.times()[:4]) - used, found


def judge(reader: Reader, found: Found, truth: dict[str, Any], ignore_case: bool) -> None:
    """Count what is right of one page; what was read inside a region to be ignored counts for nothing."""
    outlines, texts = found
    reader.metric.update({"polygons": outlines, "texts": texts}, truth)
    ignored = [np.float32(p) for p, out in zip(truth["polys"], truth["ignore_tags"], strict=True) if out]
    centers = [tuple(map(float, np.mean(outline, axis=0))) for outline in outlines]
    outside = [not any(cv2.pointPolygonTest(region, center, False) >= 0 for region in ignored) for center in centers]
    read = [text for text, counts in zip(texts, outside, strict=True) if counts]
    true = [text for text, out in zip(truth["texts"], truth["ignore_tags"], strict=True) if not out]
    if ignore_case:
        read, true = ([text.lower() for text in lines] for lines in (read, true))
    reader.tokens.update(read, true)


def table(readers: Sequence[Reader], judged: bool) -> str:
    """Return the Markdown of all results; how many times slower is against the first row."""
    head = ["reader", "loading, ms", "ms a page", "times", "CPU ms a page", "times"]
    head += ["token F1", "spaces", "words F1", "lines F1", "CER"] if judged else []
    rows = [head, ["---"] * len(head)]
    for reader in readers:
        row = [reader.name, f"{1000 * reader.loading:.0f}"]
        for seconds, first in ((reader.seconds, readers[0].seconds), (reader.cpu_seconds, readers[0].cpu_seconds)):
            mean = statistics.fmean(seconds)
            row += [f"{1000 * mean:.0f}", f"{mean / statistics.fmean(first):.2f}"]
        if judged:
            values, tokens = reader.metric.compute(), reader.tokens
            row += [f"{tokens.f1:.3f}", f"{tokens.spaces_read} of {tokens.spaces_true}"]
            row += [f"{values['word_f1']:.3f}", f"{values['f1']:.3f}", f"{values['cer']:.3f}"]
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def parse() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--lang", choices=("ch", "en"), default="en")
    parser.add_argument("--models", help="model sets of this library, comma-separated, instead of the released models")
    parser.add_argument("--engines", default="onnxruntime,openvino,paddle", help="of this library, comma-separated")
    parser.add_argument("--peers", default=",".join(PEERS), help="comma-separated; empty for none")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit", type=int, help="pages of each list")
    parser.add_argument("--ignore-case", action="store_true")
    return parser.parse_args()


PEERS = ("tesseract", "rapidocr-onnxruntime", "rapidocr")


def load_readers(arguments: argparse.Namespace) -> list[Reader]:
    """Load every reader that is asked for and installed; name the others."""
    threads: int = arguments.threads
    peers: dict[str, Callable[[], tuple[str, Callable[[Path], Found]]]] = {
        "tesseract": lambda: tesseract(arguments.lang, threads),
        "rapidocr-onnxruntime": lambda: older_rapid(threads),
        "rapidocr": lambda: rapid(threads),
    }
    sets = [{"models": name} for name in (arguments.models or "").split(",") if name] or [{"lang": arguments.lang}]
    makers = [
        lambda engine=engine, options=options: ours(engine, options, threads)
        for options in sets
        for engine in arguments.engines.split(",")
    ]
    readers = []
    for make in [*makers, *(peers[name] for name in arguments.peers.split(",") if name)]:
        started = time.perf_counter()
        try:
            with contextlib.redirect_stdout(sys.stderr):
                name, reading = make()
        except NotInstalledError as missing:
            print(f"Left out: {missing}", file=sys.stderr)
            continue
        metric = EndToEndMetric(ignore_case=arguments.ignore_case)
        readers.append(Reader(name, reading, metric, time.perf_counter() - started))
    return readers


def main() -> int:
    """Load all readers, let them take turns, print; return the exit status."""
    arguments = parse()
    logging.disable(logging.WARNING)
    cv2.setNumThreads(arguments.threads)
    readers = load_readers(arguments)
    judged = 0
    files = list(pages(arguments.paths, arguments.limit))
    for number, (file, truth) in enumerate(files):
        results: dict[str, list[tuple[float, float, Found]]] = {reader.name: [] for reader in readers}
        for turn in range(arguments.repeat):
            start = (number + turn) % len(readers)
            for reader in readers[start:] + readers[:start]:
                results[reader.name].append(measure(reader, file))
        for reader in readers:
            wall, used, found = zip(*results[reader.name], strict=True)
            reader.seconds.append(statistics.median(wall))
            reader.cpu_seconds.append(statistics.median(used))
            if truth is not None:
                judge(reader, found[-1], truth, arguments.ignore_case)
        judged += truth is not None
        print(f"{number + 1}/{len(files)} {file.name}", file=sys.stderr)
    print(table(readers, judged=judged > 0))
    print(f"\n{len(files)} pages, {arguments.threads} threads, medians of {arguments.repeat}.")
    return 0


if __name__ == "__main__":
    sys.exit(report_errors(main))
