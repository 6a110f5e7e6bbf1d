from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ppocr_lite.io import pdf
from ppocr_lite.io.pictures import picture_of_pixels
from ppocr_lite.textline import TextLine, find_words

pdfium = pytest.importorskip("pypdfium2", reason="the extra pdf is not installed")

IMAGE = np.full((300, 600, 3), (40, 90, 200), np.uint8)
QUAD = np.float32([[50, 40], [550, 40], [550, 80], [50, 80]])


def line(text: str, quad: np.ndarray = QUAD, angle: int = 0) -> TextLine:
    return TextLine(quad, text, 0.9, 0.8, angle, find_words(text, [], quad, angle))


def searchable_pdf(image: np.ndarray, lines: Sequence[TextLine]) -> bytes:
    return pdf.searchable_pdf(picture_of_pixels(image), lines)


def test_the_text_is_found_in_its_place() -> None:
    page = pdfium.PdfDocument(searchable_pdf(IMAGE, [line("first words"), line("中文 ½", QUAD + [[0, 60]])]))[0]
    assert page.get_size() == pytest.approx((600 * 72 / 150, 300 * 72 / 150), abs=1e-2)
    text = page.get_textpage()
    assert text.get_text_range().split() == ["first", "words", "中文", "½"]
    left, bottom, right, top = text.get_charbox(0, loose=True)
    assert (left, top) == pytest.approx((50 * 0.48, (300 - 40) * 0.48), abs=3)
    assert (right - left, top - bottom) == pytest.approx((500 / 11 * 0.48, 40 * 0.48), abs=4)
    assert text.search("words").get_next() is not None


def test_nothing_but_the_image_is_seen() -> None:
    with_text, without = (
        np.asarray(pdfium.PdfDocument(searchable_pdf(IMAGE, lines))[0].render(scale=1).to_numpy())
        for lines in ([line("first words")], [])
    )
    assert np.array_equal(with_text, without)
    assert np.abs(without[5, 5, :3].astype(int) - IMAGE[0, 0]).max() <= 3


@pytest.mark.parametrize("angle", [0, 180])
def test_text_on_its_head_and_downwards_can_be_read(angle: int) -> None:
    tall = np.float32([[50, 20], [90, 20], [90, 280], [50, 280]])
    for quad in (QUAD, tall):
        text = pdfium.PdfDocument(searchable_pdf(IMAGE, [line("upside down", quad, angle)]))[0].get_textpage()
        assert sorted("".join(text.get_text_range().split())) == sorted("upsidedown")


def test_a_page_without_text_and_lines_that_were_not_read() -> None:
    data = searchable_pdf(IMAGE, [TextLine(QUAD)])
    assert pdfium.PdfDocument(data)[0].get_textpage().get_text_range() == ""


def test_more_characters_than_one_section_of_the_map_holds() -> None:
    text = "".join(chr(0x4E00 + index) for index in range(250))
    found = pdfium.PdfDocument(searchable_pdf(IMAGE, [line(text)]))[0].get_textpage().get_text_range()
    assert "".join(found.split()) == text
