"""The ends of lines: a box that ends in the middle of a sign, or just before the last one, is moved out to take it in.

The map of a detector is that of a shrunk line, so how far a line goes on beyond it is only estimated.  A full stop,
a colon, a thin first letter or half a wide one then lies outside, where the ink on the page says that it belongs to
the line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.io.images import Image
from ppocr_lite.textline import Points

LEAST_RATIO = 2.0  # what is shorter, as a share of its height, has been fitted to all of its ink
LEAST_PX = 6.0  # in lower lines signs are not told apart
INSIDE, OUTSIDE, ACROSS = 0.8, 1.0, 0.15  # how far around an end is looked, as shares of the height of the line
GAP = 0.2  # ink goes on over gaps so wide, as a share of the height: signs of a word stand closer, words further apart
CLEAR = 0.15  # what is left clear beyond the ink, likewise
MIN_CONTRAST = 40  # gray levels between ink and ground
MIN_INK_PX = 4
LEAST_REACH_PX = 0.5


def fit_ends(image: Image, polygons: Sequence[Points]) -> list[Points]:
    """Return *polygons*, the quads of lines among them moved out to where the ink at their ends does.

    No line takes ink that lies in the region of another; where it holds a piece of that line's last sign, it is cut.

    Args:
        image: BGR (H, W, 3).
        polygons: Each (P, 2), pixels.
    """
    fitted = list(polygons)
    quads = [index for index, polygon in enumerate(polygons) if len(polygon) == 4]
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    regions = np.array([polygons[index] for index in quads], np.float64).reshape(-1, 4, 2)
    low, high = regions.min(axis=1), regions.max(axis=1)
    for place, index in enumerate(quads):
        moved = _moved(gray, regions, low, high, place)
        if moved is not None:
            regions[place], low[place], high[place] = moved, moved.min(axis=0), moved.max(axis=0)
            fitted[index] = np.asarray(moved, np.float32)
    return fitted


def _moved(
    gray: NDArray[np.uint8],
    regions: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    place: int,
) -> NDArray[np.float64] | None:
    """Return the corners (4, 2) of one of *regions* with its ends moved; None if they stay.

    Args:
        gray: The page (H, W).
        regions: All quads (N, 4, 2).
        low: Least x and y of each (N, 2).
        high: Greatest x and y of each.
        place: Which of them.
    """
    order = [0, 1, 2, 3]
    along, down = _directions(regions[place])
    if math.hypot(*along) < math.hypot(*down):
        order = [1, 2, 3, 0]
        along, down = down, -along
    quad = regions[place][order]  # now its line runs from corners 0 and 3 to corners 1 and 2
    width, height = math.hypot(*along), math.hypot(*down)
    if height < LEAST_PX or width < LEAST_RATIO * height:
        return None
    moved = False
    for corners, out in (([0, 3], -along / width), ([1, 2], along / width)):
        end = (regions[place][order[corners[0]]] + regions[place][order[corners[1]]]) / 2
        ways = end - INSIDE * height * out, end + OUTSIDE * height * out  # as far as is looked
        near = ((low <= np.maximum(*ways)) & (high >= np.minimum(*ways))).all(axis=1)
        near[place] = False
        reach = _reach(gray, end, out, down / height, height, regions[near])
        if abs(reach) > LEAST_REACH_PX:
            quad[corners] += out * (reach + CLEAR * height * (reach > 0))
            moved = True
    if not moved:
        return None
    corners_back = np.empty_like(quad)
    corners_back[order] = quad
    return corners_back


def _directions(quad: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean of the first and third side of a quad, and that of the second and fourth."""
    a, b, c, d = quad
    return (b - a + c - d) / 2, (c - b + d - a) / 2


def _reach(
    gray: NDArray[np.uint8],
    end: NDArray[np.float64],
    out: NDArray[np.float64],
    across: NDArray[np.float64],
    height: float,
    others: NDArray[np.float64],
) -> float:
    """Return by how many pixels ink goes on in the direction *out* from the middle of an *end* of a line.

    Less than zero where the end cuts a sign that belongs to one of *others*: so much must the line give back.
    """
    size = math.ceil((INSIDE + OUTSIDE) * height), math.ceil((1 + 2 * ACROSS) * height)
    start = end - (INSIDE * out + (0.5 + ACROSS) * across) * height
    centre = start + 0.5 * (out + across) - 0.5  # pixels are counted at their centres
    matrix = np.array([[out[0], across[0], centre[0]], [out[1], across[1], centre[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    window = np.asarray(cv2.warpAffine(gray, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    edge = reached = INSIDE * height
    beyond = window[:, int(edge) : math.ceil(edge + GAP * height)]
    if not len(others) and np.ptp(beyond) < MIN_CONTRAST:  # nothing begins there, and nothing goes on
        return 0.0
    own = 0.0  # where the ink before the end stops
    for low, high in _signs(window, height):
        if low > reached + GAP * height:
            break
        middle = (low + high) / 2 - edge
        doubtful = high > edge or low - own > GAP * height  # anything else goes on from what is the line's own
        if doubtful and len(others) and _inside(end + middle * out, others):
            theirs = middle > 0 or low - own > GAP * height  # the other line has more of it, or of what is beside it
            if reached == edge and own < low < edge and theirs:
                return max(low - CLEAR * height, (own + low) / 2) - edge
            if high > edge:
                break
        own, reached = max(own, min(high, edge)), max(reached, high)
    return reached - edge


def _signs(gray: NDArray[np.uint8], height: float) -> list[tuple[int, int]]:
    """Return from where to where each piece of ink goes that belongs to a line, the first first."""
    rows, columns = gray.shape
    mask = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    light = cv2.countNonZero(mask)
    dark = gray.size - light
    if not light or not dark:
        return []
    bright = cv2.mean(gray, mask)[0]
    if bright - (cv2.mean(gray)[0] * gray.size - bright * light) / dark < MIN_CONTRAST:
        return []
    if light > dark:  # a light ground
        mask = 1 - mask
    pieces = cv2.connectedComponentsWithStats(mask, connectivity=8)[2].tolist()[1:]
    return sorted(
        (left, left + wide)
        for left, top, wide, tall, pixels in pieces
        if top > 0 and top + tall < rows and left + wide < columns and pixels >= MIN_INK_PX
        if abs(2 * top + tall - rows) < height  # its middle is in the line
    )


def _inside(point: NDArray[np.float64], regions: NDArray[np.float64]) -> bool:
    """Say whether a point lies in one of some quads (N, 4, 2), whose corners go around clockwise."""
    sides, ways = regions[:, [1, 2, 3, 0]] - regions, point - regions
    return bool((sides[..., 0] * ways[..., 1] - sides[..., 1] * ways[..., 0] >= 0).all(axis=1).any())
