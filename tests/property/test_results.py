"""A result survives its dict and its JSON."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ppocr_lite.results import OCRResult
from ppocr_lite.textline import TextLine, Word, find_words

LETTER = st.characters(exclude_categories=("Cs",), exclude_characters="\r\n")
COORDINATE = st.floats(-1e4, 1e5, width=32)
POLYGON = st.integers(3, 12).flatmap(lambda points: hnp.arrays(np.float32, (points, 2), elements=COORDINATE))
POINT = st.tuples(st.floats(-1e4, 1e5), st.floats(-1e4, 1e5))
WORD = st.builds(
    Word, text=st.text(LETTER, min_size=1, max_size=5), polygon=st.lists(POINT, min_size=4, max_size=4).map(tuple)
)
LINE = st.builds(
    TextLine,
    polygon=POLYGON,
    text=st.text(LETTER, max_size=20),
    score=st.floats(0, 1),
    det_score=st.floats(0, 1),
    angle=st.sampled_from([0, 180]),
    words=st.lists(WORD, max_size=3).map(tuple),
)
RESULT = st.builds(
    OCRResult,
    lines=st.lists(LINE, max_size=4).map(tuple),
    size=st.tuples(st.integers(1, 10**5), st.integers(1, 10**5)),
    source=st.none() | st.text(max_size=20),
)


@given(RESULT)
def test_from_dict_undoes_to_dict(result: OCRResult) -> None:
    assert OCRResult.from_dict(result.to_dict()) == result


@given(RESULT)
def test_from_dict_undoes_to_json(result: OCRResult) -> None:
    assert OCRResult.from_dict(json.loads(result.to_json())) == result


@given(st.text("ab 中", max_size=12), st.lists(st.floats(0, 1), max_size=12).map(sorted), POLYGON)
def test_words_are_those_of_the_text_and_lie_on_the_line(text: str, at: list[float], polygon: np.ndarray) -> None:
    words = find_words(text, at, polygon)
    assert [word.text for word in words] == text.split()
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    reach = 1 + np.abs(high - low).max()  # of an outline the smallest rectangle around it, which reaches beyond it
    for word in words:
        assert (np.array(word.polygon) >= low - reach).all() and (np.array(word.polygon) <= high + reach).all()
