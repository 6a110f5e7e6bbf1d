from __future__ import annotations

import base64
import dataclasses
import json
import math
import os
import re
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from ppocr_lite.errors import DataError, ImageError
from ppocr_lite.io import images
from ppocr_lite.results import OCRResult, save_pages
from ppocr_lite.textline import TextLine, find_words

QUAD = np.float32([[10, 10], [90, 10], [90, 30], [10, 30]])


@pytest.fixture
def result() -> OCRResult:
    return OCRResult(
        (TextLine(QUAD, "Total 中", 0.9, 0.8, 180), TextLine(QUAD + 40, "42", 0.75, 0.7)), (100, 200), "a.png"
    )


def test_text_is_the_lines_joined(result: OCRResult) -> None:
    assert result.text == "Total 中\n42"


def test_a_result_is_a_sequence_of_lines(result: OCRResult) -> None:
    assert len(result) == 2
    assert [line.text for line in result] == ["Total 中", "42"]
    assert result[1].angle == 0


def test_an_empty_result_is_a_result() -> None:
    empty = OCRResult(size=(5, 6))
    assert (list(empty), empty.text, empty.to_legacy()) == ([], "", [])
    assert OCRResult.from_dict(empty.to_dict()) == empty


def test_a_dict_holds_plain_types_and_a_version(result: OCRResult) -> None:
    data = json.loads(json.dumps(result.to_dict()))
    assert data["version"] == 1
    assert data["size"] == [100, 200]
    assert data["lines"][0]["polygon"] == [[10.0, 10.0], [90.0, 10.0], [90.0, 30.0], [10.0, 30.0]]
    assert OCRResult.from_dict(data) == result


def test_the_reason_of_a_skipped_input_is_kept() -> None:
    skipped = OCRResult(source="a.png", error="a.png: the file is empty.")
    assert OCRResult.from_dict(json.loads(skipped.to_json())) == skipped
    assert "error" not in OCRResult().to_dict()


def test_json_keeps_characters_as_they_are(result: OCRResult, tmp_path: Path) -> None:
    assert "中" in result.to_json(tmp_path / "out.json")
    assert OCRResult.from_dict(json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))) == result


def test_legacy_is_the_list_of_paddleocr_2(result: OCRResult) -> None:
    assert result.to_legacy()[1] == [[[50.0, 50.0], [130.0, 50.0], [130.0, 70.0], [50.0, 70.0]], ("42", 0.75)]


@pytest.mark.parametrize("version", [None, 2, "1"])
def test_another_version_is_refused(result: OCRResult, version: object) -> None:
    with pytest.raises(DataError, match="version"):
        OCRResult.from_dict(result.to_dict() | {"version": version})


@pytest.mark.parametrize("change", [{"lines": [{"text": "no polygon"}]}, {"size": 3}, {"lines": [{"polygon": [1, 2]}]}])
def test_a_damaged_dict_is_refused(result: OCRResult, change: dict[str, object]) -> None:
    with pytest.raises(DataError, match="to_dict"):
        OCRResult.from_dict(result.to_dict() | change)


def test_lines_differ_by_what_they_hold() -> None:
    line = TextLine(QUAD, "a", 0.5)
    assert line == TextLine(QUAD.copy(), "a", 0.5)
    assert hash(line) == hash(TextLine(QUAD.copy(), "a", 0.5))
    assert line != TextLine(QUAD + 1, "a", 0.5)
    assert line != "a"


def test_a_polygon_cannot_be_changed_from_outside() -> None:
    quad = QUAD.copy()
    line = TextLine(quad)
    quad[:] = 0
    assert line.polygon[0, 0] == 10
    with pytest.raises(ValueError, match="read-only"):
        line.polygon[0, 0] = 5


def test_save_writes_by_suffix(result: OCRResult, tmp_path: Path) -> None:
    image = np.full((100, 200, 3), 255, np.uint8)
    for name in ("a.json", "a.txt", "a.png", "a.JPG", "a.hocr", "a.xml", "a.pdf"):
        result.save(tmp_path / name, image)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "Total 中\n42\n"
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["size"] == [100, 200]
    drawing = cv2.imread(str(tmp_path / "a.png"))
    assert drawing is not None
    assert drawing.shape == (100, 400, 3)
    beginnings = {name: (tmp_path / name).read_bytes()[:200] for name in ("a.hocr", "a.xml", "a.pdf")}
    assert b"<html" in beginnings["a.hocr"] and b"<alto" in beginnings["a.xml"]
    assert beginnings["a.pdf"].startswith(b"%PDF-")


