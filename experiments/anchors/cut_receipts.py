"""Cut one square window out of each of some labelled pages, around its middle region; regions cut through are ignored.

python experiments/anchors/cut_receipts.py ../shared/data/receipts_en/train.txt --output train_data/receipts_32
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np


def cut(image: Any, regions: list[dict[str, Any]], side: int) -> tuple[Any, list[dict[str, Any]]]:
    """Return a window of *side* pixels around the middle region, and the regions in it; those it cuts are ignored."""
    middle = np.mean(regions[len(regions) // 2]["points"], axis=0)
    corner = np.maximum(np.minimum(middle - side / 2, np.array(image.shape[1::-1]) - side), 0).astype(int)
    kept = []
    for region in regions:
        points = np.asarray(region["points"], float) - corner
        if (points.max(axis=0) <= 0).any() or (points.min(axis=0) >= side).any():
            continue
        whole = (points >= 0).all() and (points <= side).all()
        text = region["transcription"] if whole else "###"
        kept.append({"transcription": text, "points": np.clip(points, 0, side).tolist()})
    return image[corner[1] : corner[1] + side, corner[0] : corner[0] + side], kept


def main() -> None:
    """Parse, cut, enlarge, write train.txt and val.txt, which are the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path, help="label file of pages; images are beside it")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=32, help="pages, the first of the file")
    parser.add_argument("--side", type=int, default=192, help="pixels of a window")
    parser.add_argument("--scale", type=float, default=1.5, help="windows are enlarged by this")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for line in arguments.labels.read_text(encoding="utf-8").splitlines()[: arguments.count]:
        name, label = line.split("\t", 1)
        window, regions = cut(cv2.imread(str(arguments.labels.parent / name)), json.loads(label), arguments.side)
        scale = arguments.scale
        enlarged = cv2.resize(window, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(arguments.output / f"{Path(name).stem}.png"), enlarged)
        shown = [region | {"points": (np.array(region["points"]) * scale).tolist()} for region in regions]
        rows.append(f"{Path(name).stem}.png\t{json.dumps(shown)}\n")
    for split in ("train", "val"):
        (arguments.output / f"{split}.txt").write_text("".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
