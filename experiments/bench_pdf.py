"""What it costs to draw the pages of a PDF in a process of its own: CPU time, that process included.

python experiments/bench_pdf.py
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pypdfium2

from ppocr_lite.io.pdf_child import DPI, POINTS_PER_INCH
from ppocr_lite.io.pdf_reader import PDFReader

PAGES, ROUNDS = 10, 5


def write_scans(path: Path) -> None:
    """Write a PDF of A4 pages, each a noisy picture of 200 dots an inch."""
    rng = np.random.default_rng(0)
    picture = PIL.Image.fromarray((rng.integers(0, 255, (2339, 1654, 3)) // 64 * 64).astype(np.uint8))
    picture.save(path, save_all=True, append_images=[picture] * (PAGES - 1), resolution=DPI)


def apart(path: Path, count: int) -> None:
    """Draw pages as the library does."""
    with PDFReader(path) as document:
        for number in range(1, count + 1):
            document.page(number)


def within(path: Path, count: int) -> None:
    """Draw pages in this process."""
    document = pypdfium2.PdfDocument(path)
    document.init_forms()
    for index in range(count):
        np.array(document[index].render(scale=DPI / POINTS_PER_INCH).to_numpy()[:, :, :3])
    document.close()


def seconds(draw: Callable[[Path, int], None], path: Path, count: int) -> float:
    """Return the median CPU time of drawing."""

    def spent() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(part.ru_utime + part.ru_stime for part in used)

    taken = []
    for _ in range(ROUNDS):
        began = spent()
        draw(path, count)
        taken.append(spent() - began)
    return statistics.median(taken)


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scans.pdf"
        write_scans(path)
        within(path, 1)  # loads the library
        for count in (PAGES, 1):
            ours, plain = seconds(apart, path, count), seconds(within, path, count)
            print(f"{count:2} pages: {ours:.2f} s apart, {plain:.2f} s within")
    return 0


if __name__ == "__main__":
    sys.exit(main())
