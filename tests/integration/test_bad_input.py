"""What cannot be read is named, in one line a user can act on; what holds no text gives an empty result."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from ppocr_lite import OCR, OCRResult
from ppocr_lite.errors import ConfigError, ImageError, ModelError


@pytest.fixture(scope="module")
def ocr(small_models: dict[str, Path]) -> OCR:
    return OCR(**small_models, threads=1)


def jpeg() -> bytes:
    page = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    done, data = cv2.imencode(".jpg", page)
    assert done
    return data.tobytes()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("words.jpg", b"only words", "not an image"),
        ("empty.jpg", b"", "empty"),
        ("cut.jpg", jpeg()[:600], "truncated or damaged"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\x00\x00", "not an image|damaged"),
    ],
)
def test_a_damaged_file_is_named(ocr: OCR, tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ImageError, match=message) as caught:
        ocr.ocr(path)
    assert name in str(caught.value)


def test_a_missing_file_is_named(ocr: OCR, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"absent\.png"):
        ocr.ocr(tmp_path / "absent.png")


@pytest.mark.parametrize(
    "array",
    [
        np.full((8, 8, 3), np.nan, np.float32),
        np.zeros((8, 8, 3), np.float64),
        np.zeros((8, 8, 3), np.int32),
        np.zeros((8, 8, 5), np.uint8),
        np.zeros((3, 8, 8), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros(8, np.uint8),
    ],
    ids=lambda array: f"{array.shape} {array.dtype}",
)
def test_an_array_that_is_no_image_is_named(ocr: OCR, array: np.ndarray) -> None:
    with pytest.raises(ImageError, match="array"):
        ocr.ocr(array)


@pytest.mark.parametrize("given", [None, 3, {"image": 1}])
def test_another_type_is_a_type_error(ocr: OCR, given: object) -> None:
    with pytest.raises(TypeError, match="image"):
        ocr.ocr(given)  # type: ignore[call-overload]


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (10, 20000), (20000, 10), (31, 33)])
@pytest.mark.parametrize("value", [255, 0])
def test_any_size_gives_a_result(ocr: OCR, size: tuple[int, int], value: int) -> None:
    result = ocr.ocr(np.full((*size, 3), value, np.uint8))
    assert isinstance(result, OCRResult)
    assert result.size == size


@pytest.mark.parametrize("size", [(1, 1), (10, 3000), (3000, 10)])
def test_any_size_of_line_is_read(ocr: OCR, size: tuple[int, int]) -> None:
    line = np.zeros((*size, 3), np.uint8)
    assert len(ocr.recognize([line])) == len(ocr.classify([line])) == 1


def test_an_empty_list_gives_an_empty_list(ocr: OCR) -> None:
    assert ocr.ocr([]) == []
    assert ocr.recognize([]) == []
    assert ocr.classify([]) == []


def test_a_page_without_text_is_empty_not_none(small_models: dict[str, Path]) -> None:
    nothing = OCR(**small_models, det_db_box_thresh=1.0, threads=1)
    result = nothing.ocr(np.full((120, 160, 3), 255, np.uint8))
    assert (list(result), result.text, result.size) == ([], "", (120, 160))


def test_a_missing_model_folder_is_named(small_models: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder at .*nowhere"):
        OCR(**small_models | {"rec_model": tmp_path / "nowhere"})


def test_a_model_of_another_stage_is_named(small_models: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="is a cls model, but a det model is needed"):
        OCR(**small_models | {"det_model": small_models["cls_model"]})


def changed(folder: Path, target: Path, **values: object) -> Path:
    shutil.copytree(folder, target)
    path = target / "inference.yml"
    node = yaml.safe_load(path.read_text(encoding="utf-8")) | values
    path.write_text(yaml.safe_dump(node, allow_unicode=True), encoding="utf-8")
    return target


def test_characters_of_another_number_are_named(small_models: dict[str, Path], tmp_path: Path) -> None:
    folder = changed(small_models["rec_model"], tmp_path / "rec", characters=list("abc"))
    with pytest.raises(ModelError, match=r"inference\.yml: there are 3 characters, but the network .* has 191"):
        OCR(**small_models | {"rec_model": folder})


def test_a_dictionary_of_another_length_is_named(small_models: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("a\nb\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"short\.txt: there are 2 characters, but the network .* has 191"):
        OCR(**small_models, rec_char_dict_path=path)
    with pytest.raises(ConfigError, match="no dictionary file"):
        OCR(**small_models, rec_char_dict_path=tmp_path / "absent.txt")


def test_labels_of_another_number_are_named(small_models: dict[str, Path], tmp_path: Path) -> None:
    labels = {"name": "ClsPostProcess", "label_list": ["0", "90", "180"]}
    folder = changed(small_models["cls_model"], tmp_path / "cls", PostProcess=labels)
    with pytest.raises(ModelError, match="has 3 labels"):
        OCR(**small_models | {"cls_model": folder})


def test_a_height_the_network_was_not_made_for_is_named(small_models: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match=r"does not take an input of \(1, 3, 96"):
        OCR(**small_models, rec_image_shape="3,96,320")


@pytest.mark.parametrize("name", ["inference.json", "inference.pdiparams"])
def test_a_damaged_network_is_named(small_models: dict[str, Path], tmp_path: Path, name: str) -> None:
    folder = tmp_path / "det"
    shutil.copytree(small_models["det_model"], folder)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="det"):
        OCR(**small_models | {"det_model": folder})


def test_an_image_of_more_pixels_than_allowed_is_refused_by_every_way_in(
    small_models: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), np.full((40, 50, 3), 255, np.uint8))
    strict, exact = OCR(**small_models, threads=1, max_pixels=1_999), OCR(**small_models, threads=1, max_pixels=2_000)
    for read in (
        strict.ocr,
        strict.detect,
        strict.classify,
        strict.recognize,
        lambda source: next(strict.stream(source)),
    ):
        with pytest.raises(ImageError, match=r"page\.png: 50 x 40 pixels are more than max_pixels allows \(1,999\)"):
            read(path)
    assert exact.ocr(path).size == next(exact.stream(path)).size == (40, 50)
    with pytest.raises(ConfigError, match="max_pixels must be at least 1"):
        OCR(**small_models, max_pixels=0)
