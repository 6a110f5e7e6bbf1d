"""The ends of lines: a box that ends in the middle of a sign, or just before the last one, is moved out to take it in.

The map of a detector is that of a shrunk line, so how far a line goes on beyond it is only estimated.  A full stop,
a colon, a thin first letter or half a wide one then lies outside, where the ink on the page says that it belongs to
the line.
"""

from __future__ import annotations

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
    regions = np.array([polygons[index] for index in quads], np.float64).reshape(-1, 4, 2)
    for place, index in enumerate(quads):
        moved = _moved(image, regions, place)
        if moved is not None:
            regions[place] = moved
            fitted[index] = np.asarray(moved, np.float32)
    return fitted


def _moved(image: Image, regions: NDArray[np.float64], place: int) -> NDArray[np.float64] | None:
    """Return the corners (4, 2) of one of *regions* with its ends moved; None if they stay."""
    first = 0 if np.hypot(*_side(regions[place], 0)) >= np.hypot(*_side(regions[place], 1)) else 1
    quad = np.roll(regions[place], -first, axis=0)  # now its line runs from corners 0 and 3 to corners 1 and 2
    along, down = _side(quad, 0), _side(quad, 1)
    width, height = np.hypot(*along), np.hypot(*down)
    if height < LEAST_PX or width < LEAST_RATIO * height:
        return None
    low, high = regions.min(axis=1) - height, regions.max(axis=1) + height
    near = ((low < high[place]) & (high > low[place])).all(axis=1)
    near[place] = False
    others = regions[near]
    steps = np.zeros((4, 2))
    for corners, out in (((0, 3), -along / width), ((1, 2), along / width)):
        reach = _reach(image, quad[list(corners)].mean(axis=0), out, down / height, height, others)
        if abs(reach) > LEAST_REACH_PX:
            steps[list(corners)] = out * (reach + CLEAR * height * (reach > 0))
    return np.roll(quad + steps, first, axis=0) if steps.any() else None


def _side(quad: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    """Return the mean of two opposite sides of a quad, the first that begins at corner *first*."""
    a, b, c, d = np.roll(quad, -first, axis=0)
    return np.asarray((b - a + c - d) / 2)


def _reach(
    image: Image,
    end: NDArray[np.float64],
    out: NDArray[np.float64],
    across: NDArray[np.float64],
    height: float,
    others: NDArray[np.float64],
) -> float:
    """Return by how many pixels ink goes on in the direction *out* from the middle of an *end* of a line.

    Less than zero where the end cuts a sign that belongs to one of *others*: so much must the line give back.
    """
    size = np.ceil([(INSIDE + OUTSIDE) * height, (1 + 2 * ACROSS) * height]).astype(int)
    start = end - (INSIDE * out + (0.5 + ACROSS) * across) * height
    matrix = np.column_stack([out, across, start + 0.5 * (out + across) - 0.5])  # pixels are counted at their centres
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    window = cv2.warpAffine(image, matrix, size.tolist(), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    edge = reached = INSIDE * height
    own = 0.0  # where the ink before the end stops
    for low, high in _signs(np.asarray(cv2.cvtColor(window, cv2.COLOR_BGR2GRAY), np.uint8), height):
        if low > reached + GAP * height:
            break
        middle = (low + high) / 2 - edge
        if len(others) and _inside(end + middle * out, others):
            theirs = middle > 0 or low - own > GAP * height  # the other line has more of it, or of what is beside it
            if reached == edge and own < low < edge and theirs:
                return max(low - CLEAR * height, (own + low) / 2) - edge
            if high > edge:
                break
        own, reached = max(own, min(high, edge)), max(reached, high)
    return reached - edge


def _signs(gray: NDArray[np.uint8], height: float) -> list[tuple[float, float]]:
    """Return from where to where each piece of ink goes that belongs to a line, the first first."""
    mask = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    light = mask == 1
    if light.all() or not light.any() or gray[light].mean() - gray[~light].mean() < MIN_CONTRAST:
        return []
    if light.mean() > 0.5:  # a light ground
        mask = 1 - mask
    stats = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]
    low = stats[:, :2]
    high = low + stats[:, 2:4]
    rows, columns = gray.shape
    whole = (low[:, 1] > 0) & (high[:, 1] < rows) & (high[:, 0] < columns) & (stats[:, 4] >= MIN_INK_PX)
    belongs = whole & (np.abs(low[:, 1] + high[:, 1] - rows) < height)  # its middle is in the line
    return sorted(zip(low[belongs, 0].tolist(), high[belongs, 0].tolist(), strict=True))


def _inside(point: NDArray[np.float64], regions: NDArray[np.float64]) -> bool:
    """Say whether a point lies in one of some quads (N, 4, 2), whose corners go around clockwise."""
    sides, ways = np.roll(regions, -1, axis=1) - regions, point - regions
    return bool((sides[..., 0] * ways[..., 1] - sides[..., 1] * ways[..., 0] >= 0).all(axis=1).any())
