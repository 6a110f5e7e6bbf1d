"""How many pages would need fewer pixels than they get: a detector's input, and the decoding of a JPEG.

    python experiments/input_by_need.py ../shared/data/receipts_en/val.txt ../shared/data/scene_en/val.txt

For each label file of pages it prints how high the smaller lines are (the height that a tenth of them do not reach, the
median of the pages) when the longer side of a page is brought to 960 pixels, on how many pages half of that would leave
them 15 pixels or more, and how long it takes to decode a page whole, at half and at a quarter of its size.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ppocr_lite.commands.console import report_errors
from ppocr_lite.geometry import side_lengths
from ppocr_lite.transforms.labels import read_lines

LIMIT = 960  # pixels of the longer side
ENOUGH = 15.0  # pixels of height at which the released detector finds lines well
SMALLER = 0.1  # share of a page's lines that may be lower
DECODED = {"whole": cv2.IMREAD_COLOR, "half": cv2.IMREAD_REDUCED_COLOR_2, "quarter": cv2.IMREAD_REDUCED_COLOR_4}


def small_lines(file: Path, label: str) -> float | None:
    """Return the height of the smaller lines of a page at LIMIT, pixels; None of a page without text."""
    image = cv2.imread(str(file))
    if image is None:
        return None
    scale = min(1.0, LIMIT / max(image.shape[:2]))
    quads = [np.array(item["points"], np.float32) for item in json.loads(label) if item["transcription"] != "###"]
    heights = [min(side_lengths(quad)) * scale for quad in quads]
    return float(np.quantile(heights, SMALLER)) if heights else None


def decoding(file: Path, repeat: int) -> dict[str, float]:
    """Return the median milliseconds of processor time that decoding takes, by size."""
    found: dict[str, Any] = {name: [] for name in DECODED}
    for _ in range(repeat):
        for name, flag in DECODED.items():
            started = time.process_time()
            cv2.imread(str(file), flag)
            found[name].append((time.process_time() - started) * 1000)
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    """Measure each list, print a row for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", type=Path, nargs="+", help="label files of pages")
    parser.add_argument("--repeat", type=int, default=9, help="times that the first page is decoded (default: 9)")
    arguments = parser.parse_args()
    print("| list | pages | smaller lines at 960, pixels | half would do for | decoding whole, half, a quarter, ms |")
    print("|" + " --- |" * 5)
    for path in arguments.lists:
        rows = [line.split("\t", 1) for _, line in read_lines(path)]
        heights = [height for name, label in rows if (height := small_lines(path.parent / name, label)) is not None]
        fewer = sum(height >= 2 * ENOUGH for height in heights)
        times = ", ".join(f"{value:.1f}" for value in decoding(path.parent / rows[0][0], arguments.repeat).values())
        middle = f"{statistics.median(heights):.1f}" if heights else "–"
        print(f"| {path.parent.name} | {len(rows)} | {middle} | {fewer} | {times} |")


if __name__ == "__main__":
    sys.exit(report_errors(main))
