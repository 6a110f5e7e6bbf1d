"""Folders of PaddleOCR and PaddleX read pages: PP-OCRv2's layout, written by Paddle 2, and PaddleX's layout."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from ppocr_lite import OCR
from ppocr_lite.errors import ModelError
from ppocr_lite.predict.stages import load_recognizer

DATA = Path(__file__).parents[1] / "data" / "ppocr_v2"
V2: dict[str, Any] = {f"{family}_model": DATA / family for family in ("det", "cls", "rec")}
V2 |= {"rec_char_dict_path": DATA / "dictionary.txt", "drop_score": 0.0, "threads": 1}
READERS = [e for e, module in (("openvino", "openvino"), ("paddle", "paddle")) if importlib.util.find_spec(module)]


@pytest.mark.parametrize("engine", ["auto", *READERS])
def test_a_page_is_read_with_folders_of_paddle_2(engine: str) -> None:
    page = np.full((320, 480, 3), 255, np.uint8)
    cv2.rectangle(page, (40, 50), (200, 81), (0, 0, 0), -1)
    cv2.rectangle(page, (260, 150), (420, 190), (60, 60, 60), -1)
    result = OCR(**V2, engine=engine).ocr(page)  # type: ignore[arg-type]
    centers = [line.polygon.mean(axis=0) for line in result]
    np.testing.assert_allclose(centers, [[120, 66], [340, 170]], atol=4)


@pytest.mark.parametrize("engine", READERS)
def test_brightness_reads_as_its_letter(engine: str) -> None:
    ocr = OCR(**V2, engine=engine)  # type: ignore[arg-type]
    crops = [np.full((32, 320, 3), value, np.uint8) for value in (255, 223, 191, 64, 0, 128)]  # tests/data: CENTERS
    assert [line.text for line in ocr.recognize(crops)] == ["a", "b", "c", "d", "", ""]  # a lone space is no text
    assert [found.angle for found in ocr.classify([crops[0], crops[4]])] == [0, 180]


def test_without_a_dictionary_it_says_what_to_give() -> None:
    with pytest.raises(ModelError, match="no list of characters.*rec_char_dict_path="):
        OCR(**{name: value for name, value in V2.items() if name != "rec_char_dict_path"})


@pytest.mark.parametrize("letters", ["abc", "abcdef"])
def test_a_dictionary_of_another_length_is_refused(letters: str, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("\n".join(letters), encoding="utf-8")
    with pytest.raises(ModelError, match=rf"other\.txt: there are {len(letters)} characters.* 6 classes"):
        OCR(**V2 | {"rec_char_dict_path": path})


def test_another_height_than_the_network_s_is_refused() -> None:
    with pytest.raises(ModelError, match=r"does not take an input of \(1, 3, 48.*only of \(-1, 3, 32"):
        OCR(**V2, rec_image_shape="3,48,320")


def test_a_folder_in_the_wrong_place_is_refused(tmp_path: Path) -> None:
    shutil.copytree(DATA / "det", tmp_path / "det")
    node = {"PreProcess": {"transform_ops": [{"ToCHWImage": None}]}, "PostProcess": {"name": "DBPostProcess"}}
    (tmp_path / "det" / "inference.yml").write_text(yaml.safe_dump(node), encoding="utf-8")
    with pytest.raises(ModelError, match="is a det model, but a rec model is needed"):
        load_recognizer(tmp_path / "det")


@pytest.mark.parametrize("spaced", [True, False])
def test_a_folder_of_paddlex_reads_as_ours_does(
    export_small: Callable[..., Path], tmp_path: Path, spaced: bool
) -> None:
    own = export_small("rec")
    said = yaml.safe_load((own / "inference.yml").read_text(encoding="utf-8"))
    assert said["characters"][-1] == " "
    listed = said["characters"] if spaced else said["characters"][:-1]
    for name in ("inference.json", "inference.pdiparams"):
        (tmp_path / name).write_bytes((own / name).read_bytes())
    steps = [{"DecodeImage": {"img_mode": "BGR"}}, {"MultiLabelEncode": None}, {"RecResizeImg": None}, {"KeepKeys": {}}]
    node = {
        "Global": {"model_name": "PP-OCRv4_mobile_rec"},
        "PreProcess": {"transform_ops": steps},
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": listed},
    }
    (tmp_path / "inference.yml").write_text(yaml.safe_dump(node, allow_unicode=True), encoding="utf-8")
    rng = np.random.default_rng(0)
    lines = [rng.integers(0, 255, (40, int(width), 3), dtype=np.uint8) for width in (60, 200, 300)]
    theirs = load_recognizer(tmp_path)
    ours = load_recognizer(own, resize={"image_shape": [3, 32, 320], "squeeze": False})
    assert theirs.recognize(lines) == ours.recognize(lines)