def test_save_names_the_suffixes_it_knows(result: OCRResult, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'.docx'.*\.json"):
        result.save(tmp_path / "a.docx")


def test_a_pdf_keeps_the_size_and_the_picture_of_its_source(tmp_path: Path) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    path = tmp_path / "scan.jpg"
    PIL.Image.new("RGB", (300, 150), (200, 30, 90)).save(path, dpi=(300, 300))
    OCRResult((TextLine(QUAD, "text"),), (150, 300), str(path)).save(tmp_path / "a.pdf")
    assert path.read_bytes() in (tmp_path / "a.pdf").read_bytes()
    page = pdfium.PdfDocument(tmp_path / "a.pdf")[0]
    assert page.get_size() == pytest.approx((72, 36))
    left, bottom, right, top = page.get_textpage().get_charbox(0, loose=True)
    assert (left, top) == pytest.approx((10 * 72 / 300, 36 - 10 * 72 / 300), abs=1)


def test_many_pages_make_one_pdf(tmp_path: Path) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    first, second = (PIL.Image.new("1", (width, 50), 1) for width in (60, 90))
    first.save(tmp_path / "scan.tif", save_all=True, append_images=[second], dpi=(200, 200))
    PIL.Image.new("RGB", (80, 40)).save(tmp_path / "other.png", dpi=(100, 100))
    results = [
        OCRResult((TextLine(QUAD / 4, f"page{width}"),), (height, width), str(tmp_path / name))
        for name, width, height in (("scan.tif#1", 60, 50), ("scan.tif#2", 90, 50), ("other.png", 80, 40))
    ]
    save_pages(results, tmp_path / "all.pdf")
    document = pdfium.PdfDocument(tmp_path / "all.pdf")
    assert [page.get_size()[0] for page in document] == pytest.approx([60 * 0.36, 90 * 0.36, 80 * 0.72], abs=0.02)
    texts = ["".join(page.get_textpage().get_text_range().split()) for page in document]
    assert texts == ["page60", "page90", "page80"]


def test_a_pdf_of_a_pdf_keeps_its_pages(tmp_path: Path) -> None:
    pdfium, pikepdf = pytest.importorskip("pypdfium2"), pytest.importorskip("pikepdf")
    with pikepdf.new() as document:
        for width in (200, 300):
            document.add_blank_page(page_size=(width, 100))
        document.save(tmp_path / "a.pdf")
    page = OCRResult((TextLine(QUAD, "text"),), (278, 834), f"{tmp_path / 'a.pdf'}#2")
    page.save(tmp_path / "b.pdf")
    (kept,) = pdfium.PdfDocument(tmp_path / "b.pdf")
    assert kept.get_size() == (300, 100)
    assert "".join(kept.get_textpage().get_text_range().split()) == "text"
    (tmp_path / "c.png").write_bytes(b"")
    with pytest.raises(ImageError, match="do not go into one PDF"):
        save_pages([page, OCRResult(source=str(tmp_path / "c.png"))], tmp_path / "d.pdf")


def test_a_source_that_has_changed_since_is_refused(tmp_path: Path) -> None:
    PIL.Image.new("L", (30, 20)).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"a\.png: was \(20, 31\) pixels when it was read, and is \(20, 30\) now"):
        OCRResult((), (20, 31), str(tmp_path / "a.png")).save(tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


def test_no_drawing_has_several_pages(result: OCRResult, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no format of several pages has that suffix"):
        save_pages([result, result], tmp_path / "a.png")


def test_draw_reads_the_source_again(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), np.full((50, 60, 3), 200, np.uint8))
    assert OCRResult((TextLine(QUAD, "a"),), (50, 60), str(path)).draw().shape == (50, 120, 3)


def test_draw_without_image_and_source_says_so(result: OCRResult) -> None:
    with pytest.raises(ImageError, match="no source"):
        OCRResult(result.lines, result.size).draw()


def test_a_page_of_a_file_with_several_is_drawn(tmp_path: Path) -> None:
    first, second = (PIL.Image.new("RGB", (60, 50), (gray, gray, gray)) for gray in (10, 200))
    first.save(tmp_path / "scan.tif", save_all=True, append_images=[second])
    drawn = OCRResult((), (50, 60), f"{tmp_path / 'scan.tif'}#2").draw()
    assert drawn.shape == (50, 120, 3)
    assert drawn[0, 0].tolist() == [200, 200, 200]


def test_a_source_that_is_not_unicode_can_be_saved(tmp_path: Path) -> None:
    page = OCRResult((), (1, 1), os.fsdecode(b"caf\xe9.png"))
    page.save(tmp_path / "a.json")
    assert OCRResult.from_dict(json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))) == page


