"""``from ppocr_lite import PaddleOCR``: arguments and return values of 2.x, ``predict()`` of 3.x."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ppocr_lite
from ppocr_lite import OCRResult, TextLine
from ppocr_lite.config.reading import ReadingPolicy
from ppocr_lite.io import images
from ppocr_lite.predict import paddleocr
from ppocr_lite.results import Orientation, Recognition

QUAD = np.float32([[1, 1], [9, 1], [9, 5], [1, 5]])
BRIGHT, DARK = np.full((20, 30, 3), 230, np.uint8), np.zeros((20, 30, 3), np.uint8)
READ = [QUAD.tolist(), ("bright", 0.9)]


class FakeOCR:
    """A bright image has one line, a dark one none; a line stands on its head."""

    max_pixels, drop_score, policy = 1000, 0.5, ReadingPolicy(turn_score=0.9)
    given: dict[str, Any] = {}

    def __init__(self, **given: Any) -> None:
        type(self).given = given

    def ocr(self, image: Any, cls: bool, rec: bool) -> OCRResult:
        pixels = images.read(image)
        lines = (TextLine(QUAD, "bright" if rec else "", 0.9, 0.8),) if pixels.mean() > 100 else ()
        return OCRResult(lines, pixels.shape[:2], str(image) if isinstance(image, str | Path) else None)

    def stream(self, path: Any, cls: bool, rec: bool) -> Any:
        return (OCRResult((), (1, 1), f"{path}#{page}") for page in (1, 2))

    def classify(self, lines: list[Any]) -> list[Orientation]:
        return [Orientation(180, 0.99)]

    def recognize(self, lines: list[Any]) -> list[Recognition]:
        return [Recognition("up" if lines[0][0, 0, 0] == 230 else "down", 0.8)]


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paddleocr, "OCR", FakeOCR)


def made(**arguments: Any) -> ppocr_lite.PaddleOCR:
    with pytest.warns(DeprecationWarning, match="new code uses ppocr_lite.OCR") as caught:
        reader = ppocr_lite.PaddleOCR(**arguments)
    assert len(caught) == 1 and caught[0].filename == __file__
    return reader


@pytest.mark.parametrize(
    "given, expected",
    [
        ({}, {"lang": "ch", "use_angle_cls": False}),
        (
            {"use_angle_cls": True, "lang": "en", "use_gpu": False, "show_log": False, "det_model_dir": "a"},
            {"lang": "en", "use_angle_cls": True, "det_model": "a"},
        ),
        (
            {"use_textline_orientation": True, "use_doc_unwarping": False, "device": "gpu", "text_rec_score_thresh": 1},
            {"lang": "ch", "use_angle_cls": True, "device": "gpu:0", "drop_score": 1},
        ),
        ({"rec_model_dir": "a"}, {"rec_model": "a", "use_angle_cls": False}),
    ],
)  # fmt: skip
def test_arguments_of_both_releases_are_understood(given: dict[str, Any], expected: dict[str, Any]) -> None:
    made(**given)
    assert FakeOCR.given == expected


def test_an_unknown_argument_is_a_type_error() -> None:
    with pytest.warns(DeprecationWarning), pytest.raises(TypeError, match="Did you mean 'det_db_thresh'"):
        ppocr_lite.PaddleOCR(det_db_tresh=0.3)
    with pytest.raises(TypeError, match=r"ocr\(\) has no argument 'clss'"):
        made().ocr(BRIGHT, clss=True)


def test_pages_are_returned_as_in_2() -> None:
    reader = made()
    assert reader.ocr(BRIGHT, cls=True) == [[READ]]
    assert reader.ocr(DARK) == [None]
    assert reader.ocr([BRIGHT, DARK]) == [[READ], None]
    assert reader.ocr(BRIGHT, rec=False) == [[QUAD.tolist()]]
    assert reader.ocr(DARK, rec=False) == [None]
    assert reader.ocr("scan.pdf") == [None, None]


def test_lines_are_returned_as_in_2() -> None:
    reader, line = made(use_angle_cls=True), BRIGHT.copy()
    line[-1, -1] = 0
    assert reader.ocr(line, det=False) == [[("down", 0.8)]]  # turned
    assert reader.ocr(line, det=False, cls=False) == [[("up", 0.8)]]
    assert reader.ocr(line, det=False, rec=False) == [[("180", 0.99)]]
    assert made().ocr([line, line], det=False, cls=True) == [[("up", 0.8)], [("up", 0.8)]]


def test_predict_returns_what_3_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.png"
    images.write(path, BRIGHT)
    (page,) = made().predict(str(path), use_doc_unwarping=False)
    assert page["rec_texts"] == ["bright"] and page["rec_scores"] == [0.9]
    assert page["rec_boxes"].tolist() == [[1, 1, 9, 5]]
    assert page["rec_polys"][0].dtype == np.int16
    page.save_to_img(tmp_path / "out")
    page.save_to_json(tmp_path / "out")
    assert images.read(tmp_path / "out" / "a_ocr_res_img.jpg").shape == (20, 60, 3)
    saved = json.loads((tmp_path / "out" / "a_res.json").read_text(encoding="utf-8"))
    assert saved == page.json["res"]
    assert (saved["input_path"], saved["page_index"]) == (str(path), None)
    page.print()
    assert "'rec_texts': ['bright']" in capsys.readouterr().out


def test_predict_of_a_blank_page_and_of_a_pdf() -> None:
    reader = made()
    (page,) = reader.predict(DARK)
    assert page["rec_texts"] == [] and page["rec_boxes"].shape == (0, 4)
    assert [(p["input_path"], p["page_index"]) for p in reader.predict("b.pdf")] == [("b.pdf", 0), ("b.pdf", 1)]
