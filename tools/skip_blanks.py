"""Let a recogniser of many classes compute them only where a character may be.

python tools/skip_blanks.py inference/rec_ch --pages scans/ --output inference/rec_ch_fast
python tools/skip_blanks.py inference/rec_ch --pages data/train.txt more/train.txt --most 9 --output inference/fast
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from ppocr_lite.commands.console import report_errors
from ppocr_lite.io.pages import list_files
from ppocr_lite.slim import skip_blanks
from ppocr_lite.transforms.labels import read_lines


def pages_of(source: Path, most: int | None) -> list[Path]:
    """Return the images of a folder or a label file, at most so many, spread evenly."""
    if source.suffix == ".txt":
        images = [source.parent / line.split("\t")[0] for _, line in read_lines(source)]
    else:
        images = list_files(source)
    count = min(len(images), most or len(images))
    return [images[index] for index in np.linspace(0, len(images) - 1, count).astype(int)]


def main() -> None:
    """Parse, fit, write, say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="exported folder with a model.onnx, or an ONNX file")
    parser.add_argument("--pages", type=Path, nargs="+", required=True, help="images, folders of them, or label files")
    parser.add_argument("--most", type=int, help="pages of each; default: all")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write")
    arguments = parser.parse_args()
    pages = [page for source in arguments.pages for page in pages_of(source, arguments.most)]
    result = skip_blanks(arguments.model, pages, arguments.output)
    print(f"{result.skipped:.1%} of {result.steps} steps are skipped; {result.blank:.1%} have no character")
    print(f"{result.missed} steps with a character are skipped")
    print(f"{result.differing} of {result.lines} lines are read otherwise")


if __name__ == "__main__":
    sys.exit(report_errors(main))
