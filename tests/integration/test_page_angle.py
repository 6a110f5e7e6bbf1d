"""Pages on their side, on their head and askew are read as upright ones are."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppocr_lite import OCR, OCRResult
from ppocr_lite.errors import ConfigError
from ppocr_lite.predict.layout.turn import turned_back
from tests.typeset import LINES, column, typeset

SAMPLES = Path(__file__).parents[2] / "doc" / "samples"
PAGE = typeset(column(LINES), (330, 480))
QUARTERS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@pytest.fixture(scope="module")
def reader() -> OCR:
    return OCR(threads=1)


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_turned_page_is_read_in_order_and_says_its_angle(reader: OCR, angle: int) -> None:
    turned = cv2.rotate(PAGE, QUARTERS[angle])
    page = reader.ocr(turned)
    assert page.text == reader.ocr(PAGE).text
    assert (page.angle, page.size) == (angle, turned.shape[:2])
    assert OCRResult.from_dict(page.to_dict()) == page


@pytest.mark.parametrize("angle", [90, 270])
def test_polygons_are_pixels_of_the_input_and_begin_where_reading_does(reader: OCR, angle: int) -> None:
    turned = cv2.rotate(PAGE, QUARTERS[angle])
    upright = [line.polygon for line in reader.ocr(PAGE)]
    found = [line.polygon for line in reader.ocr(turned)]
    back = turned_back(PAGE, 360 - angle).restore(found)  # PAGE is *turned*, turned by the rest of the circle
    assert np.abs(np.array(back) - np.array(upright)).max() < 8


def test_lines_far_askew_are_read_too(reader: OCR) -> None:
    page = reader.ocr(turned_back(PAGE, 45).pixels)
    assert page.text == reader.ocr(PAGE).text
    assert page.angle == pytest.approx(315, abs=2)


def test_an_upright_page_is_found_once_and_not_turned(reader: OCR, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, runs = reader._reader.detector.runner, []
    monkeypatch.setattr(reader._reader.detector, "predict", lambda batch: runs.append(1) or runner.run(batch))
    assert reader.ocr(PAGE).angle == 0
    assert len(runs) == 1


def test_upright_pages_are_read_as_without_the_step(reader: OCR) -> None:
    """The same text, boxes and scores, page by page."""
    without = OCR(threads=1, page_angle=0)
    form = typeset([((30 + 240 * (i % 2), 20 + 40 * (i // 2)), text) for i, text in enumerate(LINES)], (180, 620))
    samples = [SAMPLES / name for name in ("browser.png", "calculator.png")]
    for page in (PAGE, 255 - PAGE, form, turned_back(PAGE, 3).pixels, *samples):
        found, expected = reader.ocr(page), without.ocr(page)
        assert len(found) > 0
        assert found == expected
        assert [line.polygon.tolist() for line in found] == [line.polygon.tolist() for line in expected]


def test_the_angle_can_be_given(caplog: pytest.LogCaptureFixture) -> None:
    turned = cv2.rotate(PAGE, QUARTERS[90])
    with caplog.at_level(logging.INFO, "ppocr_lite"):
        page = OCR(threads=1, page_angle=90).ocr(turned)
    assert (page.angle, page[0].text, caplog.text) == (90, LINES[0], "")
    assert OCR(threads=1, page_angle=0).ocr(turned).angle == 0
    with pytest.raises(ConfigError, match="page_angle must be one of auto, 0, 90, 180, 270. Received: 45"):
        OCR(page_angle=45)  # type: ignore[arg-type]


def test_stream_turns_pages_too(reader: OCR, tmp_path) -> None:  # type: ignore[no-untyped-def]
    for angle, code in QUARTERS.items():
        cv2.imwrite(str(tmp_path / f"{angle}.png"), cv2.rotate(PAGE, code))
    assert [page.angle for page in reader.stream(tmp_path)] == [180, 270, 90]
