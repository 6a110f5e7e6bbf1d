"""Lone characters that a detector passes over: digits in the cells of tables, grids and forms.

The map of a detector has hardly a spot for some of them.  But they stand in rows and columns with others that were
found, and are as high; so ink that does, and belongs to nothing else, is read, too, and counts if it is read surely.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry import side_lengths
from ppocr_lite.predict.layout.order import skew
from ppocr_lite.predict.layout.short import CLEAR, LEAST_DEGREES, with_margin
from ppocr_lite.results import Detections
from ppocr_lite.textline import Points

NOT_SEEN = 0.0  # score of a region that the detector did not see
LEAST_SCORE = 0.9  # of the text of such a region, to count
LEAST_FOUND = 4  # lone characters, for others to be looked for
ALIGNED = 2  # of them stand in one row or column with another,
ASIDE = 0.5  # their middles no further beside each other than this share of their height
LONE_RATIO = 1.3  # a region around a lone character is at most so wide, as a share of its height
SAME_HEIGHT = 0.12  # lone characters of a page differ in height by this share
THIN, WIDE = 0.08, 1.1  # they are so wide
APART = 0.5  # and so far from other ink beside them, as shares of their height
GROUND_PX = 51  # side of the neighbourhood whose mean gray level tells ink from ground
CONTRAST = 30  # gray levels between the two


def with_lone(gray: NDArray[np.uint8], found: Detections) -> Detections:
    """Return the regions of an upright page with those of lone characters beside them, whose score is NOT_SEEN.

    Args:
        gray: The page (H, W).
        found: Quads, short ones fitted to their ink.
    """
    if abs(skew(found.polygons)) > np.radians(LEAST_DEGREES):
        return found
    boxes = np.array([[p.min(axis=0), p.max(axis=0)] for p in found.polygons], np.float64).reshape(-1, 2, 2)
    lone = boxes[[_is_lone(polygon) for polygon in found.polygons]]
    if len(lone) < LEAST_FOUND:
        return found
    height = float(np.median(lone[:, 1, 1] - lone[:, 0, 1])) / (1 + 2 * CLEAR)
    ink = _ink(gray)
    as_high = ink[_is_as_high(ink, height)]
    candidates = as_high[~_inside(as_high, boxes) & _aligned(as_high, lone, height)]
    chosen = candidates[_stand_apart(candidates, ink, height)]
    quads = [np.array([[a, b], [c, b], [c, d], [a, d]], np.float32) for (a, b), (c, d) in map(with_margin, chosen)]
    return Detections(found.polygons + quads, found.scores + [NOT_SEEN] * len(quads)) if quads else found


def _is_lone(polygon: Points) -> bool:
    if len(polygon) != 4 or polygon[0, 1] != polygon[1, 1]:  # fitted quads are upright
        return False
    width, height = side_lengths(polygon)
    return width < LONE_RATIO * height


def _ink(gray: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the boxes (N, 2, 2) of the pieces of ink on a page, low and high corners."""
    if np.median(gray[::8, ::8]) < 128:  # a dark ground
        gray = np.asarray(255 - gray, np.uint8)
    mask = cv2.adaptiveThreshold(gray, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, GROUND_PX, CONTRAST)
    stats = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:].astype(np.float64)
    return np.stack([stats[:, :2], stats[:, :2] + stats[:, 2:4]], axis=1)


def _is_as_high(ink: NDArray[np.float64], height: float) -> NDArray[np.bool_]:
    """Say which pieces of ink (N, 2, 2) have the size of lone characters."""
    width, tall = (ink[:, 1] - ink[:, 0]).T
    fits = (np.abs(tall - height) < SAME_HEIGHT * height + 1) & (width > THIN * height) & (width < WIDE * height)
    return np.asarray(fits, np.bool_)


def _stand_apart(candidates: NDArray[np.float64], ink: NDArray[np.float64], height: float) -> NDArray[np.bool_]:
    """Say which of some pieces of ink have no others of the size of signs beside them."""
    tall = ink[:, 1, 1] - ink[:, 0, 1]
    signs = ink[(tall > 0.3 * height) & (tall < 3 * height)]
    apart = np.zeros(len(candidates), np.bool_)
    for index, ((left, top), (right, bottom)) in enumerate(candidates):
        beside = (signs[:, 0, 1] < bottom) & (signs[:, 1, 1] > top)
        near = (signs[:, 0, 0] < right + APART * height) & (signs[:, 1, 0] > left - APART * height)
        apart[index] = np.count_nonzero(beside & near) == 1  # itself
    return apart


def _inside(ink: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which pieces of ink touch one of *boxes* (M, 2, 2)."""
    apart = (ink[:, None, 1] <= boxes[None, :, 0]) | (ink[:, None, 0] >= boxes[None, :, 1])
    return np.asarray(~np.all(np.any(apart, axis=2), axis=1), np.bool_)


def _aligned(ink: NDArray[np.float64], lone: NDArray[np.float64], height: float) -> NDArray[np.bool_]:
    """Say which pieces of ink stand in a row or column with some of *lone* (M, 2, 2)."""
    aside = np.abs(ink.mean(axis=1)[:, None] - lone.mean(axis=1)[None])
    return np.asarray(((aside < ASIDE * height).sum(axis=1) >= ALIGNED).any(axis=1), np.bool_)
