"""At which sizes a page is looked at: text is found best at about 20 pixels, whatever the size of the page.

Every page is looked at once, as its detector's folder says.  A large page whose text that shrinks too far is looked at
again, larger and in tiles; one with nothing, or but a few unsure fragments of large letters, smaller; and of small
pictures, where it costs little, any text that is far from that height.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np

from ppocr_lite.geometry import area, side_lengths
from ppocr_lite.io.images import Image
from ppocr_lite.predict.timing import Timer
from ppocr_lite.results import Detections
from ppocr_lite.textline import Points

logger = logging.getLogger(__name__)

TEXT_PX = 24.0  # height of a region that detectors of this kind find best, pixels of their input
SURE_PX = 36.0  # what is aimed at from text so small that neighbours are joined, and its height uncertain
SMALL_PX, LARGE_PX = 15.0, 64.0  # text outside of this is looked at again, at TEXT_PX
STRIP_LARGE_PX, STRIP_PX = 32.0, 28.0  # the same for small pictures
STRIP_AREA = 0.08  # a picture this many times as large as the square of the limit is small
SHRUNK = 0.5  # a page shrunk less is large enough to find its text
MOST_ENLARGED = 2.0
WORTH = 1.25  # a look must differ by this factor
MOST_LOOKS = 3
LEAST_LARGE_PX = 48.0  # what is found only from afar is higher,
LEAST_FAR_SCORE = 0.7  # and surer: photographs hold much that looks like text from there
LEAST_LEGIBLE_PX = 7.0  # what is lower on the page is no letters, however much it is enlarged
# So few regions may be fragments of large letters, if all are less sure than that and one is so high; where they are,
FEW, LEAST_PIECE_PX = 2, 32.0
MERE_PIECES = 6.0  # what is seen from there is this many times as large
FAR = 0.3  # how much smaller a page with nothing to see is looked at
OVERLAP = 128  # pixels that neighbouring tiles see both
MOST_PIXELS = 40_000_000  # of the largest look


class Looker(Protocol):
    """A detector that looks at a page at different sizes."""

    limit: int

    def look(self, image: Image, timer: Timer) -> Detections:
        """Return the regions at the usual size."""

    def look_at(self, image: Image, scale: float, timer: Timer) -> Detections:
        """Return the regions at *scale* times the size of the page, in tiles if need be."""


def detect_by_size(detector: Looker, image: Image, timer: Timer) -> Detections:
    """Return the regions of a BGR page (H, W, 3), found at the sizes that its text asks for."""
    found, scale = detector.look(image, timer), min(1.0, detector.limit / max(image.shape[:2]))
    for number in range(1, MOST_LOOKS):
        wanted = _next_scale(found, scale, image, detector.limit, number == 1)
        if wanted is None:
            break
        logger.info("Looking at the page again, at %.2f times its size after %.2f.", wanted, scale)
        pieces = number == 1 and wanted == FAR * scale
        seen = detector.look_at(image, wanted, timer)
        if wanted > 1:
            seen = _chosen(seen, np.flatnonzero(_heights(seen) >= LEAST_LEGIBLE_PX).tolist())
        if pieces:  # anything smaller was to be seen at first
            sure = np.array(seen.scores) >= LEAST_FAR_SCORE
            seen = _chosen(seen, np.flatnonzero(sure & (_heights(seen) * scale >= LEAST_LARGE_PX)).tolist())
        found = _joined(found, seen, wanted, wanted > scale, pieces)
        if pieces:  # how high text is there says nothing about what else the page holds
            break
        scale = wanted
    return found


def _next_scale(found: Detections, scale: float, image: Image, limit: int, first: bool) -> float | None:
    """Return at how many times its size a page should be looked at next; None if what was found will do."""
    height, width = image.shape[:2]
    fits = limit / max(height, width)  # up to here one tile is enough
    text = _text_height(found) * scale
    strip = height * width * scale**2 <= STRIP_AREA * limit**2
    if not text:
        wanted = min(2 * scale, 1.0) if scale < SHRUNK else FAR * scale
        return wanted if first else None
    if text < SMALL_PX and (scale < SHRUNK or fits > scale):
        aim = SURE_PX if scale < SHRUNK else TEXT_PX
        most = min(max(1.0, min(MOST_ENLARGED, fits)), (MOST_PIXELS / (height * width)) ** 0.5)
        wanted = min(scale * aim / text, most)
        return wanted if wanted >= WORTH * scale else None
    if text > (STRIP_LARGE_PX if strip else LARGE_PX):
        return scale * (STRIP_PX if strip else TEXT_PX) / text if first else None
    return FAR * scale if first and not strip and _may_be_pieces(found, scale) else None


def _may_be_pieces(found: Detections, scale: float) -> bool:
    """Say whether all that was found may be pieces of large letters: it is little, unsure, and some of it is high."""
    few = len(found.polygons) <= FEW and max(found.scores) < LEAST_FAR_SCORE
    return few and float(_heights(found).max()) * scale >= LEAST_PIECE_PX


def _joined(before: Detections, now: Detections, scale: float, larger: bool, pieces: bool) -> Detections:
    """Return the regions of two looks: of each what it sees better.

    Args:
        before: What was found.
        now: What was found at *scale*.
        scale: Size of the second look.
        larger: Whether that was the larger one. If so, only letters too large for it stay of the first; if not,
            whatever the second does not cover.
        pieces: Whether what was found may be pieces of something that only the second look sees whole.
    """
    if larger:
        kept, others = [index for index, height in enumerate(_heights(before)) if height * scale > LARGE_PX], now
        first = _chosen(before, kept)
        return _plus(first, _chosen(others, _outside(others, first.polygons)))
    if not now.polygons or (pieces and _area(now) < MERE_PIECES * _area(before)):
        return before
    return _plus(now, _chosen(before, _outside(before, now.polygons)))


def _heights(found: Detections) -> Points:
    return np.array(
        [min(side_lengths(p)) if len(p) == 4 else np.ptp(p, axis=0).min() for p in found.polygons], np.float32
    )


def _area(found: Detections) -> float:
    return sum(area(polygon) for polygon in found.polygons)


def _text_height(found: Detections) -> float:
    """Return the median height of regions, weighted by length; 0 if there are none."""
    if not found.polygons:
        return 0.0
    heights, lengths = _heights(found), np.array([np.ptp(polygon, axis=0).max() for polygon in found.polygons])
    order = np.argsort(heights)
    middle = np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)
    return float(heights[order][min(int(middle), len(order) - 1)])


def _outside(found: Detections, covered: Sequence[Points]) -> list[int]:
    """Return the indices of the regions whose middle lies in none of *covered*."""
    middles = [tuple(polygon.mean(axis=0).tolist()) for polygon in found.polygons]
    return [
        index
        for index, middle in enumerate(middles)
        if all(cv2.pointPolygonTest(region, middle, False) < 0 for region in covered)
    ]


def _chosen(found: Detections, indices: Sequence[int]) -> Detections:
    return Detections([found.polygons[i] for i in indices], [found.scores[i] for i in indices])


def _plus(one: Detections, other: Detections) -> Detections:
    return Detections(one.polygons + other.polygons, one.scores + other.scores)


def tiles(side: int, most: int) -> Iterator[tuple[slice, slice]]:
    """Yield for each tile along a side the pixels that it sees, and those of them that it decides.

    Args:
        side: Pixels, a multiple of 32.
        most: Longest tile, a multiple of 32 above twice :data:`OVERLAP`.
    """
    count = 1 if side <= most else -(-(side - OVERLAP) // (most - OVERLAP))
    starts = [round((side - min(side, most)) * index / max(count - 1, 1) / 32) * 32 for index in range(count)]
    ends = [start + min(side, most) for start in starts]
    seams = [0, *((end + start) // 2 for end, start in zip(ends[:-1], starts[1:], strict=True)), side]
    for start, end, low, high in zip(starts, ends, seams[:-1], seams[1:], strict=True):
        yield slice(start, end), slice(low, high)
