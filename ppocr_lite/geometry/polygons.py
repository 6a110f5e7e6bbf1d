"""Points and polygons: area, shrink, unclip, scale, clip, fill.

Points are (x, y) pixels, x to the right and y downwards, so "clockwise" is what a reader sees on the page.
Polygons are float32 (P, 2), closed implicitly; ``size`` is (height, width).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import cv2
import numpy as np
import pyclipper
from numpy.typing import ArrayLike, NDArray

from ppocr_lite.errors import shown

Array = NDArray[np.float32]
_Float = TypeVar("_Float", np.float32, np.float64)

# Clipper works on integers: 1/64 pixel keeps sub-pixel offsets exact enough, and 2^15 px images far from overflow.
_CLIPPER_UNIT = 64.0
# Deviation of a rounded corner from a true arc, pixels; Clipper's own default for integer input.
_ARC_TOLERANCE_PX = 0.25
# cv2.fillPoly takes fixed-point coordinates with this many fractional bits.
_FILL_BITS = 4
# How far beyond the canvas the outline of a polygon is kept: its line is one pixel wide.
_FILL_REACH_PX = 2


def as_polygon(points: ArrayLike) -> Array:
    """Return *points* as a float32 (P, 2) array.

    Args:
        points: Anything numpy reads as P pairs of numbers, P ≥ 3.

    Raises:
        ValueError: If the shape is wrong or a coordinate is not finite.
    """
    try:
        polygon = np.asarray(points, dtype=np.float32)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"A polygon must be P pairs of numbers. Received: {shown(points)}") from error
    if polygon.ndim != 2 or polygon.shape[1] != 2 or len(polygon) < 3:
        raise ValueError(f"A polygon must have shape (P, 2) with P >= 3. Received: {polygon.shape}")
    if not np.isfinite(polygon).all():
        raise ValueError(f"A polygon must have finite coordinates. Received: {shown(points)}")
    return polygon


def following(polygon: NDArray[_Float]) -> NDArray[_Float]:
    """Return, for each point of *polygon* (P, 2), the next one along the outline; the last is followed by the first."""
    return np.concatenate([polygon[1:], polygon[:1]])  # np.roll takes ten times as long for so few points


def signed_area(polygon: Array) -> float:
    """Return the area of *polygon* (P, 2) in square pixels, positive if clockwise (shoelace formula)."""
    start = (polygon - polygon[0]).astype(np.float64)
    end = following(start)
    return float(np.vdot(start[:, 0], end[:, 1]) - np.vdot(start[:, 1], end[:, 0])) / 2.0


def area(polygon: Array) -> float:
    """Return the area of *polygon* (P, 2) in square pixels, never negative."""
    return abs(signed_area(polygon))


def perimeter(polygon: Array) -> float:
    """Return the length of the closed outline of *polygon* (P, 2), in pixels."""
    step = following(polygon).astype(np.float64) - polygon
    return float(np.hypot(step[:, 0], step[:, 1]).sum())


def is_simple(polygon: Array) -> bool:
    """Say whether no two non-adjacent edges of *polygon* (P, 2) properly cross."""
    count = len(polygon)
    start = polygon.astype(np.float64)
    step = following(start) - start
    after = following(step)
    turns = step[:, 0] * after[:, 1] - step[:, 1] * after[:, 0]
    if count <= 4 and (turns.min() >= 0 or turns.max() <= 0):  # convex; a longer outline might go round twice
        return True
    for i in range(count - 2):
        j = np.arange(i + 2, count - (i == 0))
        between = start[j] - start[i]
        cross = step[i, 0] * step[j, 1] - step[i, 1] * step[j, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (between[:, 0] * step[j, 1] - between[:, 1] * step[j, 0]) / cross
            u = (between[:, 0] * step[i, 1] - between[:, 1] * step[i, 0]) / cross
        if np.any((cross != 0) & (t > 0) & (t < 1) & (u > 0) & (u < 1)):
            return False
    return True


def convex_hull(points: ArrayLike) -> Array:
    """Return the convex hull of *points* (P, 2), clockwise; (Q, 2) float32, or *points* if they lie on one line."""
    polygon = as_polygon(points)
    hull = cv2.convexHull(polygon).reshape(-1, 2).astype(np.float32)
    return _clockwise(hull) if len(hull) >= 3 else polygon


def bounding_rect(points: Array) -> Array:
    """Return (x0, y0, x1, y1) float32 of *points* (P, 2)."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def offset_distance(polygon: Array, ratio: float) -> float:
    """Return by how many pixels the training targets shrink *polygon* (P, 2): ``area * (1 - ratio²) / perimeter``.

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, §3.4, eq. 6.
    """
    length = perimeter(polygon)
    return area(polygon) * (1.0 - ratio**2) / length if length > 0 else 0.0


