"""Text in narrow columns, as CTPN sees it: a line is a row of boxes one column wide, each of its own height.

Source:
    Tian et al., Detecting Text in Natural Image with Connectionist Text Proposal Network, ECCV 2016, §3.1 and §3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry.polygons import Array
from ppocr_lite.geometry.quads import order_quads

COLUMN = 16  # pixels: the width of a column, and the stride of the network that looks at columns
# Pixels: 11 to 273, each 1 / 0.7 times the one before.
COLUMN_HEIGHTS = (11.0, 16.0, 22.0, 32.0, 46.0, 65.0, 93.0, 134.0, 191.0, 273.0)
_IGNORED_SHARE = 0.5  # an anchor with so much of its height on text that is not learnt is not background


@dataclass(frozen=True)
class Slices:
    """The parts of texts in the columns that they cover, S of them.

    Attributes:
        owner: (S,) int64, index of the text.
        column: (S,) int64.
        top: (S,) float32, y of the upper edge at the centre of the column, pixels.
        bottom: (S,) float32, of the lower edge; larger.
    """

    owner: NDArray[np.int64]
    column: NDArray[np.int64]
    top: Array
    bottom: Array


@dataclass(frozen=True)
class ColumnMatch:
    """What each anchor stands for; all arrays (A, rows, columns), A heights at each place.

    Attributes:
        labels: int64, 1 text, 0 background, -1 neither.
        found: int64, index of the slice that overlaps most; -1 for none.
    """

    labels: NDArray[np.int64]
    found: NDArray[np.int64]


def slice_quads(quads: Array, columns: int, width: float = COLUMN) -> Slices:
    """Cut texts into columns.

    A text is in every column whose centre is between its ends, and in that of its middle if it is so narrow that there
    is none. Its heights are those between its upper and its lower edge, prolonged where the quad leans, so that all
    slices of a slanted line are equally high. A text that rises by more than 45° has the height of its upright box.

    Args:
        quads: (N, 4, 2) pixels, corners in any order; they may reach out of the image.
        columns: Number of columns of the image; slices outside are left out.
        width: Of a column, pixels.

    Returns:
        The slices, text by text, from left to right; those without a height are left out.
    """
    quads = order_quads(np.asarray(quads, np.float32).reshape(-1, 4, 2)).astype(np.float64)
    left, right = quads[:, :, 0].min(axis=1), quads[:, :, 0].max(axis=1)
    first = np.ceil(left / width - 0.5).astype(np.int64)
    last = np.floor(right / width - 0.5).astype(np.int64)
    middle = np.floor((left + right) / 2 / width).astype(np.int64)
    first, last = np.where(first > last, middle, first), np.where(first > last, middle, last)
    first, last = np.maximum(first, 0), np.minimum(last, columns - 1)
    counts = np.maximum(last - first + 1, 0)
    owner = np.repeat(np.arange(len(quads)), counts)
    column = first[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    x = (column + 0.5) * width
    a, b, c, d = quads[owner].transpose(1, 0, 2)
    rows = quads[owner, :, 1]
    ends = _height_at(x, a, b, rows.min(axis=1)), _height_at(x, d, c, rows.max(axis=1))
    top, bottom = np.minimum(*ends).astype(np.float32), np.maximum(*ends).astype(np.float32)
    kept = bottom > top
    return Slices(owner[kept], column[kept], top[kept], bottom[kept])


def _height_at(x: NDArray[np.float64], start: Array, end: Array, steep: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return y at *x* of the lines from *start* to *end* (S, 2), or *steep* (S,) for those of more than 45°."""
    run, rise = (end - start).T
    slanted = np.abs(run) >= np.maximum(np.abs(rise), 1e-6)
    slope = np.divide(rise, run, out=np.zeros_like(run), where=slanted)
    return np.where(slanted, start[:, 1] + slope * (x - start[:, 0]), steep)


def anchor_edges(heights: Array, rows: int, width: float = COLUMN) -> tuple[Array, Array]:
    """Return y of the upper and of the lower edge of the anchors of one column, each (A, rows) float32."""
    centre = (np.arange(rows, dtype=np.float32) + np.float32(0.5)) * np.float32(width)
    half = np.asarray(heights, np.float32)[:, None] / 2
    return np.asarray(centre - half, np.float32), np.asarray(centre + half, np.float32)


