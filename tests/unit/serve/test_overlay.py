"""Text is laid over a PDF by a process with limits, which says what it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from ppocr_lite.errors import ImageError
from ppocr_lite.results import OCRResult
from ppocr_lite.textline import TextLine

overlay = pytest.importorskip("ppocr_lite.serve.overlay", reason="the extra [serve] is not installed")
pdfium = pytest.importorskip("pypdfium2")
pytest.importorskip("pikepdf")
LINE = TextLine(np.float32([[10, 10], [190, 10], [190, 40], [10, 40]]), "some text", 0.9)


@pytest.fixture
def page(tmp_path: Path) -> OCRResult:
    PIL.Image.new("RGB", (200, 50), "white").save(tmp_path / "body", "PDF")
    return OCRResult((LINE,), (50, 200), f"{tmp_path / 'body'}#1")


def test_the_text_can_be_searched(page: OCRResult, tmp_path: Path) -> None:
    overlay.save_over([page], tmp_path / "answer.pdf")
    with pdfium.PdfDocument(tmp_path / "answer.pdf") as document:
        assert document[0].get_textpage().get_text_range().strip() == "some text"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.pdf", "body"]


def test_what_is_wrong_with_the_pdf_is_said(page: OCRResult, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"%PDF-1.7 and nothing else")
    with pytest.raises(ImageError, match="not a PDF that text can be laid over"):
        overlay.save_over([page], tmp_path / "answer.pdf")


def test_too_much_memory_ends_that_process_alone(
    page: OCRResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlay, "MEMORY", 2**26)
    with pytest.raises(ImageError, match="too long, or too much memory"):
        overlay.save_over([page], tmp_path / "answer.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["body"]
