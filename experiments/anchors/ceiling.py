"""Score a CTPN that says exactly what its targets say: what 16-pixel columns can tell apart at most, on given pages.

python experiments/anchors/ceiling.py train_data/receipts_32/val.txt
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ppocr_lite.geometry.columns import COLUMN
from ppocr_lite.metrics import METRICS
from ppocr_lite.postprocess import CTPNPostProcess
from ppocr_lite.transforms.ctpn_targets import MakeCTPNTargets

DISTANCES = (20.0, 34.0, 50.0)  # one column, two, and the paper's


def perfect(image: Any, polygons: list[Any], ignored: Any) -> Any:
    """Return what a network would predict that has learnt all targets of a page."""
    height, width = (side // COLUMN * COLUMN for side in image.shape[:2])
    sample = {
        "image": image[:height, :width],
        "polys": polygons,
        "ignore_tags": ignored,
        "rng": np.random.default_rng(0),
    }
    truth = MakeCTPNTargets(samples=10**6, positive_fraction=1.0)(sample)
    text = (truth["anchor_labels"] == 1).astype(np.float32)
    return np.concatenate([text, *truth["anchor_vertical"], truth["anchor_sides"]])[None]


def main() -> None:
    """Parse, decode, print one line for each distance up to which boxes are joined."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path, help="label file of pages; images are beside it")
    arguments = parser.parse_args()
    metrics: dict[float, Any] = {distance: METRICS.build({"name": "DetMetric"}) for distance in DISTANCES}
    for line in arguments.labels.read_text(encoding="utf-8").splitlines():
        name, label = line.split("\t", 1)
        regions = json.loads(label)
        polygons = [np.asarray(region["points"], np.float32) for region in regions]
        ignored = np.array([region["transcription"] in ("###", "*") for region in regions], bool)
        anchors = perfect(cv2.imread(str(arguments.labels.parent / name)), polygons, ignored)
        for distance, metric in metrics.items():
            found = CTPNPostProcess(max_distance=distance)(anchors)
            metric.update({"polygons": found.polygons}, {"polys": polygons, "ignore_tags": ignored})
    for distance, metric in metrics.items():
        values = metric.compute()
        print(f"max_distance {distance:.0f}: " + ", ".join(f"{key} {value:.3f}" for key, value in values.items()))


if __name__ == "__main__":
    main()
