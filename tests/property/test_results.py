"""A result survives its dict and its JSON."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ppocr_lite.results import OCRResult, TextLine

COORDINATE = st.floats(-1e4, 1e5, width=32)
POLYGON = st.integers(3, 12).flatmap(lambda points: hnp.arrays(np.float32, (points, 2), elements=COORDINATE))
LINE = st.builds(
    TextLine,
    polygon=POLYGON,
    text=st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    score=st.floats(0, 1),
    det_score=st.floats(0, 1),
    angle=st.sampled_from([0, 180]),
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
