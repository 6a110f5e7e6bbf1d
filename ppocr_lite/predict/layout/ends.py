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

from ppocr_lite.textline import Points

LEAST_RATIO = 2.0  # what is shorter, as a share of its height, has been fitted to all of its ink
LEAST_PX = 6.0  # in lower lines signs are not told apart
INSIDE, OUTSIDE, ACROSS = 0.8, 1.0, 0.15  # how far around an end is looked, as shares of the height of the line
GAP = 0.2  # ink goes on over gaps so wide, as a share of the height: signs of a word stand closer, words further apart
CLEAR = 0.15  # what is left clear beyond the ink, likewise
MIN_CONTRAST = 40  # gray levels between ink and ground
MIN_INK_PX = 4
LEAST_REACH_PX = 0.5


def fit_ends(gray: NDArray[np.uint8], polygons: Sequence[Points]) -> list[Points]:
    """Return *polygons*, the quads of lines among them moved out to where the ink at their ends does.

    No line takes ink that lies in the region of another; where it holds a piece of that line's last sign, it is cut.

    Args:
        gray: The page (H, W).
        polygons: Each (P, 2), pixels.
    """
    fitted = list(polygons)
    quads = [index for index, polygon in enumerate(polygons) if len(polygon) == 4]
    if not quads:
        return fitted
    lines = _Lines(np.array([polygons[index] for index in quads], np.float64))
    for place in np.flatnonzero(lines.long).tolist():
        if lines.move(gray, place):
            fitted[quads[place]] = lines.corners(place)
    return fitted


class _Lines:
    """Quads of a page in the making.

    Args:
        regions: (N, 4, 2), pixels.

    Attributes:
        long: Which of them have ends to look at.
    """

    def __init__(self, regions: NDArray[np.float64]) -> None:
        along = (regions[:, 1] - regions[:, 0] + regions[:, 2] - regions[:, 3]) / 2
        down = (regions[:, 2] - regions[:, 1] + regions[:, 3] - regions[:, 0]) / 2
        upright = np.hypot(*along.T) < np.hypot(*down.T)  # its line runs downwards
        self._first = upright.astype(int)  # the corner where a line begins
        self._regions = np.where(upright[:, None, None], np.roll(regions, -1, axis=1), regions)
        along, down = np.where(upright[:, None], down, along), np.where(upright[:, None], -along, down)
        self._width, self._height = np.hypot(*along.T), np.hypot(*down.T)
        self.long = (self._height >= LEAST_PX) & (self._width >= LEAST_RATIO * self._height)
        out = along / np.maximum(self._width, 1.0)[:, None]
        self._out = np.stack([-out, out], axis=1)  # (N, 2, 2): of the beginning, of the end
        self._down = down / np.maximum(self._height, 1.0)[:, None]
        a, b, c, d = self._regions.transpose(1, 0, 2)
        self._ends = np.stack([a + d, b + c], axis=1) / 2
        far = self._height[:, None, None] * self._out
        ways = self._ends - INSIDE * far, self._ends + OUTSIDE * far  # as far as is looked
        self._window = np.minimum(*ways), np.maximum(*ways)
        self._near = np.empty((len(regions), 2, len(regions)), np.bool_)  # which others lie at an end
        self._place(slice(None))

    def _place(self, which: slice) -> None:
        """Note at which ends of the others some lines lie."""
        low, high = self._regions[which].min(axis=1), self._regions[which].max(axis=1)
        (left, top), (right, bottom) = np.moveaxis(self._window[0], 2, 0), np.moveaxis(self._window[1], 2, 0)
        beside = (low[:, 0] <= right[..., None]) & (high[:, 0] >= left[..., None])
        self._near[..., which] = beside & (low[:, 1] <= bottom[..., None]) & (high[:, 1] >= top[..., None])
        every = np.arange(len(self._near))
        self._near[every, :, every] = False

    def corners(self, place: int) -> Points:
        """Return one of the quads (4, 2), its corners in the order given."""
        return np.asarray(np.roll(self._regions[place], self._first[place], axis=0), np.float32)

    def move(self, gray: NDArray[np.uint8], place: int) -> bool:
        """Move the ends of one line, and say whether they had to be."""
        height, moved = float(self._height[place]), False
        for end, corners in enumerate(([0, 3], [1, 2])):
            out, others = self._out[place, end], self._regions[self._near[place, end]]
            reach = _reach(gray, self._ends[place, end], out, self._down[place], height, others)
            if abs(reach) > LEAST_REACH_PX:
                self._regions[place, corners] += out * (reach + CLEAR * height * (reach > 0))
                moved = True
        if moved:
            self._place(slice(place, place + 1))
        return moved


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
