"""Pages that a first look misses: large sheets, huge or tiny letters, crops, lone characters, transparency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from ppocr_lite import OCR, cli
from ppocr_lite.errors import ImageError
from tests.typeset import LINES, column, typeset


@pytest.fixture(scope="module")
def reader() -> OCR:
    return OCR(threads=1)


def texts(reader: OCR, image: np.ndarray) -> list[str]:
    return [line.text for line in reader.ocr(image)]


def test_a_tall_screenshot_is_read_line_by_line(reader: OCR) -> None:
    lines = [f"{number}. {LINES[number % len(LINES)]}" for number in range(1, 61)]
    found = texts(reader, typeset(column(lines, step=50), (3060, 560), height=18))
    assert len(found) == len(lines)
    assert sum(line in found for line in lines) >= 54


@pytest.mark.parametrize("height", [160, 300])
def test_letters_of_hundreds_of_pixels_are_one_line(reader: OCR, height: int) -> None:
    page = typeset([((height / 3, height / 4), "Open 24h")], (round(1.6 * height), 5 * height), height=height)
    assert texts(reader, page) == ["Open 24h"]


def test_a_crop_cut_to_the_ink_is_read_whole(reader: OCR) -> None:
    line = typeset([((20, 20), "Invoice 4471")], (80, 400), height=30)
    rows, columns = np.nonzero(line[:, :, 0] < 128)
    crop = line[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    page = reader.ocr(crop)
    assert page.text == "Invoice 4471"
    assert (page[0].polygon >= 0).all() and (page[0].polygon <= crop.shape[1::-1]).all()


def test_lone_characters_in_the_cells_of_a_table_are_read(reader: OCR) -> None:
    names = ["Washer", "Bolt", "Hinge", "Screw", "Plate", "Bracket"]
    rows = [((60, 40 + 56 * i), name) for i, name in enumerate(names)]
    cells = [((260 + 120 * j, 40 + 56 * i), "42798A35BD60"[2 * i + j]) for i in range(6) for j in range(2)]
    found = texts(reader, typeset(rows + cells, (400, 520), height=24))
    assert sum(text in found for _, text in rows + cells) >= 16


@pytest.mark.parametrize("quarters", [1, -1], ids=["upwards", "downwards"])
def test_a_label_on_the_margin_is_read_whole(reader: OCR, quarters: int) -> None:
    page = typeset([((100, 20 + 52 * row), text) for row, text in enumerate(LINES)], (400, 720), height=22)
    label = np.rot90(typeset([((30, 14), "Order 5520 South Yard")], (50, 400), height=26), quarters)
    page[:, 20:70] = label
    found = texts(reader, page)
    assert "Order 5520 South Yard" in found
    assert len(found) == len(LINES) + 1


def test_digits_in_a_grid_are_read(reader: OCR) -> None:
    digits = [((24 + 80 * (i % 6), 16 + 80 * (i // 6)), str(1 + i * 7 % 9)) for i in range(0, 36, 1)]
    page = typeset(digits, (480, 480), height=42)
    page[::80] = page[:, ::80] = 0
    assert texts(reader, page) == [digit for _, digit in digits]


def test_a_peppered_page_is_read(reader: OCR) -> None:
    rng = np.random.default_rng(1)
    page = typeset(column(LINES), (330, 480))
    places = rng.random(page.shape[:2]) < 0.08
    page[places] = rng.integers(0, 2, (int(places.sum()), 1), np.uint8) * np.uint8(255)
    assert sum(text in LINES for text in texts(reader, page)) >= 4


def test_the_full_stop_after_a_line_is_read(reader: OCR) -> None:
    lines = [f"{line}." for line in LINES]
    assert texts(reader, typeset(column(lines), (330, 480))) == lines


def test_white_letters_on_nothing_are_read(reader: OCR) -> None:
    letters = 255 - typeset([((40, 30), "Level 12 completed")], (100, 400), height=30)[:, :, :1]
    white = np.full((100, 400, 3), 255, np.uint8)
    assert texts(reader, np.concatenate([white, letters], axis=2)) == ["Level 12 completed"]


def test_a_page_that_is_not_there_is_an_error_with_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan = tmp_path / "scan.tif"
    frames = [PIL.Image.new("L", (64, 64), 255) for _ in range(3)]
    frames[0].save(scan, save_all=True, append_images=frames[1:])
    assert cli.main(["ocr", str(scan), "--pages", "7"]) == 1
    assert f"{scan}: there is no page 7; it has 3." in capsys.readouterr().err
    assert cli.main(["ocr", str(scan), "--pages", "2-7"]) == 0


def test_a_stream_names_pages_that_are_not_there(reader: OCR, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    scan = tmp_path / "scan.tif"
    frames = [PIL.Image.new("L", (64, 64), 255) for _ in range(2)]
    frames[0].save(scan, save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="there is no page 7; it has 2"):
        list(reader.stream(scan, pages="7"))
    (page,) = reader.stream(scan, pages="7", on_error="skip")
    assert "there is no page 7" in str(page.error)
    assert len(list(reader.stream(scan, pages="2,7"))) == 1
    assert "there is no page 7; it has 2" in caplog.text
