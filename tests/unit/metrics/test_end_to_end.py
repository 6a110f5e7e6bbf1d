from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.metrics import EndToEndMetric


def box(x: int, y: int, width: int = 40) -> np.ndarray:
    return np.float32([[x, y], [x + width, y], [x + width, y + 10], [x, y + 10]])


TRUTH = {
    "polys": [box(0, 0), box(0, 20), box(0, 40)],
    "texts": ["Total", "4.50", "###"],
    "ignore_tags": [False, False, True],
}


def test_a_perfect_page_scores_one() -> None:
    metric = EndToEndMetric()
    metric.update({"polygons": TRUTH["polys"][:2], "texts": ["Total", "4.50"]}, TRUTH)
    assert metric.compute() == {"f1": 1.0, "precision": 1.0, "recall": 1.0, "word_f1": 1.0, "cer": 0.0}


def test_a_region_found_but_misread_is_wrong() -> None:
    metric = EndToEndMetric()
    metric.update({"polygons": TRUTH["polys"][:2], "texts": ["Total", "4.60"]}, TRUTH)
    values = metric.compute()
    assert values["f1"] == pytest.approx(0.5)
    assert values["cer"] == pytest.approx(1 / len("Total\n4.50"))


def test_a_region_read_at_another_place_is_wrong() -> None:
    metric = EndToEndMetric()
    metric.update({"polygons": [box(200, 0), box(0, 20)], "texts": ["Total", "4.50"]}, TRUTH)
    assert metric.compute()["recall"] == pytest.approx(0.5)


def test_ignored_regions_take_no_part() -> None:
    metric = EndToEndMetric()
    metric.update({"polygons": TRUTH["polys"], "texts": ["Total", "4.50", "noise"]}, TRUTH)
    assert metric.compute()["f1"] == 1.0
    assert metric.compute()["cer"] == 0.0


def test_case_and_spaces_can_be_ignored() -> None:
    metric = EndToEndMetric(ignore_case=True, ignore_space=True)
    metric.update({"polygons": TRUTH["polys"][:2], "texts": ["TO TAL", "4.50"]}, TRUTH)
    assert metric.compute()["f1"] == 1.0


def test_words_are_compared_wherever_and_in_however_many_regions_they_stand() -> None:
    metric = EndToEndMetric()
    truth = {"polys": [box(0, 0), box(0, 20)], "texts": ["a rose is", "a rose"], "ignore_tags": [False, False]}
    metric.update({"polygons": [box(200, 0)], "texts": ["rose a rose rose"]}, truth)  # a, rose, rose of 4; of 5
    assert metric.compute()["word_f1"] == pytest.approx(2 * (3 / 4) * (3 / 5) / (3 / 4 + 3 / 5))


def test_no_page_gives_zero() -> None:
    assert EndToEndMetric().compute() == {"f1": 0.0, "precision": 0.0, "recall": 0.0, "word_f1": 0.0, "cer": 0.0}
