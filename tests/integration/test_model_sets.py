"""Published networks read as they should, where the packages that bring them are installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ppocr_lite import OCR
from ppocr_lite.predict.bundle import convert, read_bundle
from ppocr_lite.predict.models import SETS, ModelSet
from ppocr_lite.predict.stages import load_recognizer

ROOT = Path(__file__).parents[2]
LETTER = ROOT / "doc" / "samples" / "letter.tif"
SPACES = 52  # in the text of the letter
HEIGHTS = {"PP-OCRv2_mobile": 32}


def here(row: ModelSet) -> ModelSet:
    if row.folder is None:
        pytest.skip(f"{row.name} is not installed: {row.install_command}")
    return row


def row(name: str) -> ModelSet:
    return here(next(known for known in SETS if known.name == name))


@pytest.mark.parametrize("known", SETS, ids=lambda known: known.name)
def test_a_letter_keeps_its_spaces_and_full_stops(known: ModelSet) -> None:
    page = OCR(models=here(known).name, threads=1).ocr(LETTER)
    assert len(page) == 8
    assert page.text.count(" ") >= SPACES - 1
    assert page.text.lower().count("fox.") >= 3


@pytest.mark.parametrize("known", SETS, ids=lambda known: known.name)
def test_the_height_is_the_one_it_was_trained_at(known: ModelSet) -> None:
    folder = here(known).folder
    assert folder is not None
    stage = load_recognizer(folder / known.files["rec"], threads=1, dictionary=_dictionary(known, folder))
    assert stage.preprocess.steps[0].height == HEIGHTS.get(known.name, 48)  # type: ignore[attr-defined]


def _dictionary(known: ModelSet, folder: Path) -> Path | None:
    return None if known.dictionary is None else folder / known.dictionary


def test_a_network_of_paddle_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("paddle2onnx", reason="it converts")
    known = row("PP-OCRv4_mobile_paddle")
    monkeypatch.setattr(convert, "cache_folder", lambda: tmp_path)
    assert known.folder is not None
    folder = known.folder / known.files["rec"]
    dictionary = _dictionary(known, known.folder)
    stage = load_recognizer(folder, engine="onnxruntime", dictionary=dictionary)
    (kept,) = tmp_path.rglob("*.onnx")
    written = kept.stat().st_mtime_ns
    load_recognizer(folder, engine="onnxruntime", dictionary=dictionary)
    assert kept.stat().st_mtime_ns == written
    line = np.random.default_rng(0).integers(0, 255, (1, 3, 48, 320)).astype(np.float32) / 127.5 - 1
    onnx = row("PP-OCRv4_mobile")
    assert onnx.folder is not None
    same = load_recognizer(onnx.folder / onnx.files["rec"], engine="onnxruntime")
    np.testing.assert_allclose(stage.runner.run(line), same.runner.run(line), atol=1e-4)


def test_the_dictionary_of_the_newest_is_in_its_network() -> None:
    known = row("PP-OCRv6_small")
    assert known.folder is not None
    characters = read_bundle(known.folder / known.files["rec"]).characters
    assert characters is not None
    assert len(characters) == 18708
