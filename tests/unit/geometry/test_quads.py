from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite import geometry

SQUARE = np.array([[0, 0], [20, 0], [20, 20], [0, 20]], dtype=np.float32)


def test_order_quad_starts_a_tall_box_at_its_top_left() -> None:
    tall = [[10, 80], [0, 80], [0, 0], [10, 0]]
    assert geometry.order_quad(tall).tolist() == [[0, 0], [10, 0], [10, 80], [0, 80]]


def test_order_quad_reads_a_line_turned_by_45_degrees_along_its_length() -> None:
    climbing = np.array([[0, 50], [50, 0], [60, 10], [10, 60]], dtype=np.float32)
    assert geometry.order_quad(climbing)[:2].tolist() == [[0, 50], [50, 0]]


def test_order_quad_refuses_five_points() -> None:
    with pytest.raises(ValueError, match="4 points"):
        geometry.order_quad([[0, 0], [1, 0], [2, 1], [1, 2], [0, 1]])


def test_side_lengths_are_width_and_height() -> None:
    assert geometry.side_lengths(geometry.order_quad([[0, 0], [30, 0], [30, 5], [0, 5]])) == (30.0, 5.0)


def test_min_area_quad_of_points_on_a_line_has_no_height() -> None:
    width, height = geometry.side_lengths(geometry.min_area_quad([[0, 0], [5, 5], [9, 9]]))
    assert min(width, height) == pytest.approx(0, abs=1e-4)


def test_sides_move_by_what_is_asked_of_each() -> None:
    level = np.float32([[10, 10], [50, 10], [50, 20], [10, 20]])
    upright = np.float32([[10, 10], [10, -30], [20, -30], [20, 10]])  # the same, read upwards
    moved = geometry.move_sides(np.stack([level, upright]), [[1, 2, 3, 4], [1, 2, 3, 4]])
    np.testing.assert_allclose(moved[0], [[6, 9], [52, 9], [52, 23], [6, 23]], atol=1e-5)
    np.testing.assert_allclose(moved[1], [[9, 14], [9, -32], [23, -32], [23, 14]], atol=1e-5)
    np.testing.assert_allclose(geometry.move_sides(moved, -np.float32([[1, 2, 3, 4]] * 2)), [level, upright], atol=1e-4)