def match_columns(
    slices: Slices,
    ignored: Slices,
    heights: Array,
    shape: tuple[int, int],
    high: float = 0.7,
    low: float = 0.5,
    width: float = COLUMN,
) -> ColumnMatch:
    """Say which anchors stand for text: as :class:`~ppocr_lite.geometry.Matcher` does, but within each column.

    Anchor and slice have one width and lie in one column, so their overlap is that of two intervals.

    Args:
        slices: The text that is learnt.
        ignored: Text that is not: an anchor with half its height on it is neither text nor background.
        heights: (A,) pixels.
        shape: (rows, columns) of the map.
        high: From this intersection over union on an anchor is text, and so is each that overlaps a slice most.
        low: Below this it is background.
        width: Of a column, pixels.
    """
    rows, columns = shape
    top, bottom = (edge.ravel() for edge in anchor_edges(heights, rows, width))
    best = np.zeros((columns, len(top)), np.float32)
    found = np.full(best.shape, -1, np.int64)
    wanted, unsure = np.zeros(best.shape, np.bool_), np.zeros(best.shape, np.bool_)
    for turn in _one_per_column(slices.column):
        at = slices.column[turn]
        shared = _shared(slices, turn, top, bottom)
        overlap = shared / ((slices.bottom - slices.top)[turn, None] + (bottom - top) - shared)
        better = overlap > best[at]
        best[at] = np.where(better, overlap, best[at])
        found[at] = np.where(better, turn[:, None], found[at])
        most = overlap.max(axis=1, keepdims=True)
        wanted[at] |= (overlap == most) & (most > 0)
    for turn in _one_per_column(ignored.column):
        unsure[ignored.column[turn]] |= _shared(ignored, turn, top, bottom) >= _IGNORED_SHARE * (bottom - top)
    labels = np.where(wanted | (best >= high), 1, np.where((best < low) & ~unsure, 0, -1))
    grid = (columns, len(heights), rows)
    return ColumnMatch(*(array.reshape(grid).transpose(1, 2, 0).astype(np.int64) for array in (labels, found)))


def nms_in_columns(rects: Array, scores: Array, threshold: float) -> NDArray[np.int64]:
    """Return which boxes stay, ascending, as :func:`~ppocr_lite.geometry.nms` does, if each lies in one column.

    Boxes of different columns do not overlap, so that one of each column is dealt with at a time: for thousands of
    boxes that takes a hundredth of the time.

    Args:
        rects: (N, 4) float32, those of a column with the same x.
        scores: (N,) float32; of equal ones the earlier box is the better.
        threshold: Intersection over union.
    """
    left = np.lexsort((-scores, rects[:, 0]))  # by column, the best first
    kept = []
    while len(left):
        column, begin = np.unique(rects[left, 0], return_index=True)
        best = left[begin]
        kept.append(best)
        rival = best[np.searchsorted(column, rects[left, 0])]
        shared = np.minimum(rects[left, 3], rects[rival, 3]) - np.maximum(rects[left, 1], rects[rival, 1])
        shared = np.maximum(shared, np.float32(0))
        height = rects[:, 3] - rects[:, 1]
        union = height[left] + height[rival] - shared
        left = left[(shared <= threshold * np.maximum(union, np.float32(1e-9))) & (left != rival)]
    return np.sort(np.concatenate(kept)) if kept else np.zeros(0, np.int64)


def _one_per_column(column: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return indices of *column* in groups without two of one column: the first of each, the second, and so on."""
    order = np.argsort(column, kind="stable")
    count = np.bincount(column)
    rank = np.arange(len(column)) - np.repeat(np.cumsum(count) - count, count)
    return [order[rank == turn] for turn in range(int(count.max(initial=0)))]


def _shared(slices: Slices, turn: NDArray[np.int64], top: Array, bottom: Array) -> Array:
    """Return how many pixels of height slices share with the anchors of their column, (len(turn), anchors)."""
    upper, lower = np.maximum(slices.top[turn, None], top), np.minimum(slices.bottom[turn, None], bottom)
    return np.maximum(lower - upper, np.float32(0))


def check_anchors(name: str, heights: Sequence[float] | None, stride: int) -> Array:
    """Return the heights of anchors (A,) float32, those of the paper for None.

    Raises:
        ConfigError: If there are none, or a number is not above 0; *name* is the component that has them.
    """
    given = COLUMN_HEIGHTS if heights is None else heights
    if not given or min(*given, stride) <= 0:
        raise ConfigError(f"{name} needs heights and stride above 0. Received: {heights}, {stride}")
    return np.asarray(given, np.float32)
