from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.predict.order import reading_order


def boxes(*rects: tuple[float, float, float, float]) -> list[np.ndarray]:
    return [np.float32([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]) for x, y, w, h in rects]


def test_nothing_is_in_order() -> None:
    assert reading_order([]) == []


def test_rows_go_down_and_lines_to_the_right() -> None:
    assert reading_order(boxes((100, 52, 50, 20), (0, 0, 50, 20), (0, 50, 50, 20), (100, 3, 50, 20))) == [1, 3, 2, 0]


@pytest.mark.parametrize("degrees", [-20, -8, 8, 20])
def test_a_page_askew_is_read_as_if_upright(degrees: float) -> None:
    upright = boxes(*((x, y, 60, 20) for y in (0, 30, 60) for x in (0, 70, 140, 400, 800)))
    angle = np.radians(degrees)
    turn = np.float32([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert reading_order([quad @ turn for quad in upright]) == list(range(15))


def test_lines_written_downwards_do_not_turn_the_page() -> None:
    quads = [np.roll(quad, 1, axis=0) for quad in boxes((100, 0, 20, 200), (50, 10, 20, 200))]
    assert reading_order(quads) == [1, 0]


def test_a_small_mark_beside_a_big_line_does_not_join_the_row_below() -> None:
    assert reading_order(boxes((0, 0, 100, 40), (110, 14, 10, 10), (0, 45, 100, 40))) == [0, 1, 2]


def test_lines_one_above_the_other_are_no_row() -> None:
    assert reading_order(boxes((50, 0, 50, 20), (0, 21, 50, 20))) == [0, 1]
