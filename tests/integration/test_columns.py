"""A page in columns reads as its text does in one."""

from __future__ import annotations

import pytest
from rapidfuzz.distance.Levenshtein import normalized_distance

from ppocr_lite import OCR
from tests.typeset import LINES, column, typeset

TEXT = [
    *LINES,
    "Ring the bell if you need help",
    "Lost property is kept in a box",
    "Children travel free of charge",
] * 2


@pytest.mark.parametrize("count", [2, 3])
def test_columns_read_as_one_column_does(count: int) -> None:
    reader, part = OCR(threads=1), len(TEXT) // count
    one = reader.ocr(typeset(column(TEXT, step=44), (880, 480)))
    parts = [TEXT[part * index : part * (index + 1)] for index in range(count)]
    places = [place for index in range(count) for place in column(parts[index], 30 + 420 * index, step=44)]
    several = reader.ocr(typeset(places, (30 + 44 * part + 40, 30 + 420 * count)))
    assert normalized_distance(several.text, one.text) <= 0.01
    assert len(several.blocks) == count
