"""Any path that spells a text decodes to it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ppocr_lite.charset import Charset
from ppocr_lite.postprocess import CTCLabelDecode

CHARSET = Charset("abcdefg 中")
BLANK = 0


@st.composite
def paths(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A text and a path that spells it: each character repeated, blanks between, at least one between equal ones."""
    text = draw(st.text(alphabet=CHARSET.characters, max_size=12))
    path: list[int] = []
    for index in CHARSET.encode(text):
        blanks = draw(st.integers(0, 3)) or (1 if path and path[-1] == index else 0)
        path += [BLANK] * blanks + [index] * draw(st.integers(1, 4))
    return text, path + [BLANK] * draw(st.integers(0 if path else 1, 3))


@given(st.lists(paths(), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_a_path_decodes_to_its_text(cases: list[tuple[str, list[int]]], seed: int) -> None:
    length = max(len(path) for _, path in cases)
    probabilities = np.random.default_rng(seed).random((len(cases), length, CHARSET.num_classes), dtype=np.float32)
    for row, (_, path) in zip(probabilities, cases, strict=True):
        row[np.arange(length), path + [BLANK] * (length - len(path))] = 2.0
    found = CTCLabelDecode(CHARSET)(probabilities / 2)
    assert [line.text for line in found] == [text for text, _ in cases]
    assert all(line.score == (1.0 if line.text else 0.0) for line in found)
