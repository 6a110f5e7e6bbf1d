from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.metrics import DetMetric


def box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.float32([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def score(found: list[np.ndarray], there: list[np.ndarray], ignore: list[bool] | None = None) -> dict[str, float]:
    metric = DetMetric()
    metric.update({"polygons": found}, {"polys": there, "ignore_tags": ignore or [False] * len(there)})
    return metric.compute()


def test_the_truth_scores_one() -> None:
    boxes = [box(0, 0, 10, 5), box(20, 0, 30, 5)]
    assert score(boxes, boxes) == {"hmean": 1.0, "precision": 1.0, "recall": 1.0, "false_per_image": 0.0}


def test_nothing_found_scores_zero() -> None:
    assert set(score([], [box(0, 0, 10, 5)]).values()) == {0.0}


def test_nothing_at_all_scores_zero() -> None:
    assert set(score([], []).values()) == {0.0}


def test_boxes_on_images_without_text_are_counted_per_image() -> None:
    metric = DetMetric()
    for found in ([box(0, 0, 10, 5), box(20, 0, 30, 5)], [], [], []):
        metric.update({"polygons": found}, {"polys": [], "ignore_tags": []})
    assert metric.compute()["false_per_image"] == 0.5


def test_the_harmonic_mean_of_one_half_and_one() -> None:
    values = score([box(0, 0, 10, 5), box(50, 50, 60, 55)], [box(0, 0, 10, 5)])
    assert values == {"hmean": pytest.approx(2 / 3), "precision": 0.5, "recall": 1.0, "false_per_image": 1.0}


@pytest.mark.parametrize(("shift", "matches"), [(3.0, 1.0), (3.5, 0.0)])
def test_a_match_needs_half_of_the_union(shift: float, matches: float) -> None:
    assert score([box(shift, 0, 10 + shift, 5)], [box(0, 0, 10, 5)])["recall"] == matches


def test_two_boxes_on_one_truth_count_once() -> None:
    assert score([box(0, 0, 10, 5), box(0, 0, 10, 5)], [box(0, 0, 10, 5)])["precision"] == 0.5


def test_one_box_on_two_truths_counts_once() -> None:
    assert score([box(0, 0, 10, 5)], [box(0, 0, 10, 5), box(0, 0, 10, 5)])["recall"] == 0.5


def test_what_lies_in_an_ignored_region_is_left_out() -> None:
    there = [box(0, 0, 10, 5), box(20, 0, 40, 20)]
    assert score([box(0, 0, 10, 5), box(22, 2, 30, 8)], there, [False, True])["precision"] == 1.0


def test_what_only_touches_an_ignored_region_counts() -> None:
    there = [box(0, 0, 10, 5), box(20, 0, 40, 20)]
    assert score([box(0, 0, 10, 5), box(10, 2, 24, 8)], there, [False, True])["precision"] == 0.5


def test_a_missed_ignored_region_costs_nothing() -> None:
    assert score([box(0, 0, 10, 5)], [box(0, 0, 10, 5), box(20, 0, 40, 20)], [False, True])["recall"] == 1.0


def test_a_polygon_that_crosses_itself_is_taken() -> None:
    bow = np.float32([[0, 0], [10, 10], [10, 0], [0, 10]])
    assert 0 <= score([bow], [box(0, 0, 10, 10)])["hmean"] <= 1


def test_merged_halves_equal_the_whole() -> None:
    pages = [([box(0, 0, 10, 5)], [box(0, 0, 10, 5)]), ([box(0, 0, 9, 5), box(50, 0, 60, 5)], [box(0, 0, 10, 5)])]
    whole, first, second = DetMetric(), DetMetric(), DetMetric()
    for (found, there), part in zip(pages, (first, second), strict=True):
        for metric in (whole, part):
            metric.update({"polygons": found}, {"polys": there, "ignore_tags": [False]})
    first.merge(second.counts())
    assert first.counts() == whole.counts()
    assert first.compute() == whole.compute()


def test_the_main_indicator_comes_first() -> None:
    assert next(iter(DetMetric(main_indicator="recall").compute())) == "recall"


def test_counts_of_another_metric_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected sums of"):
        DetMetric().merge({"right": 1.0})


def test_a_tag_a_polygon_is_needed() -> None:
    with pytest.raises(ValueError, match="1 for 2"):
        DetMetric().update({"polygons": []}, {"polys": [box(0, 0, 1, 1)] * 2, "ignore_tags": [False]})
