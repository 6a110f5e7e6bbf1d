"""Regions about as wide as they are high: lone characters and the shortest words.

The smallest rectangle around such a region says little about the direction of its text, and that around a word not
enough to tell it from upright; and the map of a detector has only a spot somewhere in the middle of a lone character.
So short regions take the direction of their page, and the size of the ink that is there; words of an upright page only
its direction.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry import side_lengths
from ppocr_lite.textline import Points

# Longer side ÷ shorter side below which a region is short: one that lies, and one that stands, as the spot in a digit.
SHORT_LYING, SHORT_STANDING = 2.0, 3.0
UPRIGHT = 6.0  # a region of an upright page that is not longer, as a share of its height, is upright
NEARLY_SQUARE = 1.4  # below this the smallest rectangle tells nothing at all about the direction
LONG = 3.0  # regions that tell the direction of a page
MANY = 6  # so many regions, none of them long, are a table or a grid
SAME_DEGREES, SAME_SHARE = 6.0, 0.9  # long regions of a page lie within so much of its direction, by length
LEAST_DEGREES = 2.0  # the direction of a page is not known better
REACH = 1.0  # how far around a region ink is looked for, as a share of its longer side
NEAR = 0.1  # ink belongs to a region if its middle is no further outside, as a share of the shorter side
LARGE = 2.5  # ink this many times larger than a region is a rule or a picture
CLEAR = 0.17  # what is left clear around ink, as a share of its height: about what longer regions have
NARROW = 0.8  # a lone character is cut at least this wide, as a share of its height: it does not run downwards
AROUND = 0.5  # the ground is what most of a region and so much around it is, as a share of its sides
MIN_CONTRAST = 30  # gray levels between ink and ground
MIN_INK_PX = 4


def fit_short(gray: NDArray[np.uint8], polygons: Sequence[Points], direction: float) -> list[Points]:
    """Return *polygons*, the short quads among them turned to the page and fitted to their ink.

    Where the long regions of a page differ in direction, as on a photograph, only nearly square quads are.

    Args:
        gray: The page (H, W).
        polygons: Each (P, 2), pixels.
        direction: How far the page is turned clockwise, radians.
    """
    if abs(direction) < np.radians(LEAST_DEGREES):
        direction = 0.0
    shapes = [side_lengths(polygon) if len(polygon) == 4 else (np.inf, 1.0) for polygon in polygons]
    agree = _agree(polygons, shapes, direction)
    upright = agree and direction == 0
    limit = np.inf if agree else NEARLY_SQUARE
    fitted = []
    for polygon, shape in zip(polygons, shapes, strict=True):
        if _is_short(*shape, limit):
            polygon = _fitted(gray, polygon, shape, direction)
        elif upright and shape[1] < shape[0] < UPRIGHT * shape[1]:
            polygon = _upright(polygon, shape)
        fitted.append(polygon)
    return fitted


def _is_short(width: float, height: float, limit: float) -> bool:
    ratio = max(width, height) / max(min(width, height), 1.0)
    return ratio < min(limit, SHORT_LYING if width > height else SHORT_STANDING)


def _agree(polygons: Sequence[Points], shapes: Sequence[tuple[float, float]], direction: float) -> bool:
    """Say whether the long regions of a page lie in its direction; a few regions say nothing."""
    if len(polygons) < MANY:
        return False
    long = [p[1] - p[0] for p, (width, height) in zip(polygons, shapes, strict=True) if width >= LONG * height]
    if not long:
        return True
    sides = np.array(long, np.float64)
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    same = np.abs(np.arctan2(sides[:, 1], sides[:, 0]) - direction) < np.radians(SAME_DEGREES)
    return bool(lengths[same].sum() > SAME_SHARE * lengths.sum())


def _upright(quad: Points, shape: tuple[float, float]) -> Points:
    """Return the upright rectangle of the same middle and sides as a quad."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * shape / 2
    return np.asarray(quad.mean(axis=0, dtype=np.float64) + corners, np.float32)


def _fitted(gray: NDArray[np.uint8], quad: Points, shape: tuple[float, float], direction: float) -> Points:
    """Return the rectangle around the ink of a region, in the direction of the page."""
    axes = np.array([[np.cos(direction), np.sin(direction)], [-np.sin(direction), np.cos(direction)]])  # along, down
    centre = quad.mean(axis=0, dtype=np.float64)
    extent = np.ptp((quad - centre) @ axes.T, axis=0)
    half = 0.5 * extent * np.sqrt(np.prod(shape) / np.prod(extent))  # of a rectangle of the same area
    size = np.maximum(np.round(2 * (half + REACH * 2 * half.max())), 3).astype(int)
    matrix = np.column_stack([axes.T, centre - axes.T @ (size / 2 - 0.5)])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    window = cv2.warpAffine(gray, matrix, size.tolist(), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    box = np.array([size / 2 - half, size / 2 + half])  # the region, in pixels of the window
    ink = _ink(np.asarray(window, np.uint8), box)
    low, high = box if ink is None else with_margin(ink)
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]]) - size / 2
    return np.asarray(corners @ axes + centre, np.float32)


def _ink(gray: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the bounds (2, 2) of the ink that belongs to *box* and ends inside the window; None if there is none."""
    mask = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    light = mask == 1
    if light.all() or not light.any() or gray[light].mean() - gray[~light].mean() < MIN_CONTRAST:
        return None
    low, high = np.round(box + (box[1] - box[0]) * AROUND * np.array([[-1], [1]])).astype(int)
    if light[max(low[1], 0) : high[1], max(low[0], 0) : high[0]].mean() > 0.5:  # a light ground
        mask = 1 - mask
    stats = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]
    low = stats[:, :2].astype(np.float64)
    high = low + stats[:, 2:4]
    sides = box[1] - box[0]
    whole = (low > 0) & (high < gray.shape[::-1]) & (high - low < LARGE * sides.max())
    inside = np.abs(low + high - box.sum(axis=0)) / 2 <= sides / 2 + NEAR * sides.min()
    chosen = (whole & inside).all(axis=1) & (stats[:, 4] >= MIN_INK_PX)
    return np.array([low[chosen].min(axis=0), high[chosen].max(axis=0)]) if chosen.any() else None


def with_margin(ink: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bounds (2, 2) of a region around those of its ink."""
    width, height = ink[1] - ink[0]
    clear = CLEAR * height
    aside = max(clear, (NARROW * (height + 2 * clear) - width) / 2)
    return ink + np.array([[-aside, -clear], [aside, clear]])
