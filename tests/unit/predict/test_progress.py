"""The bar of OCR.stream: it knows its end where it can, and takes nothing away from what is read."""

from __future__ import annotations

import re
from pathlib import Path

import PIL.Image
import pytest

from ppocr_lite import OCR
from ppocr_lite.errors import ImageError, OCRError
from ppocr_lite.install import optional
from ppocr_lite.predict import progress
from tests.scans import PAGES, PICTURE, write_damaged, write_scans


@pytest.fixture(scope="module")
def ocr() -> OCR:
    return OCR(threads=2)


def last_bar(text: str) -> str:
    return re.split(r"[\r\n]+", text.strip())[-1]


def test_one_file_has_as_many_pages_as_it_says(ocr: OCR, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pypdfium2", reason="a PDF is read")
    pages = ocr.stream(write_scans(tmp_path) / "b.pdf", pages="2-", progress=True)
    assert [page.text for page in pages] == list(PAGES[1:])
    assert last_bar(capsys.readouterr().err).startswith("100%")


def test_a_folder_of_pictures_has_a_page_each(ocr: OCR, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = (write_scans(tmp_path) / "a.png").read_bytes()
    (tmp_path / "c.png").write_bytes(picture)
    write_damaged(tmp_path)
    pages = list(ocr.stream(tmp_path / "*.png", on_error="skip", progress=True))
    assert [page.text for page in pages] == [PICTURE, PICTURE, ""]
    assert "3/3" in last_bar(capsys.readouterr().err)


def test_of_several_files_of_any_number_of_pages_it_counts(
    ocr: OCR, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = PIL.Image.open(write_scans(tmp_path) / "a.png")
    for name in ("a.tif", "b.tif"):
        picture.save(tmp_path / name, save_all=True, append_images=[picture])
    assert len(list(ocr.stream(tmp_path / "*.tif", progress=True))) == 4
    shown = last_bar(capsys.readouterr().err)
    assert shown.startswith("4 pages [")
    assert "%" not in shown


def test_nothing_is_shown_unless_it_is_asked_for(ocr: OCR, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    list(ocr.stream(write_scans(tmp_path) / "a.png"))
    assert capsys.readouterr().err == ""


def test_an_error_and_an_early_end_close_the_bar(ocr: OCR, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scans(tmp_path)
    write_damaged(tmp_path, "b.png")
    pages = ocr.stream(tmp_path / "*.png", progress=True)
    assert next(pages).text == PICTURE
    with pytest.raises(ImageError, match=r"b\.png"):
        next(pages)
    assert capsys.readouterr().err.endswith("\n")
    pages = ocr.stream(tmp_path / "*.png", progress=True)
    next(pages)
    pages.close()
    assert capsys.readouterr().err.endswith("\n")


def test_without_tqdm_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "bars", optional("tqdm_of_nobody.auto"))
    with pytest.raises(OCRError, match="tqdm_of_nobody is not installed: pip install"):
        next(progress.show_progress(iter([1]), [Path("a.png")], []))
