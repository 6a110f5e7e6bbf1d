from __future__ import annotations

import pickle

import numpy as np
import pytest

from ppocr_lite.charset import Charset
from ppocr_lite.postprocess import CTCLabelDecode
from ppocr_lite.results import Recognition


def one_hot(*paths: list[int], classes: int = 4, peak: float = 0.9) -> np.ndarray:
    """Probabilities (N, T, classes) with *peak* along each path."""
    probabilities = np.full((len(paths), len(paths[0]), classes), (1 - peak) / (classes - 1), np.float32)
    for row, path in zip(probabilities, paths, strict=True):
        row[np.arange(len(path)), path] = peak
    return probabilities


@pytest.fixture
def decode() -> CTCLabelDecode:
    return CTCLabelDecode(Charset("abc"))


def test_repetitions_merge_and_blanks_vanish(decode: CTCLabelDecode) -> None:
    assert decode(one_hot([0, 1, 1, 0, 2, 2, 3]))[0].text == "abc"


def test_a_blank_between_keeps_a_double_letter(decode: CTCLabelDecode) -> None:
    assert [r.text for r in decode(one_hot([1, 0, 1, 2], [1, 1, 1, 2]))] == ["aab", "ab"]


def test_the_score_is_the_mean_over_the_kept_steps(decode: CTCLabelDecode) -> None:
    probabilities = one_hot([1, 1, 0, 2])
    probabilities[0, 3, 2] = 0.5
    assert decode(probabilities)[0].score == pytest.approx((0.9 + 0.5) / 2)


def test_a_character_is_in_the_middle_of_its_steps(decode: CTCLabelDecode) -> None:
    first, second, third = decode(one_hot([0, 1, 1, 1, 0, 2, 3, 3], [0] * 8, [1, 1, 0, 0, 0, 0, 0, 1]))
    assert first.positions == (2.5 / 8, 5.5 / 8, 7 / 8)
    assert second.positions == ()
    assert third.positions == (1 / 8, 7.5 / 8)


def test_a_recognition_is_a_pair(decode: CTCLabelDecode) -> None:
    found = decode(one_hot([1, 0, 2]))[0]
    text, score = found
    assert (text, score) == found == ("ab", pytest.approx(0.9))
    assert pickle.loads(pickle.dumps(found)).positions == found.positions


def test_no_text_scores_zero(decode: CTCLabelDecode) -> None:
    assert decode(one_hot([0, 0, 0])) == [Recognition("", 0.0)]


def test_nan_scores_zero(decode: CTCLabelDecode) -> None:
    assert decode(np.full((1, 3, 4), np.nan, np.float32))[0].score == 0.0


def test_an_empty_batch_gives_an_empty_list(decode: CTCLabelDecode) -> None:
    assert decode(np.zeros((0, 5, 4), np.float32)) == []


def test_rows_do_not_run_into_each_other(decode: CTCLabelDecode) -> None:
    assert [r.text for r in decode(one_hot([0, 0, 1], [1, 0, 0], [0, 0, 0], [3, 2, 1]))] == ["a", "a", "", "cba"]


def test_a_wrong_number_of_classes_is_refused(decode: CTCLabelDecode) -> None:
    with pytest.raises(ValueError, match=r"\(N, T, 4\).*\(1, 3, 5\)"):
        decode(np.zeros((1, 3, 5), np.float32))


def test_characters_outside_the_basic_plane_are_one_class() -> None:
    assert CTCLabelDecode(Charset(["𠮷", "a"]))(one_hot([1, 0, 2], classes=3))[0].text == "𠮷a"
