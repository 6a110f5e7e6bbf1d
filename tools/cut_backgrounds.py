"""Cut the largest part without text out of labelled photographs: real backgrounds for made scenes.

    python tools/cut_backgrounds.py ../shared/data/scene_en/train.txt --output train_data/backgrounds

Reads detection label files; ignored regions count as text.  A page with no free part of ``--least`` pixels a side gives
none.  ``OUTPUT/labels.txt`` lists the parts as pages without text.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from ppocr_lite.commands.console import report_errors
from ppocr_lite.files import write_text
from ppocr_lite.io.images import read, write
from ppocr_lite.transforms.labels import read_lines

CELL = 16  # pixels of the grid on which free parts are looked for
MARGIN = 8  # pixels kept from any text


def main() -> None:
    """Cut one part of each page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", nargs="+", type=Path, help="label files; paths in them start at their folder")
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--least", type=int, default=320, help="shortest side of a part, pixels")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    for file in arguments.labels:
        for _, row in read_lines(file):
            name, _, label = row.partition("\t")
            image = read(file.parent / name)
            free = free_cells(image.shape[:2], [item["points"] for item in json.loads(label)])
            top, left, bottom, right = (CELL * side for side in largest_rectangle(free))
            if min(bottom - top, right - left) >= arguments.least:
                names.append(f"{file.parent.name}_{len(names):05d}.jpg")
                write(arguments.output / names[-1], image[top:bottom, left:right])
    write_text(arguments.output / "labels.txt", "".join(f"{name}\t[]\n" for name in names))
    print(f"{len(names)} backgrounds in {arguments.output}")


def free_cells(size: tuple[int, int], polygons: list[list[list[float]]]) -> np.ndarray:
    """Return the cells of an image (height, width) that no text's upright box touches, (rows, columns) bool."""
    free = np.ones((size[0] // CELL, size[1] // CELL), bool)
    for points in polygons:
        low = np.maximum(np.floor((np.min(points, axis=0) - MARGIN) / CELL).astype(int), 0)
        high = np.ceil((np.max(points, axis=0) + MARGIN) / CELL).astype(int)
        free[low[1] : high[1], low[0] : high[0]] = False
    return free


def largest_rectangle(free: np.ndarray) -> tuple[int, int, int, int]:
    """Return (top, left, bottom, right), ends excluded, of the largest rectangle of free cells, or zeros."""
    rows, columns = free.shape
    best, found = 0, (0, 0, 0, 0)
    for top in range(rows):
        run = np.ones(columns, bool)
        for bottom in range(top, rows):
            run &= free[bottom]
            edges = np.flatnonzero(np.diff(np.concatenate([[False], run, [False]]).astype(np.int8)))
            if len(edges) == 0:
                break
            lengths = edges[1::2] - edges[::2]
            widest = int(lengths.argmax())
            if lengths[widest] * (bottom + 1 - top) > best:
                best = int(lengths[widest]) * (bottom + 1 - top)
                found = (top, int(edges[2 * widest]), bottom + 1, int(edges[2 * widest + 1]))
    return found


if __name__ == "__main__":
    sys.exit(report_errors(main))
