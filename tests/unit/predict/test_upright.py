"""A few lines tell which way up a page stands; others are looked at if they read badly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ppocr_lite.config.reading import ReadingPolicy
from ppocr_lite.predict.classifier import TextClassifier
from ppocr_lite.predict.page import FoundPage, PageReader
from ppocr_lite.predict.upright import FIRST, LineTurner
from ppocr_lite.results import Detections, Orientation, Recognition
from tests.unit.predict.test_stages_with_functions import scripted

HEAD, FOOT = 255, 0  # a line stands on its head if its first pixel is light


class Classifier(TextClassifier):
    """Looks at the first pixel of a line, and counts what it has looked at."""

    def __init__(self) -> None:
        self.policy = ReadingPolicy()
        self.seen = 0

    def classify(self, images: Sequence[np.ndarray], timer: Any = None) -> list[Orientation]:
        self.seen += len(images)
        return [Orientation(180 if image[0, 0, 0] == HEAD else 0, 0.99) for image in images]


def lines(turned: set[int], count: int) -> list[np.ndarray]:
    """Lines that become shorter, some of them on their heads."""
    made = [np.full((20, 300 - 5 * index, 3), 128, np.uint8) for index in range(count)]
    for index, line in enumerate(made):
        line[0, 0], line[-1, -1] = (HEAD, FOOT) if index in turned else (FOOT, HEAD)
    return made


@pytest.mark.parametrize("turned", [set(), {3}, set(range(20)), set(range(20)) - {2}])
def test_where_the_longest_agree_the_rest_is_taken_to_stand_as_they_do(turned: set[int]) -> None:
    crops, classifier = lines(turned, 20), Classifier()
    angles, unseen = LineTurner(classifier, 0.9).turn(crops, only_some=True)
    assert angles == [180 if index in turned else 0 for index in range(20)]
    assert (classifier.seen, unseen) == (FIRST, set(range(FIRST, 20)))
    assert all(crop[0, 0, 0] == FOOT for crop in crops)


@pytest.mark.parametrize(("turned", "only_some"), [({0, 1, 2, 9}, True), ({15}, False), (set(), False)])
def test_where_they_do_not_or_nothing_will_be_read_each_is_looked_at(turned: set[int], only_some: bool) -> None:
    crops, classifier = lines(turned, 20), Classifier()
    angles, unseen = LineTurner(classifier, 0.9).turn(crops, only_some)
    assert angles == [180 if index in turned else 0 for index in range(20)]
    assert (classifier.seen, unseen) == (20, set())


def test_a_page_without_lines_is_fine() -> None:
    assert LineTurner(Classifier(), 0.9).turn([], only_some=True) == ([], set())


def test_only_a_line_that_reads_badly_is_looked_at_after_all() -> None:
    crops, classifier = lines({0, 1, 2}, 3), Classifier()
    reader = PageReader(None, classifier, scripted(("right way up", 0.99)), ReadingPolicy())
    page = FoundPage(None, (99, 320), Detections([], []), [0, 0, 0], reader.recognizer.prepare(crops))
    page.texts = {0: Recognition("well", 0.99), 1: Recognition("badly", 0.8), 2: Recognition("seen", 0.8)}
    page.unseen = {0: crops[0], 1: crops[1]}
    reader.read_doubtful(page)
    assert classifier.seen == 1
    assert [(angle, text.text) for angle, text in page.readings()] == [(0, "well"), (180, "right way up"), (0, "seen")]
    assert page.unseen == {}
