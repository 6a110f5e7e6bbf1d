from __future__ import annotations

import pytest

from ppocr_lite.metrics import RecMetric


def score(read: str, written: str, **options: object) -> dict[str, float]:
    metric = RecMetric(**options)  # type: ignore[arg-type]
    metric.update(read, written)
    return metric.compute()


def test_the_truth_scores_one_everywhere() -> None:
    assert set(score("Total 42.50", "Total 42.50").values()) == {1.0}


def test_no_lines_score_zero() -> None:
    assert set(RecMetric().compute().values()) == {0.0}


def test_spaces_are_ignored_unless_told() -> None:
    assert score("a b", "ab")["acc"] == 1.0
    assert score("a b", "ab", ignore_space=False)["acc"] == 0.0


def test_every_comparison_is_reported() -> None:
    values = score("ToTal: 5", "total 5")
    assert values["acc"] == values["acc_with_space"] == values["acc_ignore_case"] == 0.0
    assert values["acc_ignore_case_punct"] == 1.0


def test_similarity_is_one_minus_distance_over_the_longer() -> None:
    assert score("kitten", "sitting")["norm_edit_dis"] == pytest.approx(1 - 3 / 7)


def test_two_empty_texts_are_equal() -> None:
    assert score("", "")["norm_edit_dis"] == 1.0


def test_case_is_ignored_when_told() -> None:
    assert score("AB", "ab", ignore_case=True)["acc"] == 1.0


def test_only_letters_and_digits_when_told() -> None:
    assert score("A-1!", "A1中", alnum_only=True)["acc"] == 1.0


def test_chinese_is_no_punctuation() -> None:
    assert score("中文", "中国")["acc_ignore_case_punct"] == 0.0


def test_the_main_indicator_comes_first() -> None:
    assert next(iter(score("a", "a", main_indicator="norm_edit_dis"))) == "norm_edit_dis"


def test_merged_halves_equal_the_whole() -> None:
    whole, first, second = RecMetric(), RecMetric(), RecMetric()
    for index, (read, written) in enumerate([("a", "a"), ("ab", "a"), ("x", "yy"), ("", "z")]):
        whole.update(read, written)
        (first if index % 2 else second).update(read, written)
    first.merge(second.counts())
    assert first.compute() == pytest.approx(whole.compute())
