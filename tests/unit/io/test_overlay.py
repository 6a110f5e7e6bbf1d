"""A PDF with text over it looks as before, keeps what it had, and has the text where it was read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite.errors import ImageError, OCRError
from ppocr_lite.io import pages
from ppocr_lite.io.overlay import lay_over
from ppocr_lite.io.pdf import PageText
from ppocr_lite.textline import TextLine, find_words

pdfium = pytest.importorskip("pypdfium2", reason="the extra pdf is not installed")
pikepdf = pytest.importorskip("pikepdf", reason="the extra pdf is not installed")


def write_pdf(path: Path, count: int = 1, **entries: Any) -> Path:
    """Pages with a black bar of 40 by 10 points at (20, 30) on them."""
    with pikepdf.new() as document:
        for _ in range(count):
            document.add_blank_page(page_size=(200, 100))
            page = document.pages[-1]
            page.contents_add(pikepdf.Stream(document, b"q 20 30 40 10 re f"))  # and no Q
            for key, value in entries.items():
                page.obj[f"/{key}"] = value
        document.docinfo["/Title"] = "kept"
        document.save(path)
    return path


def bar(image: np.ndarray) -> TextLine:
    """The line that was read where the bar is seen."""
    rows, columns = (np.flatnonzero((image[:, :, 0] < 128).any(axis=axis)) for axis in (1, 0))
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    quad = np.float32([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    return TextLine(quad, "bar", 0.9, words=find_words("bar", [], quad))


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, [10, 20, 190, 95]])
def test_text_lies_where_it_was_read(rotate: int, crop: list[int] | None, tmp_path: Path) -> None:
    entries = {"Rotate": rotate} | ({"CropBox": crop} if crop else {})
    path = write_pdf(tmp_path / "a.pdf", **entries)
    ((_, image),) = pages.read_pages(path)
    lay_over(path, {1: PageText([bar(image)], image.shape[:2])}, tmp_path / "b.pdf")
    ((_, after),) = pages.read_pages(tmp_path / "b.pdf")
    np.testing.assert_array_equal(image, after)
    text = pdfium.PdfDocument(tmp_path / "b.pdf")[0].get_textpage()
    assert "".join(text.get_text_range().split()) == "bar"
    boxes = [text.get_charbox(index, loose=True) for index in range(3)]
    left, bottom = (min(box[side] for box in boxes) for side in (0, 1))
    right, top = (max(box[side] for box in boxes) for side in (2, 3))
    assert (left, bottom, right, top) == pytest.approx((20, 30, 60, 40), abs=1.5)  # points of the page, not turned


def test_the_pages_that_were_read_are_kept_with_all_else(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", 3)
    lay_over(path, {number: PageText([], (278, 556)) for number in (1, 3)}, path)
    with pikepdf.open(path) as document:
        assert len(document.pages) == 2
        assert str(document.docinfo["/Title"]) == "kept"


def test_what_cannot_be_done_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, text = write_pdf(tmp_path / "a.pdf"), PageText([], (10, 10))
    with pytest.raises(ImageError, match=r"a\.pdf: there is no page 2; it has 1"):
        lay_over(path, {2: text}, path)
    with pikepdf.open(path) as document:
        document.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="a", user="b"))
    for password in (None, "c"):
        with pytest.raises(ImageError, match=r"locked\.pdf: a PDF that wants a password, or another one"):
            lay_over(tmp_path / "locked.pdf", {1: text}, path, password)
    lay_over(tmp_path / "locked.pdf", {1: text}, tmp_path / "again.pdf", "b")
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(tmp_path / "again.pdf")
    with pikepdf.open(tmp_path / "again.pdf", password="b") as document:
        assert len(document.pages) == 1
    (tmp_path / "bad.pdf").write_text("just words")
    with pytest.raises(ImageError, match=r"bad\.pdf: not a PDF"):
        lay_over(tmp_path / "bad.pdf", {1: text}, path)
    monkeypatch.setitem(sys.modules, "pikepdf", None)
    with pytest.raises(OCRError, match=r"needs the package pikepdf\. pip install"):
        lay_over(path, {1: text}, path)
