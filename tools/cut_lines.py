"""Cut the labelled lines of detection pages into crops for the recogniser.

Reads detection label files (``path<TAB>[{"transcription", "points"}]``), writes ``OUTPUT/images/*.png`` and
``OUTPUT/labels.txt`` (``path<TAB>text``).  Ignored regions, lines lower than ``--min-height`` and characters outside
``--charset`` are left out and counted.

Some sets are transcribed in capitals whatever is printed.  ``--restore-case MODEL`` reads each crop with an exported
recogniser: where the two agree but for the case, the model's spelling is kept; where the model saw small letters and
disagrees, the line is left out; lines read as capitals stay as they are.

``--margin 0 0.15`` moves each side of a region outwards by a random share of its height between the two (inwards where
it is negative), as far as the boxes of a detector are from those of annotators.

``--orientation`` makes crops for the classifier instead: every second one is turned by 180 degrees and the label is
``0`` or ``180``.  Texts that read as well upside down ("8", "NO", "96") are left out.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ppocr_lite import OCR
from ppocr_lite.charset import Charset
from ppocr_lite.commands.console import report_errors
from ppocr_lite.files import write_text
from ppocr_lite.geometry import min_area_quad, move_sides, side_lengths
from ppocr_lite.io.images import read, write
from ppocr_lite.predict.crop import crop_line, turn
from ppocr_lite.synth.writer import TURNS_INTO_TEXT
from ppocr_lite.transforms.labels import DetLabelEncode, read_lines


def main() -> None:
    """Cut every readable line of the label files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", nargs="+", type=Path, help="label files; paths in them start at their folder")
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--charset", default="en")
    parser.add_argument("--min-height", type=int, default=8)
    parser.add_argument("--restore-case", metavar="MODEL", help="exported recogniser folder")
    parser.add_argument("--margin", nargs=2, type=float, default=(0.0, 0.0), metavar=("LOW", "HIGH"))
    parser.add_argument("--orientation", action="store_true", help="crops for the classifier, every second one turned")
    arguments = parser.parse_args()
    known = set(Charset.load(arguments.charset).characters)
    ocr = OCR(rec_model=arguments.restore_case) if arguments.restore_case else None
    (arguments.output / "images").mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    left_out: Counter[str] = Counter()
    rng = np.random.default_rng(0)
    for file in arguments.labels:
        for _, row in read_lines(file):
            name, _, label = row.partition("\t")
            path = file.parent / name
            page = DetLabelEncode()({"image": read(path), "label": label, "path": str(path)})
            page["polys"] = [loosen(polygon, *arguments.margin, rng) for polygon in page["polys"]]
            crops = cut_page(page, known, arguments.min_height, left_out)
            if ocr is not None:
                crops = restore_case(ocr, crops, left_out)
            if arguments.orientation:
                crops = turn_some(crops, len(lines), left_out)
            for crop, text in crops:
                target = f"images/{len(lines):06d}.png"
                write(arguments.output / target, crop)
                lines.append(f"{target}\t{text}\n")
    write_text(arguments.output / "labels.txt", "".join(lines))
    print(f"{len(lines)} lines in {arguments.output / 'labels.txt'}; left out: {dict(left_out) or 'none'}")


Crop = tuple[np.ndarray, str]


def loosen(polygon: np.ndarray, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """Return *polygon* (P, 2) as four corners (4, 2), each side moved out by *low* to *high* of the line's height."""
    if low == high == 0:
        return polygon
    quad = polygon if len(polygon) == 4 else min_area_quad(polygon)
    return move_sides(quad[None], rng.uniform(low, high, (1, 4)) * min(side_lengths(quad)))[0]


def cut_page(page: dict[str, Any], known: set[str], min_height: int, left_out: Counter[str]) -> list[Crop]:
    """Return (crop, text) of the lines of one page, as DetLabelEncode returns it, that can be trained on."""
    crops = []
    for polygon, text, ignored in zip(page["polys"], page["texts"], page["ignore_tags"], strict=True):
        crop = crop_line(page["image"], polygon)
        if ignored:
            left_out["ignored region"] += 1
        elif not set(text) <= known:
            left_out["character outside the charset"] += 1
        elif min(crop.shape[:2]) < min_height:
            left_out["too small"] += 1
        else:
            crops.append((crop, text))
    return crops


def restore_case(ocr: OCR, crops: list[Crop], left_out: Counter[str]) -> list[Crop]:
    """Return *crops* with the case that is printed, without those whose case is in doubt."""
    kept = []
    for (crop, text), line in zip(crops, ocr.recognize([crop for crop, _ in crops]), strict=True):
        if line.text.lower() == text.lower():
            kept.append((crop, line.text))
        elif line.text == line.text.upper():
            kept.append((crop, text))
        else:
            left_out["case in doubt"] += 1
    return kept


def turn_some(crops: list[Crop], start: int, left_out: Counter[str]) -> list[Crop]:
    """Return *crops* with the angle for a text, the odd ones turned; *start* is the number of the first."""
    clear = [crop for crop, text in crops if not TURNS_INTO_TEXT.issuperset(text)]
    left_out["reads either way"] += len(crops) - len(clear)
    angles = [180 * ((start + index) % 2) for index in range(len(clear))]
    return [(turn(crop, angle), str(angle)) for crop, angle in zip(clear, angles, strict=True)]


if __name__ == "__main__":
    sys.exit(report_errors(main))
