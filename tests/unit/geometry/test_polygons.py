from __future__ import annotations

import cv2
import numpy as np
import pytest

from ppocr_lite import geometry

SQUARE = np.array([[0, 0], [20, 0], [20, 20], [0, 20]], dtype=np.float32)


@pytest.mark.parametrize("points", [[[0, 0], [1, 1]], [[0, 0, 0]] * 4, [1, 2, 3], "abc", None])
def test_as_polygon_refuses_what_is_not_pairs_of_numbers(points: object) -> None:
    with pytest.raises(ValueError, match="polygon must"):
        geometry.as_polygon(points)


def test_as_polygon_refuses_a_coordinate_that_is_not_finite() -> None:
    with pytest.raises(ValueError, match="finite"):
        geometry.as_polygon([[0, 0], [1, float("nan")], [1, 1], [0, 1]])


def test_area_is_positive_clockwise_on_the_page() -> None:
    assert geometry.signed_area(SQUARE) == 400
    assert geometry.signed_area(SQUARE[::-1]) == -400


def test_area_is_exact_far_from_the_origin() -> None:
    assert geometry.area(SQUARE + np.float32(1e5)) == 400


def test_is_simple_finds_corners_listed_row_by_row() -> None:
    assert geometry.is_simple(SQUARE)
    assert not geometry.is_simple(SQUARE[[0, 1, 3, 2]])


def test_shrink_moves_each_side_by_the_offset_of_the_paper() -> None:
    # D = 400 * (1 - 0.16) / 80 = 4.2
    (core,) = geometry.shrink(SQUARE, 0.4)
    np.testing.assert_allclose(geometry.bounding_rect(core), [4.2, 4.2, 15.8, 15.8], atol=0.03)


def test_shrink_of_a_dumbbell_gives_two_pieces_largest_first() -> None:
    dumbbell = np.array(
        [
            [0, 0],
            [40, 0],
            [40, 18],
            [60, 18],
            [60, 5],
            [90, 5],
            [90, 35],
            [60, 35],
            [60, 22],
            [40, 22],
            [40, 40],
            [0, 40],
        ],
        dtype=np.float32,
    )
    pieces = geometry.shrink(dumbbell, 0.4)
    assert len(pieces) == 2
    assert geometry.area(pieces[0]) > geometry.area(pieces[1])


def test_shrink_leaves_nothing_of_a_line() -> None:
    assert geometry.shrink(np.array([[0, 0], [9, 0], [9, 0], [0, 0]], dtype=np.float32), 0.4) == []


@pytest.mark.parametrize("order", [1, -1])
def test_unclip_is_clockwise_whatever_the_input(order: int) -> None:
    assert geometry.signed_area(geometry.unclip(SQUARE[::order], 1.5)) > 400


def test_unclip_refuses_a_polygon_without_area() -> None:
    with pytest.raises(ValueError, match="area"):
        geometry.unclip(np.zeros((4, 2), dtype=np.float32), 1.5)


def test_scale_takes_height_first_and_points_x_first() -> None:
    assert geometry.scale(SQUARE[2:3], sy=2.0, sx=0.5).tolist() == [[10, 40]]


def test_clip_moves_points_onto_the_image() -> None:
    points = np.array([[-5, 3], [50, 99]], dtype=np.float32)
    assert geometry.clip(points, (20, 40)).tolist() == [[0, 3], [40, 20]]


@pytest.mark.parametrize(
    ("rect", "expected"),
    [
        ((5, -5, 15, 50), [5, 0, 15, 20]),
        ((-9, -9, 99, 99), [0, 0, 20, 20]),
        ((30, 0, 40, 9), None),
        ((5, 5, 5, 9), None),
    ],
)
def test_intersect_rect_cuts_off_what_is_outside(rect: tuple[float, ...], expected: list[float] | None) -> None:
    part = geometry.intersect_rect(SQUARE, rect)
    assert (part if part is None else geometry.bounding_rect(part).tolist()) == expected


def test_fill_paints_the_union_of_overlapping_polygons() -> None:
    canvas = np.zeros((30, 30), dtype=np.float32)
    geometry.fill(canvas, [SQUARE, SQUARE + np.float32(4)], 1.0)
    assert canvas[10, 10] == 1
    assert canvas.sum() == 2 * 21**2 - 17**2


def test_fill_survives_corners_far_outside() -> None:
    canvas = np.zeros((8, 8), dtype=np.uint8)
    geometry.fill(canvas, [np.array([[-1e9, -1e9], [1e9, -1e9], [1e9, 1e9], [-1e9, 1e9]], dtype=np.float32)], 1)
    assert canvas.all()


def test_convex_hull_is_clockwise_and_drops_inner_points() -> None:
    hull = geometry.convex_hull([*SQUARE.tolist(), [10, 10]])
    assert len(hull) == 4
    assert geometry.signed_area(hull) == 400


def test_fill_paints_a_polygon_that_leaves_the_canvas_within_a_pixel_of_its_outline() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        angles = (np.arange(5) + rng.random()) * 2 * np.pi / 5
        centre, radius = rng.uniform(0, 40, 2), rng.uniform(8, 120, 2)
        polygon = (np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + centre).astype(np.float32)
        canvas = np.zeros((36, 40), np.uint8)
        geometry.fill(canvas, [polygon], 1)
        for y, x in np.ndindex(canvas.shape):
            depth = cv2.pointPolygonTest(polygon, (float(x), float(y)), True)  # positive inside
            assert canvas[y, x] == (depth > 0) or abs(depth) < 1.2
