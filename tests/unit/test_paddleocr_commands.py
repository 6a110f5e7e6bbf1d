"""Scripts of PaddleOCR: their options, what they log, what they draw; and what their users are told."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from ppocr_lite import cli
from ppocr_lite.commands import inputs, paddleocr
from ppocr_lite.io import images
from ppocr_lite.results import Detections, OCRResult, Orientation, Recognition
from ppocr_lite.textline import TextLine

ROOT = Path(__file__).parents[2]
QUAD = np.float32([[1.4, 1], [9, 1], [9, 5], [1, 5.6]])
SEEN: list[dict[str, object]] = []


class FakeOCR:
    max_pixels = 1000

    def __init__(self, **options: object) -> None:
        SEEN.append(options)

    def detect(self, image: object) -> Detections:
        return Detections([QUAD], [0.8])

    def classify(self, crops: list[object]) -> list[Orientation]:
        return [Orientation(180, 0.9999759)]

    def recognize(self, crops: list[object]) -> list[Recognition]:
        return [Recognition("实力活力", 0.9409585)]

    def ocr(self, image: np.ndarray) -> OCRResult:
        return OCRResult((TextLine(QUAD, "text", 0.98765, 0.8),), image.shape[:2])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with ``imgs/word.jpg``."""
    (tmp_path / "imgs").mkdir()
    images.write(tmp_path / "imgs" / "word.jpg", np.full((20, 30, 3), 230, np.uint8))
    monkeypatch.setattr(inputs, "OCR", FakeOCR)
    monkeypatch.chdir(tmp_path)
    SEEN.clear()
    return tmp_path


def run(tool: str, *arguments: str) -> int:
    """Run a script of ``tools/infer`` with arguments."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as leaving:
        patch.setattr(sys, "argv", [tool, *arguments])
        runpy.run_path(str(ROOT / "tools" / "infer" / f"{tool}.py"), run_name="__main__")
    return int(leaving.value.code or 0)


def logged(text: str) -> list[str]:
    """The lines of the log, after their times."""
    lines = [re.fullmatch(r"\[\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\] root INFO: (.*)", line) for line in text.splitlines()]
    return [line[1] for line in lines if line]


def test_predict_det_logs_and_draws(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("predict_det", "--image_dir=./imgs/word.jpg", "--det_model_dir=./inference/det", "--use_gpu=False") == 0
    boxes, seconds, drawn = logged(capsys.readouterr().out)
    assert boxes == "word.jpg\t[[[1, 1], [9, 1], [9, 5], [1, 6]]]"
    assert re.fullmatch(r"The predict time of \./imgs/word\.jpg: 0?\.?\d.*", seconds)
    assert drawn == "The visualized image saved in ./inference_results/det_res_word.jpg"
    assert images.read(folder / "inference_results" / "det_res_word.jpg").shape == (20, 30, 3)
    assert (folder / "inference_results" / "det_results.txt").read_text(encoding="utf-8") == boxes + "\n"
    assert SEEN == [{"det_model": "./inference/det"}]


@pytest.mark.parametrize(
    "tool, said", [("predict_cls", "['180', 0.9999759]"), ("predict_rec", "('实力活力', 0.9409585)")]
)
def test_predict_cls_and_rec_log(tool: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tool, "--image_dir", "./imgs/word.jpg", "--use_gpu", "True", "--rec_batch_num=3") == 0
    assert logged(capsys.readouterr().out) == [f"Predicts of ./imgs/word.jpg:{said}"]
    assert SEEN == [{"device": "gpu:0", "rec_batch_num": 3}]


def test_predict_system_logs_and_draws(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--use_angle_cls=true", "--draw_img_save_dir=out", "--drop_score=0.4", "--show_log=False"]
    assert run("predict_system", "--image_dir=imgs", *options) == 0
    shown = capsys.readouterr()
    time, line, drawn = logged(shown.out)
    assert time.startswith("Predict time of imgs/word.jpg: ")
    assert line == "text, 0.988"
    assert drawn == "The visualized image saved in ./out/word.jpg"
    assert "--show_log has no effect" in shown.err
    assert (folder / "out" / "system_results.txt").read_text(encoding="utf-8").startswith('word.jpg\t[{"transcription"')
    assert SEEN == [{"use_angle_cls": True, "drop_score": 0.4}]


def test_an_image_that_cannot_be_read_is_named_and_the_rest_done(capsys: pytest.CaptureFixture[str]) -> None:
    Path("imgs/broken.png").write_bytes(b"not an image")
    assert run("predict_rec", "--image_dir=imgs") == 1
    shown = capsys.readouterr()
    assert len(logged(shown.out)) == 1
    assert "broken.png: not an image" in shown.err


def test_an_image_must_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("predict_rec", "--use_gpu=False") == 2
    assert "--image_dir is required" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, said",
    [
        (["--image_dir", "x.jpg"], "ppocr-lite: --image_dir is PaddleOCR's: give the images"),
        (["ocr", "--image_dir=x.jpg"], "as they are, ppocr-lite ocr x.jpg"),
        (["ocr", "x.jpg", "--use_gpu", "false"], "ppocr-lite ocr: --use_gpu is PaddleOCR's: use --device gpu:0"),
        (["det", "x.jpg", "--det_model_dir=a"], "ppocr-lite det: --det_model_dir is PaddleOCR's: use --det-model"),
        (["rec", "x.jpg", "--drop_score", "0.5"], "ppocr-lite rec: --drop_score is PaddleOCR's: use --drop-score"),
        (["ocr", "x.jpg", "--show_log=False"], "has no effect here: configure logging"),
    ],
)  # fmt: skip
def test_an_option_of_paddleocr_is_answered_in_a_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == cli.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_options_of_our_own_are_left_alone() -> None:
    assert [paddleocr.advice(word) for word in ("--drop-score=1", "--recursive", "x.jpg", "--quiet")] == [None] * 4