def undo_distance(size: float, length: float, ratio: float) -> float:
    """Return by how many pixels a shrunk rectangle must grow to be what the training targets shrank.

    With the offset D sought, the rectangle was ``size + length D + 4 D²`` in area and ``length + 8 D`` in perimeter,
    and D is ``area (1 - ratio²) / perimeter`` of that: a quadratic equation with one positive root.

    Args:
        size: Area of the shrunk rectangle, pixels².
        length: Its perimeter, pixels.
        ratio: Shrink ratio of the targets, in (0, 1).

    Example:
        >>> line = np.float32([[0, 0], [100, 0], [100, 10], [0, 10]])
        >>> core = shrink(line, 0.4)[0]
        >>> round(undo_distance(area(core), perimeter(core), 0.4), 1), round(offset_distance(line, 0.4), 1)
        (3.8, 3.8)
    """
    share = 1.0 - ratio**2
    square, linear = 4.0 * (2.0 - share), length * (1.0 - share)
    return (math.sqrt(linear**2 + 4.0 * square * share * size) - linear) / (2.0 * square)


def offset(polygon: Array, distance: float) -> list[Array]:
    """Move the outline of *polygon* outwards by *distance* pixels (inwards if negative), rounding outer corners.

    Args:
        polygon: (P, 2) float32.
        distance: Pixels.

    Returns:
        Polygons (Q, 2) float32, clockwise, largest first; several if a narrow place closed, none if all vanished.

    Source:
        Vatti, A generic solution to polygon clipping, CACM 1992, as implemented by the Clipper library.
    """
    engine = pyclipper.PyclipperOffset(2.0, _ARC_TOLERANCE_PX * _CLIPPER_UNIT)
    path = np.round(polygon.astype(np.float64) * _CLIPPER_UNIT).astype(np.int64)
    try:
        engine.AddPath(path.tolist(), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    except pyclipper.ClipperException:  # a path without any extent
        return []
    paths = engine.Execute(distance * _CLIPPER_UNIT)
    pieces = [np.asarray(p, dtype=np.float64) / _CLIPPER_UNIT for p in paths if len(p) >= 3]
    clockwise = [_clockwise(p.astype(np.float32)) for p in pieces]
    return clockwise if len(clockwise) < 2 else sorted(clockwise, key=area, reverse=True)


def shrink(polygon: Array, ratio: float) -> list[Array]:
    """Shrink a text polygon to its core, the way detection targets are drawn.

    Args:
        polygon: (P, 2) float32.
        ratio: In (0, 1]; 0.4 in the paper. 1 leaves the polygon as it is.

    Returns:
        Zero or more (Q, 2) float32, clockwise, largest first.

    Source:
        Liao et al., AAAI 2020, §3.4: offset ``D = A (1 - r²) / L``.
    """
    return offset(polygon, -offset_distance(polygon, ratio))


def unclip(polygon: Array, ratio: float) -> Array:
    """Grow a polygon outwards, undoing the shrink of training targets as DBNet's authors do.

    The offset is ``area * ratio / perimeter``, so a longer line grows by the same margin as a short one.

    Args:
        polygon: (P, 2) float32, (x, y) pixels, P ≥ 3, simple.
        ratio: Growth factor, > 0; 1.5 for quads, 2.0 for curved text.

    Returns:
        (Q, 2) float32, same frame, clockwise. Q may differ from P: corners are rounded.

    Raises:
        ValueError: If the polygon has no area.

    Example:
        >>> square = np.float32([[0, 0], [20, 0], [20, 20], [0, 20]])
        >>> float(unclip(square, ratio=1.0).min())  # 400 * 1 / 80 = 5 pixels
        -5.0

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, §3.5.
    """
    size = area(polygon)
    grown = offset(polygon, size * ratio / perimeter(polygon)) if size > 0 else []
    if not grown:
        raise ValueError(f"Only a polygon with an area can grow. Received: {polygon.tolist()}")
    return grown[0]


def scale(points: Array, sy: float, sx: float) -> Array:
    """Return *points* (…, 2) with x multiplied by *sx* and y by *sy* (new size ÷ old size)."""
    return points * np.array([sx, sy], dtype=np.float32)


def clip(points: Array, size: tuple[int, int]) -> Array:
    """Return *points* (…, 2) moved onto an image of *size* (height, width): x in [0, width], y in [0, height]."""
    height, width = size
    return np.clip(points, np.float32(0), np.array([width, height], dtype=np.float32))


def intersect_rect(polygon: Array, rect: Sequence[float]) -> Array | None:
    """Return the part of *polygon* (P, 2) inside *rect* (x0, y0, x1, y1), clockwise; None if there is none.

    Of several parts the largest is returned.
    """
    return max(_parts_in(rect, polygon, pyclipper.PFT_NONZERO), key=area, default=None)


def fill(canvas: NDArray[np.float32] | NDArray[np.uint8], polygons: Iterable[Array], value: float) -> None:
    """Paint *polygons* with *value* on *canvas* (H, W), in place, with sub-pixel corners; parts outside are cut off.

    A pixel belongs to a polygon if its centre, at integer coordinates, lies inside, or the outline passes over it.
    OpenCV moves an outline that leaves the canvas by up to two pixels, so of such a polygon the part near the canvas is
    painted on a larger one.
    """
    height, width = canvas.shape
    for polygon in polygons:  # one by one: fillPoly XORs overlapping contours of one call
        (x0, y0), (x1, y1) = polygon.min(axis=0), polygon.max(axis=0)
        if x0 >= 0 and y0 >= 0 and x1 <= width - 1 and y1 <= height - 1:
            _paint(canvas, polygon, value)
            continue
        near = (-_FILL_REACH_PX, -_FILL_REACH_PX, width + _FILL_REACH_PX, height + _FILL_REACH_PX)
        margin = _FILL_REACH_PX + 2
        larger: NDArray[Any] = np.pad(canvas, margin)
        for part in _parts_in(near, polygon, pyclipper.PFT_EVENODD):
            _paint(larger, part + np.float32(margin), value)
        canvas[:] = larger[margin : margin + height, margin : margin + width]


def _paint(canvas: NDArray[np.float32] | NDArray[np.uint8], polygon: Array, value: float) -> None:
    """Paint one polygon that lies on the canvas."""
    corners = np.round(polygon * (1 << _FILL_BITS)).astype(np.int32)
    cv2.fillPoly(canvas, [corners], value, lineType=cv2.LINE_8, shift=_FILL_BITS)


def _parts_in(rect: Sequence[float], polygon: Array, rule: int) -> list[Array]:
    """Return the parts of *polygon* in *rect*, clockwise; *rule* of Clipper says what crossing outlines enclose."""
    x0, y0, x1, y1 = (round(side * _CLIPPER_UNIT) for side in rect)
    path = np.round(polygon.astype(np.float64) * _CLIPPER_UNIT).astype(np.int64)
    engine = pyclipper.Pyclipper()
    try:
        engine.AddPath(path.tolist(), pyclipper.PT_SUBJECT, True)
        engine.AddPath([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], pyclipper.PT_CLIP, True)
    except pyclipper.ClipperException:  # one of the two has no area
        return []
    paths = engine.Execute(pyclipper.CT_INTERSECTION, rule, rule)
    return [_clockwise((np.asarray(p) / _CLIPPER_UNIT).astype(np.float32)) for p in paths if len(p) >= 3]


def _clockwise(polygon: Array) -> Array:
    return polygon if signed_area(polygon) >= 0 else np.ascontiguousarray(polygon[::-1])
