"""One set of networks serves readers with different thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ppocr_lite import OCR
from ppocr_lite.errors import ConfigError, ImageError
from ppocr_lite.io import images

SAMPLE = Path(__file__).parents[3] / "doc" / "samples" / "letter.tif"


@pytest.fixture(scope="module")
def ocr() -> OCR:
    return OCR(threads=1)


def test_the_networks_are_shared_and_the_thresholds_are_not(ocr: OCR) -> None:
    strict = ocr.with_options(drop_score=0.99, det_db_box_thresh=0.6)
    assert strict._reader.networks() == ocr._reader.networks()
    assert (strict.drop_score, strict.max_pixels) == (0.99, ocr.max_pixels)
    assert all(line.score >= 0.99 for line in strict.ocr(SAMPLE))
    assert len(strict.ocr(SAMPLE)) <= len(ocr.ocr(SAMPLE))


def test_options_that_need_other_networks_are_refused(ocr: OCR) -> None:
    with pytest.raises(ConfigError, match="lang needs other networks"):
        ocr.with_options(lang="ch")
    with pytest.raises(ConfigError, match="box_thresh"):
        ocr.with_options(det_db_box_thresh="high")


def test_a_reader_of_ready_stages_has_no_options(ocr: OCR) -> None:
    with pytest.raises(TypeError, match=r"OCR\.of"):
        OCR.of(ocr._reader.detector, recognizer=ocr._reader.recognizer).with_options(drop_score=0.5)


def test_decoded_pages_are_read_in_order_and_what_could_not_be_decoded_keeps_its_place(ocr: OCR) -> None:
    page = images.read(SAMPLE)
    blank = np.full((64, 64, 3), 255, np.uint8)
    given = [("a", page), ("b", ImageError("b: damaged")), ("c", blank)]
    read = list(ocr.stream_pages((one for one in given), on_error="skip"))
    assert [result.source for result in read] == ["a", "b", "c"]
    assert [result.error for result in read] == [None, "b: damaged", None]
    assert read[0].text == ocr.ocr(page).text
    with pytest.raises(ImageError, match="b: damaged"):
        list(ocr.stream_pages(one for one in given))
