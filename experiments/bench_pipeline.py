"""Measure what goes on around the networks: start-up, batches, post-processing, streaming, and how the cost grows.

    python experiments/bench_pipeline.py startup
    python experiments/bench_pipeline.py batches ../shared/data/receipts_en/val.txt
    python experiments/bench_pipeline.py margins train_data/rec/receipts_en/val/labels.txt
    python experiments/bench_pipeline.py postprocess
    python experiments/bench_pipeline.py stream ../shared/data/receipts_en/images --pages 200
    python experiments/bench_pipeline.py growth --plot doc/growth.svg

``ppocr-lite bench`` times the stages of a page, experiments/measure_memory.py watches memory, tools/bench_peers.py
compares with other libraries.  Whatever is compared takes turns in one run; figures are medians of --repeat.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite import OCR
from ppocr_lite.io.images import read
from ppocr_lite.metrics import RecMetric
from ppocr_lite.postprocess import DBPostProcess
from ppocr_lite.predict.crop import crop_lines
from ppocr_lite.predict.lines import Line
from ppocr_lite.predict.recognizer import TextRecognizer
from ppocr_lite.predict.released import released_model
from ppocr_lite.predict.stages import load_recognizer
from ppocr_lite.transforms.labels import read_lines

ROOT = Path(__file__).parents[1]
SIZES = (1, 6, 16)  # lines a batch
CLEAR = (0, 0.25, 0.5, 0.75, 1.0)  # shares of the height of a line
START = "import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
LINES, AREAS = range(10, 101, 10), (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # lines a page; megapixels
# The limit is 960 pixels for the longer side: beyond about 0.7 megapixels the detector sees no more of a page.
PAGE = (1200, 800)
PANEL, MARGIN = (380, 260), 50  # of the picture: size, and space for the labels


def startup(arguments: argparse.Namespace) -> None:
    """Print how long a new process takes to import the package, and to have a reader ready."""
    codes = {"import ppocr_lite": "import ppocr_lite"}
    for engine in arguments.engines:
        codes[f"OCR(engine={engine!r})"] = f"from ppocr_lite import OCR; OCR(engine={engine!r})"
    seconds: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(arguments.repeat):
        for name, code in codes.items():
            command = [sys.executable, "-W", "ignore", "-c", START.format(code=code)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
            seconds[name].append(float(done.stdout.split()[-1]))
    for name, taken in seconds.items():
        print(f"| {name} | {statistics.median(taken):.2f} s |")


def batches(arguments: argparse.Namespace) -> None:
    """Print how many lines a second are read one at a time and in batches, and how much of a batch is padding."""
    (labels,) = arguments.paths
    lines: list[NDArray[np.uint8]] = []
    for _, row in read_lines(labels)[: arguments.pages]:
        name, _, label = row.partition("\t")
        polygons = [np.array(entry["points"], np.float32) for entry in json.loads(label)]
        lines += crop_lines(read(labels.parent / name), polygons, 96)
    for engine in arguments.engines:
        model = released_model("rec", arguments.lang)
        readers = {n: load_recognizer(model, engine, threads=arguments.threads, batch_size=n) for n in SIZES}
        readers = {n: reader.reading_by(replace(reader.policy, retry_score=0.0)) for n, reader in readers.items()}
        taken: dict[int, list[float]] = {size: [] for size in SIZES}
        for reader in readers.values():
            reader.recognize(lines)
        for _ in range(arguments.repeat):
            for size, reader in readers.items():
                started = time.perf_counter()
                reader.recognize(lines)
                taken[size].append(time.perf_counter() - started)
        rates = [len(lines) / statistics.median(taken[size]) for size in SIZES]
        print(f"| {engine} | {' | '.join(f'{rate:.0f}' for rate in rates)} |", flush=True)
    reader = next(iter(readers.values()))
    print(f"{len(lines)} lines; padding: {_padding(reader, reader.prepare(lines)):.1%}")


def margins(arguments: argparse.Namespace) -> None:
    """Print, for several clear spaces beside a line, how much is padding and how well lines are read."""
    (labels,) = arguments.paths
    rows = [row.split("\t") for _, row in read_lines(labels)]
    reader = load_recognizer(released_model("rec", arguments.lang), arguments.engines[0], threads=arguments.threads)
    lines = reader.prepare([read(labels.parent / name) for name, _ in rows])
    for space in CLEAR:
        reader = reader.reading_by(replace(reader.policy, clear_space=space, retry_score=0.0))
        metric = RecMetric(ignore_space=True, ignore_case=True)
        for (text, _), (_, written) in zip(reader.recognize_prepared(lines), rows, strict=True):
            metric.update(text, written)
        values = metric.compute()
        print(f"| {space:g} | {_padding(reader, lines):.1%} | {values['norm_edit_dis']:.4f} | {values['acc']:.4f} |")


def _padding(reader: TextRecognizer, lines: Sequence[Line]) -> float:
    return 1 - sum(reader.lines.size(line)[1] for line in lines) / sum(reader.padded_width(line) for line in lines)


def postprocess(arguments: argparse.Namespace) -> None:
    """Print what it takes to make regions of a map of 960 by 960: of a hundred lines, and of noise."""
    page, lines = np.zeros((960, 960), np.float32), 100
    for i in range(lines):
        cv2.rectangle(page, (i % 5 * 190 + 5, i // 5 * 47 + 5), (i % 5 * 190 + 155, i // 5 * 47 + 17), (0.9,), -1)
    noise = np.random.default_rng(0).random(page.shape, dtype=np.float32)
    for name, plane, process in (
        (f"{lines} lines", page, DBPostProcess()),
        ("the same as outlines", page, DBPostProcess(box_type="poly")),
        ("noise", noise, DBPostProcess(thresh=0.5)),
    ):
        taken = []
        for _ in range(arguments.repeat):
            started = time.process_time()
            process(plane)
            taken.append(time.process_time() - started)
        print(f"| {name} | {1000 * statistics.median(taken):.1f} ms |")


def stream(arguments: argparse.Namespace) -> None:
    """Print how many pages a second ``ocr`` in a loop and ``stream`` read, and the most memory each process held."""
    found = [file for folder in arguments.paths for file in sorted(folder.glob("*.*"))]
    files = random.Random(0).sample(found, min(arguments.pages, len(found)))
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(files):
            Path(folder, f"{number:04}{file.suffix}").symlink_to(file.resolve())
        for engine in arguments.engines:
            results: dict[str, list[dict[str, float]]] = {"loop": [], "stream": []}
            for _ in range(arguments.repeat):
                for way, rows in results.items():
                    command = [sys.executable, "-W", "ignore", __file__, "read", folder, "--way", way]
                    command += ["--engines", engine, "--threads", str(arguments.threads), "--lang", arguments.lang]
                    done = subprocess.run(command, capture_output=True, text=True, check=True)
                    rows.append(json.loads(done.stdout.splitlines()[-1]))
            if len({row["digest"] for rows in results.values() for row in rows}) != 1:
                raise SystemExit(f"{engine}: the two ways did not read the same.")
            for way, rows in results.items():
                rate = len(files) / statistics.median(row["seconds"] for row in rows)
                memory = statistics.median(row["memory"] for row in rows)
                print(f"| {engine} | {way} | {rate:.2f} | {memory:.0f} |", flush=True)


def read_all(arguments: argparse.Namespace) -> None:
    """Read a folder in one of two ways; print seconds, the most memory held (MiB) and what identifies the result."""
    (folder,) = arguments.paths
    cv2.setNumThreads(arguments.threads)
    ocr = OCR(lang=arguments.lang, engine=arguments.engines[0], threads=arguments.threads)
    files = sorted(folder.iterdir())
    ways = {"loop": lambda: map(ocr.ocr, files), "stream": lambda: ocr.stream(folder)}
    next(iter(ways[arguments.way]()))  # warms up
    started = time.perf_counter()
    pages = ways[arguments.way]()
    texts = [[line.text for line in page] for page in pages]
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    digest = hashlib.sha256(json.dumps(texts).encode()).hexdigest()
    print(json.dumps({"seconds": seconds, "memory": memory, "digest": digest}))


def growth(arguments: argparse.Namespace) -> None:
    """Print and draw what pages of more and more lines cost, and pages of a larger and larger area."""
    cv2.setNumThreads(arguments.threads)
    ocr = OCR(lang=arguments.lang, engine=arguments.engines[0], threads=arguments.threads)
    by_lines = [(float(count), draw(count, *PAGE)) for count in LINES]
    sides = [(mega, round((mega * 1e6 * 1.25) ** 0.5), round((mega * 1e6 / 1.25) ** 0.5)) for mega in AREAS]
    by_area = [(mega, draw(10, height, width)) for mega, height, width in sides]
    panels = []
    for title, unit, pages in (("lines on a page", "lines", by_lines), ("area of a page", "megapixels", by_area)):
        taken: list[list[float]] = [[] for _ in pages]
        for repetition in range(arguments.repeat + 1):
            for row, (_, page) in zip(taken, pages, strict=True):
                started = time.perf_counter()
                lines = len(ocr.ocr(page))
                if repetition:  # the first warms up
                    row.append(1000 * (time.perf_counter() - started))
                elif unit == "lines":
                    print(f"{lines} lines found", file=sys.stderr)
        points = [(x, statistics.median(row)) for (x, _), row in zip(pages, taken, strict=True)]
        print("\n".join(f"| {x:g} {unit} | {y:.1f} ms |" for x, y in points))
        panels.append((f"{title} ({unit})", points))
    if arguments.plot:
        arguments.plot.write_text(plot(panels), encoding="utf-8")


def draw(lines: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return a white page with that many lines of text, in columns if they do not fit below each other."""
    page = np.full((height, width, 3), 255, np.uint8)
    columns = -(-lines * 24 // (height - 20))
    rows, step = -(-lines // columns), (width - 20) // columns
    for number in range(lines):
        column, row = divmod(number, rows)
        at = (10 + column * step, 30 + row * (height - 30) // rows)
        cv2.putText(page, f"Item {number:03} 12.50", at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (20, 20, 20), 1, cv2.LINE_AA)
    return page


def plot(panels: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> str:
    """Return an SVG picture of panels side by side: title and points, milliseconds upwards."""
    size = f'width="{len(panels) * PANEL[0]}" height="{PANEL[1]}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-size="11"><rect {size} fill="white"/>']
    for number, (title, points) in enumerate(panels):
        parts += [f'<g transform="translate({number * PANEL[0]})">', *_panel(title, np.array(points)), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _panel(title: str, points: NDArray[np.float64]) -> Iterator[str]:
    """Yield the axes, the points (N, 2) and the straight line nearest to them."""
    left, top, right, bottom = MARGIN, 20, PANEL[0] - 20, PANEL[1] - MARGIN
    most = 1.05 * points.max(axis=0)
    scale = np.array([right - left, top - bottom]) / most
    slope, start = np.polyfit(*points.T, 1)
    ends = np.array([(0, start), (most[0], start + slope * most[0])])
    (x0, y0), (x1, y1) = (ends * scale + (left, bottom)).round(1)
    yield f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="black"/>'
    yield f'<path d="M{x0} {y0}L{x1} {y1}" stroke="#999" stroke-dasharray="4"/>'
    for (x, _), (across, up) in zip(points, (points * scale + (left, bottom)).round(1), strict=True):
        yield f'<circle cx="{across}" cy="{up}" r="3" fill="#06c"/>'
        yield f'<text x="{across}" y="{bottom + 14}" text-anchor="middle">{x:g}</text>'
    for share in (0.25, 0.5, 0.75, 1.0):
        milliseconds = share * points[:, 1].max()
        up = bottom + milliseconds * scale[1]
        yield f'<text x="{left - 6}" y="{up:.1f}" text-anchor="end">{milliseconds:.0f}</text>'
    yield f'<text x="{(left + right) // 2}" y="{bottom + 34}" text-anchor="middle">{title}</text>'
    yield f'<text x="{left - 6}" y="14" text-anchor="end">ms</text>'


def main() -> int:
    """Parse, measure, print; return the exit status."""
    measurements: dict[str, Callable[[argparse.Namespace], None]] = {
        "startup": startup,
        "batches": batches,
        "margins": margins,
        "postprocess": postprocess,
        "stream": stream,
        "growth": growth,
        "read": read_all,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=measurements)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--engines", type=lambda text: text.split(","), default=["onnxruntime", "openvino", "paddle"])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--lang", choices=("ch", "en"), default="en")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--plot", type=Path, help="growth: the picture to write, SVG")
    parser.add_argument("--way", choices=("loop", "stream"), default="loop", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    measurements[arguments.what](arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
