"""Properties of polygons, against shapely where it has an answer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from ppocr_lite import geometry

coordinates = st.integers(-2000, 2000).map(lambda v: v / 4)
point_lists = st.lists(st.tuples(coordinates, coordinates), min_size=4, max_size=4, unique=True)


@st.composite
def rectangles(draw: st.DrawFn, smallest: float = 8.0) -> geometry.Array:
    """A rectangle of any position, size and angle, clockwise."""
    width, height = draw(st.floats(smallest, 300)), draw(st.floats(smallest, 80))
    angle = draw(st.floats(0, 2 * np.pi))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2]
    centre = [draw(st.floats(-50, 700)), draw(st.floats(-50, 700))]
    return (corners @ turn + centre).astype(np.float32)


@given(point_lists)
def test_order_quad_does_not_depend_on_the_input_order(points: list[tuple[float, float]]) -> None:
    results = {geometry.order_quad(order).tobytes() for order in itertools.permutations(points)}
    assert len(results) == 1


@given(rectangles())
def test_order_quad_is_clockwise_and_starts_at_the_left(rectangle: geometry.Array) -> None:
    ordered = geometry.order_quad(rectangle)
    assert geometry.signed_area(ordered) > 0
    assert ordered[:, 0].argmax() in (1, 2)


@given(rectangles(), st.floats(0.2, 0.9))
def test_shrink_agrees_with_an_exact_buffer(rectangle: geometry.Array, ratio: float) -> None:
    distance = geometry.offset_distance(rectangle, ratio)
    exact = Polygon(rectangle).buffer(-distance)
    pieces = geometry.shrink(rectangle, ratio)
    mine = Polygon(pieces[0]) if pieces else Polygon()
    assert exact.symmetric_difference(mine).area <= 0.1 * Polygon(rectangle).length


@given(rectangles(), st.floats(0.5, 3.0))
def test_unclip_agrees_with_an_exact_buffer(rectangle: geometry.Array, ratio: float) -> None:
    polygon = Polygon(rectangle)
    exact = polygon.buffer(polygon.area * ratio / polygon.length, quad_segs=64)
    mine = Polygon(geometry.unclip(rectangle, ratio))
    assert exact.symmetric_difference(mine).area <= 0.3 * exact.length


@given(rectangles(smallest=12))
def test_unclip_of_shrink_contains_the_core(rectangle: geometry.Array) -> None:
    (core, *_) = geometry.shrink(rectangle, 0.4)
    grown = Polygon(geometry.unclip(core, 1.5))
    assert grown.buffer(0.1).contains(Polygon(core))


@given(rectangles())
def test_area_and_perimeter_agree_with_shapely(rectangle: geometry.Array) -> None:
    polygon = Polygon(rectangle)
    assert geometry.area(rectangle) == pytest.approx(polygon.area, rel=1e-3, abs=0.05)
    assert geometry.perimeter(rectangle) == pytest.approx(polygon.length, rel=1e-4)


@given(point_lists)
def test_is_simple_agrees_with_shapely_on_proper_crossings(points: list[tuple[float, float]]) -> None:
    outline = np.array(points, dtype=np.float32)
    if not geometry.is_simple(outline):
        assert not Polygon(points).is_valid


@given(rectangles())
def test_min_area_quad_finds_the_rectangle_again(rectangle: geometry.Array) -> None:
    across, down = np.abs(rectangle[1] - rectangle[0])
    assume(abs(across - down) > 0.01 * np.hypot(across, down))  # at 45° rounding decides which corner is the first
    middles = (rectangle + geometry.following(rectangle)) / 2
    found = geometry.min_area_quad(np.concatenate([rectangle, middles]))
    np.testing.assert_allclose(found, geometry.order_quad(rectangle), atol=0.5)
