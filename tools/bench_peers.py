"""Time this library beside Tesseract and RapidOCR, on the same pages in one run, with what each reads right.

    pip install rapidocr rapidocr-onnxruntime && apt-get install tesseract-ocr
    python tools/bench_peers.py ../shared/data/receipts_en/val.txt --ignore-case --threads 2
    python tools/bench_peers.py doc/samples/*.jpg --lang en

A path is a detection list with texts, whose pages are also judged, or a picture, which is only timed.  Readers take
turns on every page, each from the file to the text; times are medians of --repeat readings, averaged over the pages.
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
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
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


@dataclass
class Reader:
    """One that reads files, and what came of it.

    Attributes:
        name: With version, and engine or models.
        read: File → what it found.
        metric: What it read right.
        seconds: The median of each page.
    """

    name: str
    read: Callable[[Path], Found]
    metric: EndToEndMetric
    loading: float = 0.0
    seconds: list[float] = field(default_factory=list)


class NotInstalledError(Exception):
    """A peer that is not installed."""


def ours(engine: str, lang: str, threads: int) -> tuple[str, Callable[[Path], Found]]:
    """This library with one engine."""
    ocr = OCR(lang=lang, engine=engine, threads=threads)

    def read_file(path: Path) -> Found:
        page = ocr.ocr(path)
        return [line.polygon for line in page], [line.text for line in page]

    return f"ppocr_lite {__version__}, {engine}", read_file


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
    """RapidOCR 1, whose wheel holds smaller models."""
    reader = _import("rapidocr_onnxruntime").RapidOCR(intra_op_num_threads=threads)

    def read_file(path: Path) -> Found:
        lines, _ = reader(str(path))
        return ([np.array(box) for box, _, _ in lines], [text for _, text, _ in lines]) if lines else NOTHING

    return f"RapidOCR {importlib.metadata.version('rapidocr-onnxruntime')}, ch_PP-OCRv4 mobile", read_file


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


def measure(reader: Reader, file: Path) -> tuple[float, Found]:
    """Return the seconds of one reading and what it gave."""
    started = time.perf_counter()
    found = reader.read(file)
    return time.perf_counter() - started, found


def table(readers: Sequence[Reader], judged: bool) -> str:
    """Return the Markdown of all results; how many times slower is against the first row."""
    head = ["reader", "loading, ms", "ms a page", "times"]
    head += ["words F1", "lines F1", "CER"] if judged else []
    rows = [head, ["---"] * len(head)]
    for reader in readers:
        mean = statistics.fmean(reader.seconds)
        row = [reader.name, f"{1000 * reader.loading:.0f}", f"{1000 * mean:.0f}"]
        row += [f"{mean / statistics.fmean(readers[0].seconds):.1f}"]
        if judged:
            values = reader.metric.compute()
            row += [f"{values['word_f1']:.3f}", f"{values['f1']:.3f}", f"{values['cer']:.3f}"]
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> int:
    """Load all readers, let them take turns, print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--lang", choices=("ch", "en"), default="en")
    parser.add_argument("--engines", default="onnxruntime,openvino,paddle", help="of this library, comma-separated")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit", type=int, help="pages of each list")
    parser.add_argument("--ignore-case", action="store_true")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    threads: int = arguments.threads
    cv2.setNumThreads(threads)
    makers: list[Callable[[], tuple[str, Callable[[Path], Found]]]] = [
        *(lambda engine=engine: ours(engine, arguments.lang, threads) for engine in arguments.engines.split(",")),
        lambda: tesseract(arguments.lang, threads),
        lambda: older_rapid(threads),
        lambda: rapid(threads),
    ]
    readers = []
    for make in makers:
        started = time.perf_counter()
        try:
            with contextlib.redirect_stdout(sys.stderr):
                name, reading = make()
        except NotInstalledError as missing:
            print(f"Left out: {missing}", file=sys.stderr)
            continue
        metric = EndToEndMetric(ignore_case=arguments.ignore_case)
        readers.append(Reader(name, reading, metric, time.perf_counter() - started))
    judged = 0
    files = list(pages(arguments.paths, arguments.limit))
    for number, (file, truth) in enumerate(files):
        results: dict[str, list[tuple[float, Found]]] = {reader.name: [] for reader in readers}
        for turn in range(arguments.repeat):
            start = (number + turn) % len(readers)
            for reader in readers[start:] + readers[:start]:
                results[reader.name].append(measure(reader, file))
        for reader in readers:
            reader.seconds.append(statistics.median(seconds for seconds, _ in results[reader.name]))
            if truth is not None:
                outlines, texts = results[reader.name][-1][1]
                reader.metric.update({"polygons": outlines, "texts": texts}, truth)
        judged += truth is not None
        print(f"{number + 1}/{len(files)} {file.name}", file=sys.stderr)
    print(table(readers, judged=judged > 0))
    print(f"\n{len(files)} pages, {threads} threads, medians of {arguments.repeat}.")
    return 0


if __name__ == "__main__":
    sys.exit(report_errors(main))
