"""Shrink and border maps against slow, independent computations: shapely's buffer, one pixel and one edge at a time."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from ppocr_lite import geometry
from ppocr_lite.transforms.det_targets import MakeBorderMap, MakeShrinkMap

SIZE = (36, 48)
RATIO = 0.4


@st.composite
def convex_polygons(draw: st.DrawFn) -> geometry.Array:
    """A polygon of 4 to 8 corners on an ellipse, which may lie partly outside the map."""
    count = draw(st.integers(4, 8))
    angles = (np.arange(count) + draw(st.floats(0, 1))) * 2 * np.pi / count
    radius = np.array([draw(st.floats(7, 22)), draw(st.floats(7, 14))])
    centre = np.array([draw(st.floats(0, SIZE[1])), draw(st.floats(0, SIZE[0]))])
    return (np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + centre).astype(np.float32)


def make_sample(polys: list[geometry.Array]) -> dict[str, object]:
    return {"image": np.zeros((*SIZE, 3), np.uint8), "polys": polys, "ignore_tags": np.zeros(len(polys), bool)}


def distance_to_segment(x: float, y: float, start: np.ndarray, end: np.ndarray) -> float:
    """One pixel, one edge, in plain Python."""
    (ax, ay), (bx, by) = map(float, start), map(float, end)
    length = (bx - ax) ** 2 + (by - ay) ** 2
    t = max(0.0, min(1.0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) if length else 0.0
    return math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay))


@settings(max_examples=25, deadline=None)
@given(st.lists(convex_polygons(), min_size=1, max_size=2))
def test_border_map_is_the_distance_to_the_nearest_edge(polys: list[geometry.Array]) -> None:
    expected = np.zeros(SIZE)
    for polygon in polys:
        shape = Polygon(polygon)
        reach = shape.area * (1 - RATIO**2) / shape.length
        for y in range(SIZE[0]):
            for x in range(SIZE[1]):
                near = min(distance_to_segment(x, y, polygon[i - 1], polygon[i]) for i in range(len(polygon)))
                expected[y, x] = max(expected[y, x], 1 - min(near / reach, 1.0))
    result = MakeBorderMap(RATIO, 0.3, 0.7)(make_sample(polys))
    np.testing.assert_allclose(result["threshold_map"], 0.3 + 0.4 * expected, atol=2e-3)


@settings(max_examples=40, deadline=None)
@given(convex_polygons())
def test_border_mask_is_the_polygon_grown_by_the_offset(polygon: geometry.Array) -> None:
    shape = Polygon(polygon)
    reach = shape.area * (1 - RATIO**2) / shape.length
    mask = MakeBorderMap(RATIO)(make_sample([polygon]))["threshold_mask"]
    assert agrees(mask, shape.buffer(reach, quad_segs=64), band=0.2)


@settings(max_examples=40, deadline=None)
@given(convex_polygons())
def test_shrink_map_is_the_polygon_shrunk_by_the_offset(polygon: geometry.Array) -> None:
    shape = Polygon(polygon)
    core = shape.buffer(-shape.area * (1 - RATIO**2) / shape.length, quad_segs=64)
    result = MakeShrinkMap(RATIO, min_text_size=1)(make_sample([polygon]))
    if core.is_empty or core.area < 0.5:  # may vanish on one side only
        return
    assert agrees(result["shrink_map"], core, band=1.2)
    assert result["shrink_mask"].all()


def agrees(painted: np.ndarray, shape: Polygon, band: float) -> bool:
    """Say whether *painted* is 1 inside and 0 outside *shape*, leaving out pixels within *band* of its outline."""
    for y in range(painted.shape[0]):
        for x in range(painted.shape[1]):
            pixel = Point(x, y)
            if shape.exterior.distance(pixel) > band and bool(painted[y, x]) != shape.contains(pixel):
                return False
    return True
