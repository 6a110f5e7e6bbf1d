"""The models that come with the package: all of them there, small, and reading what they were trained for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ppocr_lite import OCR
from ppocr_lite.charset import Charset
from ppocr_lite.errors import DataError
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.released import FOLDER, LANGUAGES, released, released_model
from ppocr_lite.synth.face import FontFace
from ppocr_lite.synth.fonts import FontBook

MEGABYTES = {"cls": 1.5, "det": 5, "rec_en": 5, "rec_ch": 9}  # network for Paddle and for ONNX Runtime together
BUNDLE_MEGABYTES = 20
TEXTS = {"en": "Receipt 24.50", "ch": "中国人民大学"}


def megabytes(name: str) -> float:
    files = (path for path in (FOLDER / name).iterdir() if path.suffix != ".safetensors")  # stays out of the wheel
    return sum(path.stat().st_size for path in files) / 1e6


def test_every_stage_and_language_is_there_with_its_card() -> None:
    assert set(released()) == set(MEGABYTES)
    for name in released():
        assert (FOLDER / name / "README.md").read_text(encoding="utf-8").startswith(f"# {name}:")


def test_the_package_stays_small() -> None:
    for name, most in MEGABYTES.items():
        assert megabytes(name) < most, name
    assert sum(map(megabytes, MEGABYTES)) < BUNDLE_MEGABYTES


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_recogniser_carries_the_dictionary_of_its_language(lang: str) -> None:
    assert read_bundle(released_model("rec", lang)).charset == Charset.load(lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_clean_line_is_read_in_most_fonts(lang: str) -> None:
    text = TEXTS[lang]
    try:
        faces = FontBook.discover(text).faces
    except DataError as error:
        pytest.skip(f"needs a font that draws {text!r}: {error}")
    upright = [face for face in faces if not (face.slanted or face.thin or face.capitals_only)][:20]
    lines = OCR(lang=lang, threads=1).recognize([drawn(text, face) for face in upright])
    assert sum(line.text == text for line in lines) > len(upright) / 2


def drawn(text: str, face: FontFace) -> np.ndarray:
    font = face.font(40)
    left, top, right, bottom = font.getbbox(text)
    line = Image.new("RGB", (int(right - left) + 8, int(bottom - top) + 8), "white")
    ImageDraw.Draw(line).text((4 - left, 4 - top), text, font=font, fill="black")
    return np.asarray(line)


def test_crops_read_as_the_page_does(root: Path) -> None:
    reader = OCR(threads=2)
    page = reader.ocr(root / "doc" / "samples" / "letter.tif")
    assert len(page) > 3
    assert [line.text for line in page] == [
        text for text, _ in reader.recognize(page.crops(margin=reader.policy.margin))
    ]
