"""Cut square windows out of labelled pages, around some of their regions; regions that are cut through are ignored.

python experiments/anchors/cut_receipts.py ../shared/data/receipts_en/train.txt --output train_data/receipts_32

One window of a page is cut around its middle region; several are spread evenly over the list of its regions.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np


def cut(image: Any, regions: list[dict[str, Any]], centre: Any, side: int) -> tuple[Any, list[dict[str, Any]]]:
    """Return a window of *side* pixels around *centre*, and the regions in it; those it cuts are ignored.

    A page that is smaller than a window is continued by what is at its right and lower border.
    """
    corner = np.maximum(np.minimum(centre - side / 2, np.array(image.shape[1::-1]) - side), 0).astype(int)
    kept = []
    for region in regions:
        points = np.asarray(region["points"], float) - corner
        if (points.max(axis=0) <= 0).any() or (points.min(axis=0) >= side).any():
            continue
        whole = (points >= 0).all() and (points <= side).all()
        text = region["transcription"] if whole else "###"
        kept.append({"transcription": text, "points": np.clip(points, 0, side).tolist()})
    window = image[corner[1] : corner[1] + side, corner[0] : corner[0] + side]
    below, right = (side - length for length in window.shape[:2])
    return cv2.copyMakeBorder(window, 0, below, 0, right, cv2.BORDER_REPLICATE), kept


def scaled(image: Any, regions: list[dict[str, Any]], scale: float) -> tuple[Any, list[dict[str, Any]]]:
    """Return a page and its regions at *scale* times their size."""
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    shown = [region | {"points": (np.asarray(region["points"], float) * scale).tolist()} for region in regions]
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=how), shown


def main() -> None:
    """Parse, cut, enlarge, write train.txt and val.txt, which are the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path, help="label file of pages; images are beside it")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=32, help="pages, the first of the file")
    parser.add_argument("--windows", type=int, default=1, help="of each page (default: 1)")
    parser.add_argument("--page-side", type=int, help="give pages a longer side of so many pixels before they are cut")
    parser.add_argument("--side", type=int, default=192, help="pixels of a window")
    parser.add_argument("--scale", type=float, default=1.5, help="windows are enlarged by this")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for line in arguments.labels.read_text(encoding="utf-8").splitlines()[: arguments.count]:
        name, label = line.split("\t", 1)
        image, regions = cv2.imread(str(arguments.labels.parent / name)), json.loads(label)
        if arguments.page_side:
            image, regions = scaled(image, regions, arguments.page_side / max(image.shape[:2]))
        for index in range(arguments.windows):
            middle = regions[int((index + 0.5) * len(regions) / arguments.windows)]
            window, kept = cut(image, regions, np.mean(middle["points"], axis=0), arguments.side)
            window, kept = scaled(window, kept, arguments.scale)
            own = f"{Path(name).stem}_{index}.png" if arguments.windows > 1 else f"{Path(name).stem}.png"
            cv2.imwrite(str(arguments.output / own), window)
            rows.append(f"{own}\t{json.dumps(kept)}\n")
    for split in ("train", "val"):
        (arguments.output / f"{split}.txt").write_text("".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
