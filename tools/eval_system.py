"""Read labelled pages from image to text and say how much came out right; print the figures as JSON.

python tools/eval_system.py ../shared/data/receipts_en/val.txt --ignore-case

The label file is a detection list with texts; its paths start at its own folder.  ``f1`` counts regions that are found
(IoU 0.5) and read without a fault; ``cer`` is the edit distance of the page's text in reading order, per character.
``ms_a_page`` is the mean time from pixels to text.

A JSON file ``{picture: [line, ...]}`` has no places: there each line is compared with what is most like it among the
lines read, spaces left out.  ``exact`` is the share of lines that are equal, ``similarity`` the mean likeness.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from ppocr_lite import OCR
from ppocr_lite.commands.console import report_errors
from ppocr_lite.commands.inputs import add_ocr_options, make_ocr
from ppocr_lite.install import optional
from ppocr_lite.io.images import read
from ppocr_lite.metrics import EndToEndMetric
from ppocr_lite.predict.layout.order import reading_order
from ppocr_lite.transforms.labels import DetLabelEncode, read_lines

Levenshtein = optional("rapidfuzz.distance.Levenshtein")


def main() -> None:
    """Read every page, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--ignore-case", action="store_true")
    parser.add_argument("--ignore-space", action="store_true")
    parser.add_argument("--words", action="store_true", help="take lines apart at their spaces: the list marks words")
    add_ocr_options(parser)
    arguments = parser.parse_args()
    ocr = make_ocr(arguments)
    if arguments.labels.suffix == ".json":
        print(json.dumps(compare_lines(ocr, arguments.labels, arguments.ignore_case), indent=2))
        return
    seconds = []
    metric = EndToEndMetric(ignore_case=arguments.ignore_case, ignore_space=arguments.ignore_space)
    for _, row in read_lines(arguments.labels):
        name, _, label = row.partition("\t")
        image = read(arguments.labels.parent / name)
        truth = DetLabelEncode()({"image": image, "label": label, "path": name})
        order = reading_order(truth["polys"])
        truth = {
            "polys": [truth["polys"][i] for i in order],
            "texts": [truth["texts"][i] for i in order],
            "ignore_tags": np.asarray(truth["ignore_tags"])[order],
        }
        started = time.perf_counter()
        page = ocr.ocr(image)
        seconds.append(time.perf_counter() - started)
        regions = [(line.polygon, line.text) for line in page]
        if arguments.words:
            regions = [(np.float32(word.polygon), word.text) for line in page for word in line.words]
        metric.update({"polygons": [place for place, _ in regions], "texts": [text for _, text in regions]}, truth)
    print(json.dumps(metric.compute() | {"ms_a_page": round(1000 * statistics.fmean(seconds), 1)}, indent=2))


def compare_lines(ocr: OCR, expected: Path, ignore_case: bool) -> dict[str, float]:
    """Read the pictures of a JSON file of expected lines; return how many are right, and how much of them."""

    def plain(text: str) -> str:
        text = "".join(text.split())
        return text.lower() if ignore_case else text

    best, seconds = [], []
    for name, lines in json.loads(expected.read_text(encoding="utf-8")).items():
        image = read(expected.parent / name)
        started = time.perf_counter()
        found = [plain(line.text) for line in ocr.ocr(image)]
        seconds.append(time.perf_counter() - started)
        best += [
            max((Levenshtein.normalized_similarity(plain(line), text) for text in found), default=0.0) for line in lines
        ]
    return {
        "exact": statistics.fmean(value == 1 for value in best),
        "similarity": statistics.fmean(best),
        "lines": len(best),
        "ms_a_page": round(1000 * statistics.fmean(seconds), 1),
    }


if __name__ == "__main__":
    sys.exit(report_errors(main))
