"""Four corners: their order, the lengths of their sides, and the smallest quad around points."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ppocr_lite.geometry.polygons import Array, as_polygon

TALL = 1.5  # a line this many times taller than wide is written downwards (PP-OCR 2.x)


def order_quad(quad: ArrayLike) -> Array:
    """Put four corners in clockwise order from the top left, as a reader sees them.

    The corners are sorted by angle around their centre; the first is the one whose edge to its successor (averaged
    with the opposite edge) points most to the right. Where two edges point equally, as in a square turned by 45°,
    the longer one is taken for the direction of reading. The result does not depend on the order of the input.

    Args:
        quad: (4, 2), any order.

    Returns:
        (4, 2) float32: top left, top right, bottom right, bottom left.

    Raises:
        ValueError: If *quad* is not four finite points.

    Example:
        >>> order_quad([[9, 5], [0, 0], [9, 0], [0, 5]]).astype(int).tolist()
        [[0, 0], [9, 0], [9, 5], [0, 5]]
    """
    points = as_polygon(quad)
    if len(points) != 4:
        raise ValueError(f"A quad has 4 points. Received: {len(points)}")
    return np.asarray(order_quads(points[None])[0])


def order_quads(quads: Array) -> Array:
    """Put the corners of each of *quads* (N, 4, 2), finite, in the order of :func:`order_quad`; (N, 4, 2) float32."""
    points = _take(quads, np.lexsort((quads[:, :, 1], quads[:, :, 0])))  # equal sets of points give equal arithmetic
    offset = points.astype(np.float64) - points.mean(axis=1, keepdims=True, dtype=np.float64)
    points = _take(points, np.argsort(np.arctan2(offset[:, :, 1], offset[:, :, 0]), axis=1, kind="stable"))
    edge = points[:, [1, 2, 3, 0]].astype(np.float64) - points
    reading = edge - edge[:, [2, 3, 0, 1]]
    length = np.hypot(reading[:, :, 0], reading[:, :, 1])
    rightness = np.round(reading[:, :, 0] / np.maximum(length, 1e-9), 3)
    first = np.lexsort((-reading[:, :, 1], length, rightness))[:, -1:]
    return np.ascontiguousarray(_take(points, (first + np.arange(4)) % 4))


def side_lengths(quad: Array) -> tuple[float, float]:
    """Return (width, height) of an ordered *quad* (4, 2): the longer of each pair of opposite sides, pixels."""
    a, b, c, d = quad.tolist()
    return max(math.dist(a, b), math.dist(c, d)), max(math.dist(b, c), math.dist(d, a))


def move_sides(quads: Array, outwards: ArrayLike) -> Array:
    """Move the sides of quads outwards, those of a rectangle in parallel.

    Args:
        quads: (N, 4, 2), ordered.
        outwards: (N, 4) pixels: the top, right, bottom and left side; inwards where negative.

    Returns:
        (N, 4, 2) float32.
    """
    a, b, c, d = quads.astype(np.float64).transpose(1, 0, 2)
    top, right, bottom, left = np.asarray(outwards, np.float64).T[:, :, None]
    across, down = (
        side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9) for side in (b + c - a - d, c + d - a - b)
    )
    a, b = a - left * across - top * down, b + right * across - top * down
    c, d = c + right * across + bottom * down, d - left * across + bottom * down
    return np.asarray(np.stack([a, b, c, d], axis=1), np.float32)


def runs_downwards(quad: Array) -> bool:
    """Say whether an ordered *quad* (4, 2) is so tall that its line is written downwards, as PP-OCR 2.x decides."""
    width, height = (max(round(side), 1) for side in side_lengths(quad))
    return height >= TALL * width


def min_area_quad(points: ArrayLike) -> Array:
    """Return the corners of the smallest rotated rectangle around *points* (P, 2), ordered; (4, 2) float32."""
    rectangle = cv2.minAreaRect(as_polygon(points))
    return order_quad(cv2.boxPoints(rectangle))


def _take(points: Array, order: NDArray[np.intp]) -> Array:
    """Return the points of each row of *points* (N, P, 2) in the row's own *order* (N, P)."""
    return np.take_along_axis(points, order[:, :, None], axis=1)
