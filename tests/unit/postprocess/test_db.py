from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import pytest

from ppocr_lite.geometry import order_quad
from ppocr_lite.postprocess import DBPostProcess
from ppocr_lite.postprocess.db import grow_rect, mean_inside, means_inside


def map_with(*rects: tuple[int, int, int, int], size: tuple[int, int] = (96, 160), value: float = 0.9) -> np.ndarray:
    """A probability map with filled rectangles (x0, y0, x1, y1), borders included."""
    plane = np.full(size, 0.01, np.float32)
    for x0, y0, x1, y1 in rects:
        plane[y0 : y1 + 1, x0 : x1 + 1] = value
    return plane


def test_a_region_grows_by_area_times_ratio_over_perimeter() -> None:
    found = DBPostProcess(unclip_ratio=1.5)(map_with((40, 40, 100, 50)))
    margin = 60 * 10 * 1.5 / 140
    expected = [
        [40 - margin, 40 - margin],
        [100 + margin, 40 - margin],
        [100 + margin, 50 + margin],
        [40 - margin, 50 + margin],
    ]
    np.testing.assert_allclose(found.polygons[0], expected, atol=1e-3)


def test_the_score_is_the_mean_probability() -> None:
    assert DBPostProcess()(map_with((40, 40, 100, 50), value=0.75)).scores == pytest.approx([0.75], abs=1e-6)


def test_an_unsure_region_is_dropped() -> None:
    assert DBPostProcess(box_thresh=0.6)(map_with((40, 40, 100, 50), value=0.5)).polygons == []


def test_a_region_under_three_pixels_is_dropped() -> None:
    assert DBPostProcess()(map_with((10, 10, 80, 12))).polygons == []
    assert len(DBPostProcess()(map_with((10, 10, 80, 13))).polygons) == 1


def test_an_empty_map_gives_nothing() -> None:
    assert DBPostProcess()(np.zeros((1, 1, 64, 64), np.float32)) == ([], [])


def test_a_map_of_nan_gives_nothing() -> None:
    assert DBPostProcess()(np.full((64, 64), np.nan, np.float32)) == ([], [])


def test_a_nan_inside_a_region_drops_it() -> None:
    plane = map_with((40, 40, 100, 50))
    plane[45, 70:90] = np.nan
    assert DBPostProcess()(plane).polygons == []


def test_text_inside_a_ring_is_found() -> None:
    plane = np.zeros((200, 200), np.float32)
    cv2.circle(plane, (100, 100), 90, 0.9, 8)
    plane[95:106, 70:131] = 0.9
    assert len(DBPostProcess(score_mode="slow", box_thresh=0.1)(plane).polygons) == 2


def test_of_a_map_of_noise_only_outer_regions_are_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    trace = cv2.findContours
    monkeypatch.setattr(cv2, "findContours", lambda mask, mode, *rest: modes.append(mode) or trace(mask, mode, *rest))
    DBPostProcess(thresh=0.5)(np.random.default_rng(0).random((960, 960), dtype=np.float32))
    DBPostProcess()(map_with((40, 40, 100, 50), size=(960, 960)))
    assert modes == [cv2.RETR_EXTERNAL, cv2.RETR_CCOMP]


def test_only_the_largest_candidates_are_looked_at() -> None:
    plane = map_with((5, 5, 20, 15), (40, 5, 90, 25), (100, 5, 120, 15))
    found = DBPostProcess(max_candidates=1)(plane)
    assert len(found.polygons) == 1
    assert 40 < found.polygons[0].mean(axis=0)[0] < 90


def test_dilation_joins_regions_one_pixel_apart() -> None:
    plane = map_with((10, 10, 40, 20), (42, 10, 80, 20))
    assert len(DBPostProcess()(plane).polygons) == 2
    assert len(DBPostProcess(use_dilation=True)(plane).polygons) == 1


