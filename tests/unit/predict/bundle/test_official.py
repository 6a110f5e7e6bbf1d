"""Folders of PaddleOCR and PaddleX, as far as they are understood without running them."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ppocr_lite.charset import Charset
from ppocr_lite.errors import ModelError
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.bundle.official import fit_characters

DATA = Path(__file__).parents[3] / "data" / "ppocr_v2"
DECODE = {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}}
KEEP = {"KeepKeys": {"keep_keys": ["image", "shape"]}}
NORMALIZE = {
    "NormalizeImage": {"mean": [0.5, 0.4, 0.3], "order": "hwc", "scale": "1./255.", "std": [0.2, 0.25, 0.3]},
}
DET: dict[str, Any] = {
    "Global": {"model_name": "PP-OCRv4_mobile_det"},
    "Hpi": {"backend_configs": {"paddle_infer": {"trt_dynamic_shapes": {"x": [[1, 3, 32, 32]]}}}},
    "PreProcess": {
        "transform_ops": [
            DECODE,
            {"DetLabelEncode": None},
            {"DetResizeForTest": {"resize_long": 1024}},
            NORMALIZE,
            {"ToCHWImage": None},
            KEEP,
        ]
    },
    "PostProcess": {"name": "DBPostProcess", "thresh": 0.25, "box_thresh": 0.5, "unclip_ratio": 1.7, "extra": 1},
}
REC: dict[str, Any] = {
    "PreProcess": {
        "transform_ops": [
            DECODE,
            {"MultiLabelEncode": {"gtc_encode": "NRTRLabelEncode"}},
            {"RecResizeImg": {"image_shape": [3, 48, 320]}},
            KEEP,
        ]
    },
    "PostProcess": {"name": "CTCLabelDecode", "character_dict": ["a", "b", "中", " ", "1"]},
}


def folder(tmp_path: Path, family: str, node: dict[str, Any] | None = None) -> Path:
    made = tmp_path / family
    shutil.copytree(DATA / family, made)
    if node is not None:
        (made / "inference.yml").write_text(yaml.safe_dump(node, allow_unicode=True), encoding="utf-8")
    return made


def test_a_bare_detector_gets_the_usual_steps() -> None:
    bundle = read_bundle(DATA / "det", "det")
    resize, normalize, order = bundle.build_preprocess().steps
    assert (resize.limit_side_len, resize.limit_type, resize.image_shape) == (960, "max", None)  # type: ignore[attr-defined]
    assert normalize.factor * 255 == pytest.approx([1 / 0.229, 1 / 0.224, 1 / 0.225])  # type: ignore[attr-defined]
    assert type(order).__name__ == "ToCHWImage"
    after = bundle.build_postprocess()
    assert (after.thresh, after.box_thresh, after.unclip_ratio) == (0.3, 0.6, 1.5)
    assert bundle.foreign


def test_a_bare_recogniser_has_the_height_of_its_network_and_no_characters() -> None:
    bundle = read_bundle(DATA / "rec", "rec")
    (resize,) = bundle.build_preprocess().steps
    assert (resize.height, resize.width, resize.squeeze) == (32, 320, False)  # type: ignore[attr-defined]
    assert bundle.characters is None


def test_a_bare_classifier_takes_lines_of_48_by_192() -> None:
    bundle = read_bundle(DATA / "cls", "cls")
    (resize,) = bundle.build_preprocess().steps
    assert (resize.height, resize.width) == (48, 192)  # type: ignore[attr-defined]
    assert bundle.build_postprocess().angles == [0, 180]


def test_what_the_file_says_is_taken(tmp_path: Path) -> None:
    bundle = read_bundle(folder(tmp_path, "det", DET))
    resize, normalize, _ = bundle.build_preprocess().steps
    assert (resize.limit_side_len, resize.limit_type) == (1024, "max")  # type: ignore[attr-defined]
    assert normalize.factor * 255 == pytest.approx([1 / 0.2, 1 / 0.25, 1 / 0.3])  # type: ignore[attr-defined]
    after = bundle.build_postprocess()
    assert (after.thresh, after.box_thresh, after.unclip_ratio) == (0.25, 0.5, 1.7)
    assert bundle.created_by == "PP-OCRv4_mobile_det"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (None, (960, "max", None)),
        ({"limit_side_len": 736, "limit_type": "min"}, (736, "min", None)),
        ({"image_shape": [640, 480]}, (736, "min", (640, 480))),
    ],
)
def test_each_way_of_saying_the_size_of_a_page(tmp_path: Path, arguments: Any, expected: Any) -> None:
    steps = [{"DetResizeForTest": arguments}, {"ToCHWImage": None}]
    bundle = read_bundle(folder(tmp_path, "det", DET | {"PreProcess": {"transform_ops": steps}}))
    resize = bundle.build_preprocess().steps[0]
    assert (resize.limit_side_len, resize.limit_type, resize.image_shape) == expected  # type: ignore[attr-defined]


def test_the_height_of_the_network_wins_over_the_file(tmp_path: Path) -> None:
    bundle = read_bundle(folder(tmp_path, "rec", REC))
    assert bundle.build_preprocess().steps[0].height == 32  # type: ignore[attr-defined]
    assert bundle.characters == ("a", "b", "中", " ", "1")


def test_a_repeated_character_keeps_its_class(tmp_path: Path) -> None:
    node = REC | {"PostProcess": {"name": "CTCLabelDecode", "character_dict": [" ", "a", " "]}}
    charset = read_bundle(folder(tmp_path, "rec", node)).charset
    assert charset is not None
    assert charset.num_classes == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"PreProcess": {"transform_ops": [{"WarpImage": {"size": [160, 80]}}]}}, "'WarpImage' is not known"),
        ({"PreProcess": {"transform_ops": [{"DecodeImage": {"img_mode": "RGB"}}]}}, r"ops\[0\].*BGR"),
        ({"PreProcess": {"transform_ops": ["ToCHWImage"]}}, r"ops\[0\] must be one"),
        ({"PreProcess": {"transform_ops": [{"RecResizeImg": {"image_shape": [3, 48]}}]}}, "image_shape"),
        ({"PostProcess": {"name": "NRTRLabelDecode"}}, "NRTRLabelDecode.*has CTCLabelDecode"),
        ({"PostProcess": {"name": "CTCLabelDecode", "character_dict": "abc"}}, "character_dict"),
    ],
)
def test_what_is_not_understood_is_named_with_its_file(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        read_bundle(folder(tmp_path, "rec", REC | change), "rec")
    assert "inference.yml" in str(caught.value)


@pytest.mark.parametrize("name", ["det", "cls", "rec"])
def test_a_bare_folder_is_told_by_what_it_returns(name: str) -> None:
    assert read_bundle(DATA / name).model_type == name


def test_a_network_in_the_place_of_another_kind_is_named() -> None:
    with pytest.raises(ModelError, match=r"is a detector \(it returns .*\), but a recogniser is needed"):
        read_bundle(DATA / "det", "rec")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    made = folder(tmp_path, "det")
    (made / "inference.pdiparams").unlink()
    with pytest.raises(ModelError, match=r"has no inference\.pdiparams"):
        read_bundle(made, "det")


def test_the_number_of_classes_decides_about_the_space(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ppocr_lite")
    assert fit_characters("abc", 4, "d.txt", "rec", add_space=True) == ("a", "b", "c")
    assert caplog.messages == []
    assert fit_characters("abc", 5, "d.txt", "rec", add_space=True) == ("a", "b", "c", " ")
    assert "d.txt" in caplog.text
    assert fit_characters(["blank", "a"], 2, "d.txt", "rec", add_space=True) == ("a",)
    assert fit_characters(["blank", "a"], 3, "d.txt", "rec", add_space=True) == ("blank", "a")
    assert fit_characters(["blank", "a", "b"], 3, "d.txt", "rec", add_space=True) == ("a", "b")
    for classes, add_space in ((3, True), (6, True), (5, False)):
        with pytest.raises(ModelError, match=rf"d\.txt: there are 3 characters.* {classes} classes"):
            fit_characters("abc", classes, "d.txt", "rec", add_space)


def test_a_dictionary_may_repeat_characters_only_where_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "d.txt"
    path.write_text("a\nb\na\n", encoding="utf-8")
    assert Charset.load(path, use_space_char=False, allow_duplicates=True).characters == ("a", "b", "a")
    with pytest.raises(ValueError, match="already on line 1"):
        Charset.load(path)


def test_the_line_orientation_of_80_by_160_is_stretched_and_in_rgb(tmp_path: Path) -> None:
    steps = [{"ResizeImage": {"size": [160, 80]}}, NORMALIZE, {"ToCHWImage": None}]
    node = {
        "Global": {"model_name": "PP-LCNet_x0_25_textline_ori"},
        "PreProcess": {"transform_ops": steps},
        "PostProcess": {"Topk": {"topk": 1, "label_list": ["0_degree", "180_degree"]}},
    }
    bundle = read_bundle(folder(tmp_path, "cls", node))
    assert bundle.model_type == "cls"
    assert bundle.build_postprocess().angles == [0, 180]
    red = np.zeros((20, 200, 3), np.uint8)
    red[:, :, 2] = 255
    taken = bundle.build_preprocess()({"image": red})["image"]
    assert taken.shape == (3, 80, 160)
    assert taken[:, 0, 0] == pytest.approx([(1 - 0.5) / 0.2, -0.4 / 0.25, -0.3 / 0.3], abs=1e-5)
