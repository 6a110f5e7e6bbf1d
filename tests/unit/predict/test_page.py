"""A page in the making: which lines are read both ways up, what is kept, and what becomes its result."""

from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.predict.page import FoundPage
from ppocr_lite.results import Detections, Recognition


@pytest.mark.parametrize(
    ("angles", "unlike"),
    [([0], []), ([0, 0, 180, 0], [2]), ([180, 180, 0], [2]), ([0, 180], [0, 1]), ([180, 180], []), ([], [])],
)
def test_lines_that_stand_unlike_most_of_the_page(angles: list[int], unlike: list[int]) -> None:
    assert FoundPage(None, (32, 32), Detections([], []), angles, []).unlike_most() == unlike


def test_a_line_read_both_ways_takes_angle_and_text_of_the_surer_reading() -> None:
    as_found = [("no", 0.6), ("yes", 0.9), ("up", 0.8), ("an", 0.9)]
    other_way = [("on", 0.9), ("sek", 0.3), ("dn", 0.7), ("ue", 0.2)]
    one = FoundPage(None, (32, 32), Detections([], []), [180, 0, 180, 0], [])  # a tie, so each is read both ways
    one.texts = {index: Recognition(*text) for index, text in enumerate(as_found + other_way)}
    one.other_way = {index: 4 + index for index in range(4)}
    assert one.readings() == [(0, ("on", 0.9)), (0, ("yes", 0.9)), (180, ("up", 0.8)), (0, ("an", 0.9))]


def test_a_line_that_was_not_read_the_other_way_keeps_its_reading() -> None:
    one = FoundPage(None, (32, 32), Detections([], []), [0, 180, 0], [])
    one.texts = {index: Recognition(text, 0.5) for index, text in enumerate("abc")}
    assert one.readings() == [(0, ("a", 0.5)), (180, ("b", 0.5)), (0, ("c", 0.5))]


def test_only_a_page_that_was_to_be_read_loses_lines_by_their_score() -> None:
    quads = [np.float32([[0, y], [9, y], [9, y + 4], [0, y + 4]]) for y in (0, 10)]
    page = FoundPage("a.png", (32, 40), Detections(quads, [0.9, 0.8]), [0, 180], [])
    page.texts = {0: Recognition("sure", 0.9), 1: Recognition("not", 0.2)}
    assert [(line.text, line.det_score) for line in page.result(0.5)] == [("sure", 0.9)]
    page.rec = False
    result = page.result(0.5)
    assert [(line.text, line.angle) for line in result] == [("", 0), ("", 180)]
    assert (result.size, result.source) == ((32, 40), "a.png")