def test_slow_scores_the_region_itself() -> None:
    plane = np.zeros((120, 120), np.float32)
    cv2.polylines(plane, [np.array([[20, 20], [20, 90], [90, 90]], np.int32)], False, 0.9, 9)
    fast = DBPostProcess(score_mode="fast", box_thresh=0)(plane).scores[0]
    slow = DBPostProcess(score_mode="slow", box_thresh=0)(plane).scores[0]
    assert slow > 0.85
    assert fast < 0.7


def test_poly_follows_a_bend() -> None:
    plane = np.zeros((120, 120), np.float32)
    cv2.polylines(plane, [np.array([[20, 20], [20, 90], [90, 90]], np.int32)], False, 0.9, 9)
    polygon = DBPostProcess(box_type="poly", score_mode="slow", unclip_ratio=0.5)(plane).polygons[0]
    assert len(polygon) > 4
    assert cv2.pointPolygonTest(polygon, (80, 25), False) < 0


def test_quads_start_at_the_top_left_and_go_clockwise() -> None:
    plane = np.zeros((160, 160), np.float32)
    cv2.fillPoly(plane, [cv2.boxPoints(((80, 80), (100, 16), 20)).astype(np.int32)], 0.9)
    quad = DBPostProcess()(plane).polygons[0]
    assert quad.dtype == np.float32
    np.testing.assert_array_equal(quad, order_quad(quad))


@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (8,), (1, 2, 8, 8)])
def test_several_maps_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Expected one map"):
        DBPostProcess()(np.zeros(shape, np.float32))


def test_mean_inside_looks_only_at_the_polygon() -> None:
    plane = np.zeros((20, 20), np.float32)
    plane[5:11, 5:11] = 1
    assert mean_inside(plane, np.float32([[5, 5], [10, 5], [10, 10], [5, 10]])) == 1.0


def test_mean_inside_takes_a_polygon_past_the_border() -> None:
    assert mean_inside(np.ones((20, 20), np.float32), np.float32([[-5, -5], [30, -5], [30, 30], [-5, 30]])) == 1.0


def test_means_of_several_polygons_are_those_of_each() -> None:
    rng = np.random.default_rng(0)
    plane = rng.random((60, 80), dtype=np.float32)
    polygons = [cv2.boxPoints(((40, 30), (30, 8), angle)) for angle in (0, 20, 75)] + [np.float32([[70, 50]] * 4)]
    expected = []
    for polygon in polygons:
        mask = np.zeros(plane.shape, np.uint8)
        cv2.fillPoly(mask, [polygon.astype(int)], (1,))
        expected.append(plane[mask > 0].mean())
    np.testing.assert_allclose(means_inside(plane, polygons), expected, rtol=1e-5)


def test_a_grown_rectangle_keeps_centre_and_direction() -> None:
    rect = ((50.0, 60.0), (40.0, 10.0), 30.0)
    grown = cv2.minAreaRect(grow_rect(rect, 6))
    assert grown[0] == pytest.approx(rect[0], abs=1e-3)
    assert sorted(grown[1]) == pytest.approx([10 + 2 * 6, 40 + 2 * 6], abs=1e-3)


@pytest.mark.parametrize(("width", "height"), [(30, 30), (200, 40), (600, 40)])
@pytest.mark.parametrize("box_type", ["quad", "poly"])
def test_the_exact_shrink_is_undone_at_any_aspect(width: int, height: int, box_type: Literal["quad", "poly"]) -> None:
    distance = width * height * (1 - 0.4**2) / (2 * (width + height))
    low, high = 20 + round(distance), (20 + width - round(distance), 20 + height - round(distance))
    found = DBPostProcess(shrink_ratio=0.4, box_type=box_type)(map_with((low, low, *high), size=(200, 700)))
    assert found.polygons[0].min(axis=0) == pytest.approx([20, 20], abs=3)
    assert found.polygons[0].max(axis=0) == pytest.approx([20 + width, 20 + height], abs=3)


def test_a_hundred_boxes_are_all_found() -> None:
    boxes = [(i % 5 * 190 + 5, i // 5 * 47 + 5, i % 5 * 190 + 155, i // 5 * 47 + 17) for i in range(100)]
    assert len(DBPostProcess()(map_with(*boxes, size=(960, 960))).polygons) == 100
