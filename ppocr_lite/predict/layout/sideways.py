"""Lines that run downwards on an upright page, as on a margin, an axis or the back of a book.

A detector learns from lines that lie, and of those that stand it finds pieces.  So the strip of the page around such a
piece is looked at once more, laid on its side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry import bounding_rect, order_quad, runs_downwards, side_lengths
from ppocr_lite.io.images import Image
from ppocr_lite.predict.layout.turn import turned_back
from ppocr_lite.results import Detections
from ppocr_lite.textline import Points

LONG = 3.0  # length ÷ height of a region that is a piece of a line, not a lone character
AROUND, BEYOND = 0.3, 1.0  # how far a strip goes on beside and beyond a region, as shares of its width and its length
MOST = 4  # strips of a page
LONGER = 1.1  # what is found in a strip must be longer by this factor than what is known


def with_sideways(image: Image, found: Detections, detect: Callable[[Image], Detections]) -> Detections:
    """Return the regions of an upright page, those that stand replaced by what is found of them when they lie.

    Args:
        image: BGR (H, W, 3).
        found: Its regions.
        detect: Finds the regions of an image.
    """
    for left, top, right, bottom in _strips(found.polygons, (image.shape[1], image.shape[0])):
        view = turned_back(image[top:bottom, left:right], 270)
        lying, corner = detect(view.pixels), np.array([left, top], np.float32)
        standing = view.restore(lying.polygons)
        for polygon, back, score in zip(lying.polygons, standing, lying.scores, strict=True):
            if len(polygon) == 4 and not runs_downwards(polygon):
                found = _replaced(found, order_quad(back + corner), score)
    return found


def _strips(polygons: Sequence[Points], size: tuple[int, int]) -> Iterator[tuple[int, ...]]:
    """Yield left, top, right and bottom of the strips around long regions that stand, the longest first."""
    standing = [np.array(bounding_rect(polygon), np.float64).reshape(2, 2) for polygon in polygons if _stands(polygon)]
    if 2 * len(standing) > len(polygons):  # then the page lies on its side, or is written downwards
        return
    standing.sort(key=lambda box: float(box[0, 1] - box[1, 1]))
    seen: list[NDArray[np.float64]] = []
    for box in standing:
        middle = box.mean(axis=0)
        if len(seen) == MOST or any((low <= middle).all() and (middle <= high).all() for low, high in seen):
            continue
        reach = (box[1] - box[0]) * (AROUND, BEYOND)
        strip = np.array([np.maximum(box[0] - reach, 0), np.minimum(box[1] + reach, size)])
        seen.append(strip)
        yield tuple(strip.round().astype(int).ravel().tolist())


def _stands(polygon: Points) -> bool:
    if len(polygon) != 4 or not runs_downwards(polygon):
        return False
    width, height = side_lengths(polygon)
    return height >= LONG * width


def _replaced(found: Detections, line: Points, score: float) -> Detections:
    """Return regions with one more in place of those in it, if that is a line, and longer than they are."""
    low, high = np.array(bounding_rect(line)).reshape(2, 2)
    middles = [polygon.mean(axis=0) for polygon in found.polygons]
    inside = [bool(((low <= middle) & (middle <= high)).all()) for middle in middles]
    lengths = [np.ptp(p[:, 1]) for p, covered in zip(found.polygons, inside, strict=True) if covered and _stands(p)]
    if not lengths or not _stands(line) or high[1] - low[1] < LONGER * max(lengths):
        return found
    kept = [index for index, covered in enumerate(inside) if not covered]
    return Detections([*(found.polygons[i] for i in kept), line], [*(found.scores[i] for i in kept), score])
