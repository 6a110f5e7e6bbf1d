from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.predict.layout.order import reading_blocks, reading_order


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


def prose(left: float, top: float, lines: int, width: float = 300, step: float = 30) -> list[tuple[float, ...]]:
    """Lines of a paragraph, the last one short."""
    return [(left, top + step * i, width - 10 * (i % 3) if i < lines - 1 else width / 3, 20) for i in range(lines)]


def turned(quads: list[np.ndarray], degrees: float) -> list[np.ndarray]:
    angle = np.radians(degrees)
    return [quad @ np.float32([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) for quad in quads]


@pytest.mark.parametrize("offset", [0, 7, 15], ids=["in line", "a little lower", "between"])
@pytest.mark.parametrize("degrees", [0, 4, -4])
@pytest.mark.parametrize("count", [2, 3])
def test_columns_are_read_one_after_the_other(count: int, degrees: float, offset: float) -> None:
    lines = [line for place in range(count) for line in prose(340 * place, offset * place, 8)]
    assert reading_order(turned(boxes(*lines), degrees)) == list(range(8 * count))


def test_what_spans_columns_is_read_where_it_stands() -> None:
    heading, between, foot = (0, 0, 600, 30), (0, 330, 640, 20), (0, 660, 640, 20)
    upper = prose(0, 60, 8) + prose(340, 60, 8)
    lower = prose(0, 380, 8) + prose(340, 380, 8)
    lines = [heading, *upper, between, *lower, foot]
    assert reading_order(boxes(*lines)) == list(range(len(lines)))


def test_a_picture_in_a_column_does_not_end_it() -> None:
    left = prose(0, 0, 3) + prose(0, 300, 6)  # a picture stands between
    lines = left + prose(340, 0, 15)
    assert reading_order(boxes(*lines)) == list(range(len(lines)))


def test_a_table_in_a_column_is_read_row_by_row() -> None:
    cells = [(left, 200.0 + 30 * row, 50, 20) for row in range(4) for left in (0, 110, 220)]
    lines = prose(0, 0, 6) + cells + prose(340, 0, 11)
    assert reading_order(boxes(*lines)) == list(range(len(lines)))


@pytest.mark.parametrize("widths", [(120, 60), (120, 300), (300, 60)], ids=["cells", "labels", "items and prices"])
def test_tables_labels_and_prices_are_read_row_by_row(widths: tuple[float, float]) -> None:
    lines = [(left, 30.0 * row, width, 20) for row in range(8) for left, width in zip((0, 400), widths, strict=True)]
    assert reading_order(boxes(*lines)) == list(range(16))


def test_a_table_whose_headings_are_long_is_read_row_by_row() -> None:
    headings = [(left + 25 * (row % 2), 30.0 * row, 160, 20) for row in range(4) for left in (0, 200, 400, 600)]
    cells = [(left, 120 + 30.0 * row, 40, 20) for row in range(6) for left in (0, 200, 400, 600)]
    assert reading_order(boxes(*headings, *cells)) == list(range(40))


def test_blocks_are_paragraphs_and_columns() -> None:
    heading = [(0.0, 0.0, 400.0, 30.0)]
    lines = heading + prose(0, 80, 5) + prose(0, 270, 5) + prose(340, 80, 11)
    assert [len(block) for block in reading_blocks(boxes(*lines))] == [1, 5, 5, 11]


def test_a_page_askew_finds_its_rows_though_its_boxes_lean_otherwise() -> None:
    quads = turned(boxes(*((left, 40.0 * row, 100, 20) for row in range(6) for left in (0, 800))), 8)
    leaning = [
        (quad - quad.mean(axis=0)) @ turned([np.eye(2, dtype=np.float32)], -1.4)[0] + quad.mean(axis=0)
        for quad in quads
    ]
    assert reading_order(leaning) == list(range(12))