@pytest.mark.parametrize("text", ["the énd", "the very énd"])
def test_corrected_text_is_saved_instead_of_what_was_read(tmp_path: Path, text: str) -> None:
    line = TextLine(QUAD, "teh end", words=find_words("teh end", [], QUAD))
    page = OCRResult((dataclasses.replace(line, text=text),), (50, 100))
    for suffix in (".hocr", ".xml"):
        page.save(tmp_path / f"a{suffix}")
        saved = (tmp_path / f"a{suffix}").read_text(encoding="utf-8")
        assert "énd" in saved
        assert "teh" not in saved
    page.save(tmp_path / "a.pdf", np.full((50, 100, 3), 200, np.uint8))
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


LINE = {"polygon": [[1, 1], [9, 1], [9, 5], [1, 5]], "text": "a", "score": 0.5}


@pytest.mark.parametrize(
    "change",
    [
        {"text": "two\nlines"}, {"text": "half \ud800"}, {"text": 3}, {"score": math.nan}, {"det_score": math.inf},
        {"polygon": [[math.nan, 1], [9, 1], [9, 5]]}, {"polygon": [[10**400, 1], [9, 1], [9, 5]]}, {"words": [3]},
        {"words": [{"text": "a\r", "polygon": [[1, 1]]}]}, {"words": [{"text": "a", "polygon": [[math.inf, 1]]}]},
    ],
)  # fmt: skip
def test_a_line_that_none_would_be_is_refused(change: dict[str, object]) -> None:
    page = OCRResult(size=(9, 9)).to_dict()
    assert OCRResult.from_dict(page | {"lines": [LINE]}).text == "a"
    with pytest.raises(DataError, match="Not a result"):
        OCRResult.from_dict(page | {"lines": [LINE | change]})


