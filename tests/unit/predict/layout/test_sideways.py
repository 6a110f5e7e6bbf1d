"""A line on the margin that runs downwards is looked at lying, and replaces its pieces."""

from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.io.images import Image
from ppocr_lite.predict.layout.sideways import with_sideways
from ppocr_lite.results import Detections

PAGE = np.full((400, 600, 3), 255, np.uint8)
PAGE[80:340, 20:40] = 0  # the line, ink from top to bottom


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.float32([[left, top], [right, top], [right, bottom], [left, bottom]])


LINES = [box(100, y, 500, y + 20) for y in range(20, 380, 40)]
PIECES = [box(18, 78, 44, 250), box(18, 290, 42, 320)]


def ink(strip: Image) -> Detections:
    """Find the one black region of a strip."""
    rows, columns = np.nonzero(strip[:, :, 0] == 0)
    return Detections([box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)], [0.8])


def test_the_whole_line_stands_in_place_of_its_pieces() -> None:
    found = with_sideways(PAGE, Detections([*LINES, *PIECES], [0.9] * 9 + [0.6, 0.5]), ink)
    assert all(one is other for one, other in zip(found.polygons, LINES, strict=False))
    np.testing.assert_allclose(found.polygons[9:], [box(20, 80, 40, 340)])
    assert found.scores == [0.9] * 9 + [0.8]


def test_what_is_no_longer_changes_nothing() -> None:
    whole = Detections([*LINES, box(18, 78, 42, 342)], [0.9] * 10)
    assert with_sideways(PAGE, whole, ink) is whole


@pytest.mark.parametrize(
    "polygons",
    [LINES, [], [*LINES, PIECES[1]], PIECES[:1], [*LINES[:1], PIECES[0], box(60, 78, 84, 250)]],
    ids=["none stands", "empty", "a lone character", "all stand", "most stand"],
)
def test_elsewhere_nothing_is_looked_at_again(polygons: list[np.ndarray]) -> None:
    def never(strip: Image) -> Detections:
        raise AssertionError(strip.shape)

    given = Detections(polygons, [0.9] * len(polygons))
    assert with_sideways(PAGE, given, never) is given


def test_a_strip_is_a_part_of_the_page_and_few_are_looked_at() -> None:
    seen: list[tuple[int, ...]] = []

    def nothing(strip: Image) -> Detections:
        seen.append(strip.shape)
        return Detections([], [])

    many = [box(20 + 60 * index, 100, 40 + 60 * index, 200 + index) for index in range(8)]
    lines = [box(0, y, 600, y + 9) for y in range(0, 400, 40)]
    with_sideways(PAGE, Detections([*lines, *many], [0.9] * 18), nothing)
    assert len(seen) == 4
    assert all(height == 32 and width <= 320 for height, width, _ in seen)
