"""Read the labelled lines of pages, cut by their true boxes, once each; print how many are read without a fault.

python experiments/read_lines.py --rec-model ppocr_lite/models/rec_en ../shared/data/scan_en_typed/val.txt …

Spaces and case do not count.  Prints for each list the number of lines, the share without a fault, and the mean
normalised edit similarity.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ppocr_lite import OCR
from ppocr_lite.io.images import read
from ppocr_lite.metrics import RecMetric
from ppocr_lite.predict.crop import crop_line
from ppocr_lite.transforms.labels import DetLabelEncode, read_lines


def cut(labels: Path) -> tuple[list[np.ndarray], list[str]]:
    """Return the crops and texts of a detection list, without what is ignored."""
    crops, texts = [], []
    for _, row in read_lines(labels):
        name, _, label = row.partition("\t")
        path = labels.parent / name
        page = DetLabelEncode()({"image": read(path), "label": label, "path": str(path)})
        for polygon, text, ignored in zip(page["polys"], page["texts"], page["ignore_tags"], strict=True):
            if not ignored:
                crops.append(crop_line(page["image"], polygon))
                texts.append(text)
    return crops, texts


def main() -> None:
    """Read every list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", nargs="+", type=Path)
    parser.add_argument("--rec-model", required=True, help="exported recogniser folder")
    arguments = parser.parse_args()
    ocr = OCR(rec_model=arguments.rec_model, rec_retry_score=0, rec_margin=0)
    for labels in arguments.labels:
        crops, texts = cut(labels)
        metric = RecMetric(ignore_case=True)
        for line, text in zip(ocr.recognize(crops), texts, strict=True):
            metric.update(line.text, text)
        found = metric.compute()
        print(
            f"{labels}: {len(texts)} lines, {found['acc']:.3f} without a fault, alike to {found['norm_edit_dis']:.3f}"
        )


if __name__ == "__main__":
    main()
