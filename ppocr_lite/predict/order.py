"""The order in which a person reads the lines of a page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ppocr_lite.textline import Points

SAME_ROW = 0.5  # centres closer than this share of the lower line's height stand in one row
MOST_SKEW_DEGREES = 30.0  # a page turned further than this is not a page photographed askew


def reading_order(polygons: Sequence[Points]) -> list[int]:
    """Return indices of *polygons* from top to bottom, within a row from left to right.

    The page is first turned upright by the median direction of its lines. Then, from the top, a line joins the row
    above it if their centres, at the nearest member of that row, are closer than half the smaller height.

    Args:
        polygons: Each (P, 2), (x, y) pixels; quads clockwise from the top left.
    """
    if not polygons:
        return []
    angle = skew(polygons)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    upright = [polygon @ turn for polygon in polygons]
    low = np.array([polygon.min(axis=0) for polygon in upright])
    high = np.array([polygon.max(axis=0) for polygon in upright])
    centre, height = (low + high) / 2, np.maximum(high[:, 1] - low[:, 1], 1.0)
    rows: list[list[int]] = []
    for index in np.lexsort((centre[:, 0], centre[:, 1])).tolist():
        if rows:
            near = min(rows[-1], key=lambda other: abs(float(centre[other, 0] - centre[index, 0])))
            if abs(centre[index, 1] - centre[near, 1]) < SAME_ROW * min(height[index], height[near]):
                rows[-1].append(index)
                continue
        rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda i: (float(centre[i, 0]), float(centre[i, 1])))]


def skew(polygons: Sequence[Points]) -> float:
    """Return how far the page is turned clockwise, radians: the median direction of its quads, weighted by length.

    Zero where there are no quads, or they are turned by more than 30 degrees.
    """
    tops = np.array([polygon[1] - polygon[0] for polygon in polygons if len(polygon) == 4], np.float64).reshape(-1, 2)
    angles, lengths = np.arctan2(tops[:, 1], tops[:, 0]), np.hypot(tops[:, 0], tops[:, 1])
    order = np.argsort(angles)
    if not lengths.sum() > 0:
        return 0.0
    middle = order[np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)]
    angle = float(angles[middle])
    return angle if abs(angle) <= np.radians(MOST_SKEW_DEGREES) else 0.0
