"""What the settings of the libraries in Paddle are worth: pages are read with each, in turns, a process each.

    python experiments/paddle_options.py doc/samples ../shared/data/receipts_en/images/011.jpg

A process loads the networks, reads the pages once, and then what is measured: processor and wall time a page, medians
of the rounds, as shares of the first setting too.  The last columns are the most memory that a process held, and how
many lines read otherwise than with the first settings of Paddle.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2

from ppocr_lite import OCR
from ppocr_lite.commands.console import report_errors
from ppocr_lite.io.images import read
from ppocr_lite.io.pages import list_files

CAPACITY, MKL, WAIT = "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "MKL_DEBUG_CPU_TYPE", "KMP_BLOCKTIME"
PLAIN = {CAPACITY: "1024", MKL: "0", WAIT: "200"}  # as the libraries are by themselves
SETTINGS: dict[str, tuple[str, dict[str, str]]] = {
    "onnxruntime": ("onnxruntime", {}),
    "paddle, libraries by themselves": ("paddle", PLAIN),
    "4096 compiled layers": ("paddle", PLAIN | {CAPACITY: "4096"}),
    "MKL with AVX2 (AMD)": ("paddle", PLAIN | {MKL: "5"}),
    "no busy waiting": ("paddle", PLAIN | {WAIT: "0"}),
    "busy waiting of 1 ms": ("paddle", PLAIN | {WAIT: "1"}),
    "as shipped": ("paddle", {}),
}


def main() -> None:
    """Start the processes, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=1, help="readings of each page in a process, after the first")
    parser.add_argument("--only", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments)))
        return
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in arguments.only}
    for _ in range(arguments.rounds):
        for name in arguments.only:
            engine, environment = SETTINGS[name]
            command = [sys.executable, *sys.argv, "--measure", engine]
            done = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, check=True)
            found[name].append(json.loads(done.stdout.splitlines()[-1]))
    print("| | processor, ms | of the first | wall, ms | of the first | MiB | lines that differ |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    first = next(iter(found.values()))
    texts = next((runs for name, runs in found.items() if SETTINGS[name][0] == "paddle"), first)[0]["texts"]
    for name, runs in found.items():
        parts = []
        for key in ("cpu", "wall"):
            took, least = (statistics.median(run[key] for run in some) for some in (runs, first))
            parts += [f"{took:.0f}", f"{took / least:.2f}"]
        held = max(run["held"] for run in runs)
        differ = sum(len(set(a) ^ set(b)) for a, b in zip(runs[0]["texts"], texts, strict=True))
        print(f"| {name} | {' | '.join(parts)} | {held:.0f} | {differ} |")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what reading the pages takes in this process, and what they say."""
    cv2.setNumThreads(arguments.threads)
    ocr = OCR(engine=arguments.measure, threads=arguments.threads)
    pages = [read(path) for given in arguments.pages for path in list_files(given)]
    texts = [[line.text for line in ocr.ocr(page)] for page in pages]
    cpu, wall = time.process_time(), time.perf_counter()
    for page in pages * arguments.repeat:
        ocr.ocr(page)
    count = len(pages) * arguments.repeat / 1000
    took = (time.process_time() - cpu) / count, (time.perf_counter() - wall) / count
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu": took[0], "wall": took[1], "held": held, "texts": texts}


if __name__ == "__main__":
    sys.exit(report_errors(main))
