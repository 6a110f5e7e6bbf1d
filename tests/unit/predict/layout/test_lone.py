"""Lone characters that stand in rows and columns with others are found by their ink."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from ppocr_lite.predict.layout.lone import NOT_SEEN, with_lone
from ppocr_lite.predict.layout.short import fit_short
from ppocr_lite.results import Detections
from tests.typeset import typeset


def drawn(*arguments: Any, **options: Any) -> np.ndarray:
    """Return a page of gray levels."""
    return np.ascontiguousarray(typeset(*arguments, **options)[:, :, 0])


CELL, SIDE = 60, 5
DIGITS = {(row, column): "4827693"[(row * 3 + column) % 7] for row in range(SIDE) for column in range(SIDE)}
PLACES = {place: (20 + CELL * place[1], 14 + CELL * place[0]) for place in DIGITS}
GRID = drawn([(PLACES[place], digit) for place, digit in DIGITS.items()], (CELL * SIDE,) * 2, height=30)
for line in range(0, CELL * SIDE, CELL):
    cv2.line(GRID, (line, 0), (line, CELL * SIDE), (0, 0, 0), 1)
    cv2.line(GRID, (0, line), (CELL * SIDE, line), (0, 0, 0), 1)


def found(image: np.ndarray, *places: tuple[int, int]) -> Detections:
    """What a detector finds that sees only the characters in these cells."""
    middles = [(np.array(place[::-1]) + 0.5) * CELL for place in places]
    spots = [np.float32([[-8, -12], [8, -12], [8, 12], [-8, 12]] + middle) for middle in middles]
    return Detections(fit_short(image, spots, 0.0), [0.6] * len(spots))


SEEN = [(0, 0), (0, 2), (2, 0), (2, 2), (4, 2), (1, 4), (3, 4)]


@pytest.mark.parametrize("image", [GRID, 255 - GRID], ids=["dark", "light"])
def test_digits_in_line_with_two_that_were_seen_are_added(image: np.ndarray) -> None:
    first = found(image, *SEEN)
    both = with_lone(image, first)
    assert both.polygons[: len(SEEN)] == first.polygons
    added = {tuple((p.mean(axis=0)[::-1] // CELL).astype(int).tolist()) for p in both.polygons[len(SEEN) :]}
    in_line = {(row, column) for row, column in DIGITS if row in (0, 2) or column in (0, 2, 4)}
    assert added == in_line - set(SEEN)
    assert set(both.scores[len(SEEN) :]) == {NOT_SEEN}
    for polygon in both.polygons[len(SEEN) :]:
        assert 22 < np.ptp(polygon[:, 1]) < 36 and polygon[0, 1] == polygon[1, 1]


def test_words_and_what_is_larger_or_smaller_are_not_added() -> None:
    page = GRID.copy()
    page[62:118, 62:118] = 255  # of the cells (1, 1) to (1, 3)
    page[62:118, 122:178] = 255
    page[62:118, 182:238] = 255
    texts = [((66, 74), "483"), ((130, 66), "48"), ((190, 82), "8")]
    words = drawn(texts[:1], page.shape[:2], height=30)
    words = np.minimum(words, drawn(texts[1:2], page.shape[:2], height=44))
    page = np.minimum(page, np.minimum(words, drawn(texts[2:], page.shape[:2], height=14)))
    added = with_lone(page, found(page, *SEEN)).polygons[len(SEEN) :]
    assert not any(60 < p.mean(axis=0)[1] < 120 and 60 < p.mean(axis=0)[0] < 240 for p in added)


def test_a_page_with_few_lone_characters_or_askew_is_left_alone() -> None:
    few = found(GRID, *SEEN[:3])
    assert with_lone(GRID, few) is few
    lines = [cv2.boxPoints(((150, y), (280, 20), 5))[[1, 2, 3, 0]].astype(np.float32) for y in (40, 150, 260)]
    seen = found(GRID, *SEEN)
    askew = Detections([*seen.polygons, *lines], [0.6] * (len(SEEN) + 3))
    assert with_lone(GRID, askew) is askew
