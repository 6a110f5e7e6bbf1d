"""Read pages of random sizes with one engine, and print how much memory the process holds along the way.

    python experiments/measure_memory.py --engine onnxruntime --pages 500

Exit status 1 if it holds over 10 % more after the last page than after the 50th; of Paddle the 200th. Linux only.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite import OCR

WORDS = ("Total", "harbour", "No. 7", "42.50", "Tuesday", "quartz lantern", "2024-05-17", "of the mill and the orchard")
SIDES = 200, 1600  # pixels
WARM = {"paddle": 200}  # pages after which an engine holds what it keeps: Paddle's compiled layers
USUALLY_WARM, ALLOWED = 50, 1.10
SHOWN = (1, 10, 50, 100, 200, 300, 400, 500)


def draw(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a page of random size with lines of random height and length."""
    height, width = (int(side) for side in rng.integers(*SIDES, 2))
    page = np.full((height, width, 3), 240, np.uint8)
    base = 40
    while base < height - 10:
        scale = float(rng.uniform(0.6, 1.6))
        text = " ".join(rng.choice(WORDS, rng.integers(1, 6)))
        cv2.putText(page, text, (10, base), cv2.FONT_HERSHEY_SIMPLEX, scale, (30, 30, 30), 2, cv2.LINE_AA)
        base += int(scale * 45)
    return page


def resident() -> float:
    """Return MiB of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    """Read and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    cv2.setNumThreads(arguments.threads or -1)
    ocr = OCR(engine=arguments.engine, threads=arguments.threads)
    held: dict[int, float] = {0: resident()}
    print(f"loaded: {held[0]:.0f} MiB", flush=True)
    lines, started = 0, time.perf_counter()
    for number in range(1, arguments.pages + 1):
        lines += len(ocr.ocr(draw(rng)))
        held[number] = resident()
        if number in SHOWN or number == arguments.pages:
            seconds = time.perf_counter() - started
            print(f"page {number:4}: {held[number]:.0f} MiB, {lines} lines, {seconds:.0f} s", flush=True)
    warm = WARM.get(arguments.engine, USUALLY_WARM)
    ratio = held[arguments.pages] / held[min(warm, arguments.pages)]
    print(
        f"after {arguments.pages} pages {ratio:.2f} of what it was after {warm}, at most {max(held.values()):.0f} MiB"
    )
    return int(ratio > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
