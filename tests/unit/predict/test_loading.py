"""Files become documents of a page or of all their pages, whatever they are read for."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import PIL.Image
import pytest

from ppocr_lite import OCR
from ppocr_lite.errors import ConfigError, ImageError
from ppocr_lite.predict.loading import Loading, as_file, find_sources, make_loading
from tests.scans import PAGES, PICTURE, write_damaged, write_scans
from tests.serving import png


@pytest.fixture(scope="module")
def ocr() -> OCR:
    return OCR(threads=2)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    pytest.importorskip("pypdfium2", reason="a PDF is read")
    return write_scans(tmp_path)


def files_in(folder: Path) -> list[tuple[Path, str]]:
    return [(folder / "a.png", "first"), (folder / "b.pdf", "second"), (folder / "a.png", "first")]


def test_pages_come_in_order_with_their_place_in_the_file(ocr: OCR, scans: Path) -> None:
    loaded = list(Loading(ocr).load(files_in(scans)))
    assert [page.text("text") for page in loaded] == [PICTURE, *PAGES, PICTURE]
    assert [(page.name, page.index, page.total) for page in loaded] == [
        ("first", 0, 1), ("second", 0, 3), ("second", 1, 3), ("second", 2, 3), ("first", 0, 1)
    ]  # fmt: skip
    numbers = loaded[2].numbers()
    assert (numbers["page"], numbers["page_label"], numbers["total_pages"]) == (1, "2", 3)
    assert (numbers["height"], numbers["width"]) == loaded[2].results[0].size
    assert numbers["score"] == pytest.approx(loaded[2].results[0][0].score, abs=1e-4)


def test_a_document_holds_all_pages_of_its_file(ocr: OCR, scans: Path) -> None:
    loaded = list(Loading(ocr, mode="document", format="markdown").load(files_in(scans)))
    assert [(one.name, one.index, len(one.results), one.total) for one in loaded] == [
        ("first", None, 1, 1), ("second", None, 3, 3), ("first", None, 1, 1)
    ]  # fmt: skip
    assert loaded[1].text("text") == "\n\f".join(PAGES)
    assert loaded[1].text("markdown") == "\n---\n\n".join(page.to_markdown() for page in loaded[1].results)
    assert loaded[1].numbers().keys() == {"total_pages", "score"}


def test_a_page_without_text_has_no_score(ocr: OCR, tmp_path: Path) -> None:
    path = write_scans(tmp_path) / "a.png"
    strict = ocr.with_options(drop_score=1.0)
    (page,) = Loading(strict).load([(path, "a.png")])
    assert page.text("text") == page.text("markdown") == ""
    assert "score" not in page.numbers()


def test_an_error_names_the_file_as_it_is_called(ocr: OCR, tmp_path: Path) -> None:
    path = write_damaged(tmp_path)
    with pytest.raises(ImageError, match="^the third one: ") as caught:
        list(Loading(ocr).load([(path, "the third one")]))
    assert str(tmp_path) not in str(caught.value)


def test_what_cannot_be_read_is_left_out_and_said(ocr: OCR, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    good = (write_scans(tmp_path) / "a.png", "good")
    files = [(write_damaged(tmp_path), "damaged"), good, (tmp_path / "none.png", "none")]
    with caplog.at_level(logging.WARNING, "ppocr_lite"):
        assert [page.name for page in Loading(ocr, on_error="skip").load(files)] == ["good"]
    assert [record.getMessage().split(":")[1].strip() for record in caplog.records] == ["damaged", "none"]
    told: list[str | None] = []
    loading = Loading(ocr, mode="document", on_error=lambda name, error: told.append(name))
    assert [one.name for one in loading.load(files)] == ["good"]
    assert told == ["damaged", "none"]


def test_pages_beside_a_damaged_one_keep_their_numbers(ocr: OCR, tmp_path: Path) -> None:
    first, *rest = (PIL.Image.open(io.BytesIO(png(text))) for text in ("FIRST", "SECOND", "THIRD"))
    first.save(tmp_path / "a.tif", save_all=True, append_images=rest, compression="tiff_lzw")
    with PIL.Image.open(tmp_path / "a.tif") as picture:
        picture.seek(1)
        strips = list(zip(picture.tag_v2[273], picture.tag_v2[279], strict=True))  # where the second page is
    data = bytearray((tmp_path / "a.tif").read_bytes())
    for start, count in strips:
        data[start : start + count] = b"\xff" * count
    (tmp_path / "a.tif").write_bytes(data)
    told: list[str | None] = []
    loading = Loading(ocr, on_error=lambda name, error: told.append(name))
    loaded = list(loading.load([(tmp_path / "a.tif", "a.tif")]))
    assert told == ["a.tif#2"]
    assert [(page.text("text"), page.index, page.total) for page in loaded] == [("FIRST", 0, 3), ("THIRD", 2, 3)]


def test_it_can_be_left_in_the_middle(ocr: OCR, scans: Path) -> None:
    pages = Loading(ocr).load(files_in(scans))
    assert next(pages).text("text") == PICTURE
    pages.close()
    assert list(pages) == []


def test_an_encrypted_file_wants_its_password(ocr: OCR, scans: Path) -> None:
    pikepdf = pytest.importorskip("pikepdf", reason="a PDF is encrypted")
    with pikepdf.open(scans / "b.pdf") as document:
        document.save(scans / "c.pdf", encryption=pikepdf.Encryption(user="open", owner="own"))
    files = [(scans / "c.pdf", "c.pdf")]
    assert len(list(Loading(ocr, password="open").load(files))) == 3
    with pytest.raises(ImageError, match=r"c\.pdf: the PDF is encrypted"):
        list(Loading(ocr).load(files))


def test_sources_are_files_folders_and_patterns(scans: Path) -> None:
    both = [(scans / "a.png", str(scans / "a.png")), (scans / "b.pdf", str(scans / "b.pdf"))]
    assert find_sources(scans, "raise") == both
    assert find_sources([str(scans / "*.png"), scans / "b.pdf"], "raise") == both
    with pytest.raises(ImageError, match="none"):
        find_sources(scans / "none", "raise")
    assert find_sources([scans / "none", scans / "a.png"], "skip") == [(scans / "none", str(scans / "none")), both[0]]


def test_a_copy_lasts_as_long_as_it_is_needed(scans: Path) -> None:
    with (scans / "b.pdf").open("rb") as source, as_file(source) as path:
        assert path.read_bytes() == (scans / "b.pdf").read_bytes()
    assert not path.exists()


@pytest.mark.parametrize(("name", "value"), [("mode", "pages"), ("format", "md"), ("on_error", "warn")])
def test_a_wrong_argument_is_named(ocr: OCR, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        make_loading(ocr, {}, **{name: value})


def test_options_are_for_a_new_reader(ocr: OCR) -> None:
    assert make_loading(None, {"lang": "ch", "threads": 1}).ocr.lang == "ch"
    with pytest.raises(ConfigError, match="lang is for a new reader"):
        make_loading(ocr, {"lang": "ch"})