def test_half_a_character_does_not_keep_a_result_from_being_written(tmp_path: Path) -> None:
    quad = np.float32([[1, 1], [9, 1], [9, 5], [1, 5]])
    result = OCRResult((TextLine(quad, "a\ud800b", 0.5),), (20, 20), "scan\udcff.png")
    for suffix in (".json", ".txt", ".hocr", ".xml"):
        result.save(tmp_path / f"a{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes().decode("utf-8")


def test_a_number_that_json_cannot_say_is_named() -> None:
    quad = np.float32([[1, 1], [9, 1], [9, 5], [1, 5]])
    with pytest.raises(DataError, match=r"scan\.png: a number is not finite"):
        OCRResult((TextLine(quad, "a", math.nan),), (20, 20), "scan.png").to_json()


def test_blocks_part_the_lines_and_come_back_from_a_dict(result: OCRResult) -> None:
    assert result.blocks == (result.lines,)
    parted = dataclasses.replace(result, block_sizes=(1, len(result) - 1), angle=90)
    assert parted.blocks == (result.lines[:1], result.lines[1:])
    assert OCRResult.from_dict(parted.to_dict()) == parted
    assert dataclasses.replace(result, block_sizes=(7,)).blocks == (result.lines,)
    assert OCRResult().blocks == ()


def test_a_result_is_markdown_and_several_are_pages_of_it(tmp_path: Path) -> None:
    line = TextLine(np.float32([[0, 0], [90, 0], [90, 10], [0, 10]]), "Some *text*", 0.9)
    result = OCRResult((line,), (10, 100))
    assert result.to_markdown() == "Some \\*text\\*\n"
    result.save(tmp_path / "a.md")
    assert (tmp_path / "a.md").read_text(encoding="utf-8") == "Some \\*text\\*\n"
    save_pages([result, result], tmp_path / "b.md")
    assert (tmp_path / "b.md").read_text(encoding="utf-8") == "Some \\*text\\*\n\n---\n\nSome \\*text\\*\n"


def test_a_result_is_a_table_of_its_lines() -> None:
    pytest.importorskip("pandas")
    lines = [TextLine(np.float32([[x, 5], [x + 9, 5], [x + 9, 8], [x, 8]]), f"line {x}", 0.9, 0.8) for x in (1, 20)]
    table = OCRResult(tuple(lines), (10, 100), block_sizes=(1, 1)).to_dataframe()
    assert list(table["text"]) == ["line 1", "line 20"]
    assert list(table["block"]) == [0, 1]
    assert table[["left", "top", "right", "bottom"]].to_numpy().tolist() == [[1, 5, 10, 8], [20, 5, 29, 8]]
    assert list(OCRResult().to_dataframe().columns) == list(table.columns)


def test_jupyter_shows_the_picture_or_else_the_text(tmp_path: Path) -> None:
    line = TextLine(np.float32([[0, 0], [90, 0], [90, 10], [0, 10]]), "a < b", 0.9)
    assert "<pre>a &lt; b</pre>" in OCRResult((line,), (10, 100))._repr_html_()
    images.write(tmp_path / "a.png", np.full((20, 100, 3), 255, np.uint8))
    assert OCRResult((line,), (20, 100), str(tmp_path / "a.png"))._repr_html_().startswith('<img alt="" src="data:')


def test_jupyter_shows_the_boxes_on_the_picture(tmp_path: Path) -> None:
    line = TextLine(np.float32([[20, 30], [180, 30], [180, 60], [20, 60]]), "Total", 0.9)
    images.write(tmp_path / "a.png", np.full((100, 200, 3), 255, np.uint8))
    page = OCRResult((line,), (100, 200), str(tmp_path / "a.png"))
    found = re.fullmatch(r'<img alt="" src="data:image/jpeg;base64,([\w+/=]+)">', page._repr_html_())
    assert found
    shown = images.decode(base64.b64decode(found[1])).astype(int)
    assert shown.shape == (100, 400, 3)  # the page, and beside it the text
    assert np.abs(shown - page.draw()).mean() < 5  # a JPEG of it
    coloured = np.ptp(shown[:, :200], axis=2) > 60
    ys, xs = np.nonzero(coloured)
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == pytest.approx((20, 30, 180, 60), abs=4)


def test_crops_are_the_lines_straightened_and_upright(tmp_path: Path) -> None:
    page = np.full((120, 300, 3), 255, np.uint8)
    page[20:40, 50:90] = (255, 0, 0)  # the beginning of the first line
    page[60:80, 210:250] = (0, 0, 255)  # of the second, which stands on its head
    page[90:110, 20:30] = (0, 255, 0)
    lines = (
        TextLine(np.float32([[50, 20], [250, 20], [250, 40], [50, 40]])),
        TextLine(np.float32([[50, 60], [250, 60], [250, 80], [50, 80]]), angle=180),
        TextLine(np.float32([[20, 50], [30, 50], [30, 110], [20, 110]])),  # written downwards
    )
    images.write(tmp_path / "a.png", page)
    result = OCRResult(lines, (120, 300), str(tmp_path / "a.png"))
    first, second, third = result.crops()
    assert [crop.shape for crop in (first, second, third)] == [(20, 200, 3), (20, 200, 3), (10, 60, 3)]
    assert first[10, 20].tolist() == [255, 0, 0]
    assert second[10, 20].tolist() == [0, 0, 255]
    assert third[5, 50].tolist() == [0, 255, 0]
    assert all(np.array_equal(a, b) for a, b in zip(result.crops(page), result.crops(), strict=True))
    assert result.crops(page, margin=0.5)[0].shape == (20, 220, 3)
    assert OCRResult().crops(page) == []
    with pytest.raises(ImageError, match="no source"):
        OCRResult(lines, (120, 300)).crops()
