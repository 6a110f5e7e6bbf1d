"""Narrow boxes → lines of text: which box follows which, and the quad around those that belong together.

Source:
    Tian et al., Detecting Text in Natural Image with Connectionist Text Proposal Network, ECCV 2016, §3.2 and §3.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry.polygons import Array
from ppocr_lite.geometry.quads import order_quads

Indices = NDArray[np.int64]


def follow(
    rects: Array, scores: Array, max_distance: float = 50.0, min_overlap: float = 0.7, min_similarity: float = 0.7
) -> Indices:
    """Return which box comes after each box in its line, (N,) int64; -1 after the last of a line.

    A box may follow another if it begins to its right, at most *max_distance* away, and the two are about equally high
    and at the same height. Of those that may follow it a box chooses the nearest, of equally near ones the best, and so
    on the other side; one follows the other where both have chosen each other.

    Args:
        rects: (N, 4) float32, x0, y0, x1, y1.
        scores: (N,) float32; of equal ones the earlier box is the better.
        max_distance: Between the left sides of two neighbours, pixels.
        min_overlap: Least height that two share, as a share of the lower one's.
        min_similarity: Least height of the lower one, as a share of the higher one's.
    """
    order = np.argsort(rects[:, 0], kind="stable")
    x = rects[order, 0]
    begin, end = np.searchsorted(x, x, "right"), np.searchsorted(x, x + np.float32(max_distance), "right")
    count = end - begin
    first = np.repeat(np.arange(len(rects)), count)
    second = begin[first] + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    one, other = order[first], order[second]
    height = rects[:, 3] - rects[:, 1]
    shared = np.minimum(rects[one, 3], rects[other, 3]) - np.maximum(rects[one, 1], rects[other, 1])
    lower, higher = np.minimum(height[one], height[other]), np.maximum(height[one], height[other])
    fit = (shared >= min_overlap * lower) & (lower >= min_similarity * higher) & (lower > 0)
    one, other = one[fit], other[fit]
    distance = rects[other, 0] - rects[one, 0]
    after = _choose(one, other, distance, scores)
    before = _choose(other, one, distance, scores)
    mutual = (after >= 0) & (before[after] == np.arange(len(rects)))
    return np.where(mutual, after, -1)


def _choose(who: Indices, whom: Indices, distance: Array, scores: Array) -> Indices:
    """Return which of *whom* each box chooses that is among *who*, the nearest and then the best; -1 for none."""
    chosen = np.full(len(scores), -1, np.int64)
    order = np.lexsort((whom, -scores[whom], distance, who))[::-1]  # of several values for a place the last stays
    chosen[who[order]] = whom[order]
    return chosen


def number_lines(after: Indices) -> Indices:
    """Return the number of the line that each box belongs to, from 0, (N,) int64; *after* as of :func:`follow`."""
    first = np.arange(len(after))
    has_next = after >= 0
    first[after[has_next]] = np.flatnonzero(has_next)  # the box before, or itself
    while not np.array_equal(further := first[first], first):
        first = further
    return np.unique(first, return_inverse=True)[1].astype(np.int64)


def line_quads(rects: Array, lines: Indices, ends: Array | None = None) -> Array:
    """Return the quad around each line.

    A straight line is fitted to the centres of its boxes; upper and lower side of the quad are parallel to it, at the
    median of the boxes' edges, and left and right side are where the line ends. A line that is higher than wide is
    taken to be level.

    Args:
        rects: (N, 4) float32.
        lines: (N,) int64, the line of each box: every number from 0 to L - 1.
        ends: (N,) float32, x where the text of a box's line ends on the side nearer to it; moves the ends of the quads,
            by at most the width of a box. None to end them with their boxes.

    Returns:
        (L, 4, 2) float32, ordered.
    """
    if len(rects) == 0:
        return np.zeros((0, 4, 2), np.float32)
    boxes = rects.astype(np.float64)
    order = np.lexsort((boxes[:, 0], lines))
    count = np.bincount(lines)
    start = np.cumsum(count) - count
    leftmost, rightmost = order[start], order[start + count - 1]
    left, right = boxes[leftmost, 0], boxes[rightmost, 2]
    if ends is not None:
        left, right = _refine(boxes, ends.astype(np.float64), leftmost, rightmost)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    middle = _mean(x, lines, count)
    away = x - middle[lines]
    spread = np.bincount(lines, away**2)
    slope = np.divide(np.bincount(lines, away * y), spread, out=np.zeros_like(spread), where=spread > 0)
    slope[right - left <= _median(boxes[:, 3] - boxes[:, 1], lines, start, count)] = 0
    level = slope[lines] * away
    top, bottom = _median(boxes[:, 1] - level, lines, start, count), _median(boxes[:, 3] - level, lines, start, count)
    centre = np.stack([(left + right) / 2, (top + bottom) / 2 + slope * ((left + right) / 2 - middle)], axis=1)
    cosine = 1 / np.hypot(1, slope)
    along, across = np.stack([cosine, slope * cosine], axis=1), np.stack([-slope * cosine, cosine], axis=1)
    height = (bottom - top) * cosine
    length = np.maximum((right - left - height * np.abs(slope) * cosine) / cosine, 1)
    along, across = along * length[:, None] / 2, across * height[:, None] / 2
    corners = [centre - along - across, centre + along - across, centre + along + across, centre - along + across]
    return order_quads(np.stack(corners, axis=1).astype(np.float32))


def _refine(
    boxes: NDArray[np.float64], ends: NDArray[np.float64], leftmost: Indices, rightmost: Indices
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where each line begins and ends by what its outermost boxes say; of one box alone only the nearer side."""
    left, right = boxes[leftmost, 0], boxes[rightmost, 2]
    width = boxes[leftmost, 2] - left
    alone = leftmost == rightmost
    of_left = ends[leftmost] < left + width / 2
    new_left = np.where(alone & ~of_left, left, np.clip(ends[leftmost], left - width, left + width))
    new_right = np.where(alone & of_left, right, np.clip(ends[rightmost], right - width, right + width))
    sound = new_right - new_left > 1
    return np.where(sound, new_left, left), np.where(sound, new_right, right)


def _mean(values: NDArray[np.float64], lines: Indices, count: Indices) -> NDArray[np.float64]:
    return np.bincount(lines, values) / count


def _median(values: NDArray[np.float64], lines: Indices, start: Indices, count: Indices) -> NDArray[np.float64]:
    """Return the median of the values of each line."""
    ordered = values[np.lexsort((values, lines))]
    return np.asarray((ordered[start + (count - 1) // 2] + ordered[start + count // 2]) / 2)
