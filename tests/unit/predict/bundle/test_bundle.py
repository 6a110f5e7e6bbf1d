from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.postprocess import CTCLabelDecode
from ppocr_lite.predict.bundle import BUNDLE_VERSION, Bundle, TensorSpec, read_bundle, write_bundle
from ppocr_lite.predict.bundle.checksums import list_files
from ppocr_lite.predict.runner import load_runner
from ppocr_lite.predict.stages import adapt

NODE: dict[str, Any] = {
    "bundle_version": 1,
    "model_type": "rec",
    "input": {"name": "x", "shape": [-1, 3, 32, -1], "dtype": "float32"},
    "outputs": ["probabilities"],
    "PreProcess": {"transforms": [{"RecResizeImg": {"image_shape": [3, 32, 320], "squeeze": False}}]},
    "PostProcess": {"name": "CTCLabelDecode"},
    "characters": ["a", "b", " ", "中"],
    "metrics": {"acc": 0.5},
}


def write(folder: Path, node: dict[str, Any]) -> Path:
    for name in ("inference.json", "inference.pdiparams"):
        (folder / name).write_bytes(b"")
    (folder / "inference.yml").write_text(yaml.safe_dump(node, allow_unicode=True), encoding="utf-8")
    return folder


def test_a_written_folder_reads_back_equal(tmp_path: Path) -> None:
    bundle = read_bundle(write(tmp_path, NODE))
    write_bundle(bundle)
    assert read_bundle(tmp_path) == bundle
    assert bundle.input == TensorSpec("x", (-1, 3, 32, -1), "float32")


def exported(folder: Path) -> Path:
    """Return a folder whose description lists its files, as an export writes it."""
    bundle = read_bundle(write(folder, NODE))
    (folder / "inference.json").write_bytes(b"program")
    (folder / "inference.pdiparams").write_bytes(bytes(1000))
    write_bundle(bundle)
    return folder


@pytest.mark.parametrize("name", ["inference.json", "inference.pdiparams"])
@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: b"?" + data[1:], lambda data: data + b"\0"])
def test_a_file_that_is_not_the_exported_one_is_named(tmp_path: Path, name: str, change: Any) -> None:
    file = exported(tmp_path) / name
    assert read_bundle(tmp_path).program
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(ModelError, match=rf"{name} is not the file that was exported: (\d+ bytes instead|its SHA-256)"):
        read_bundle(tmp_path)


def test_a_folder_without_a_list_of_files_is_read(tmp_path: Path) -> None:
    path = exported(tmp_path) / "inference.yml"
    node = yaml.safe_load(path.read_text(encoding="utf-8"))
    del node["files"]
    path.write_text(yaml.safe_dump(node | {"bundle_version": 2}), encoding="utf-8")
    (tmp_path / "inference.pdiparams").write_bytes(b"changed")
    assert read_bundle(tmp_path).model_type == "rec"


@pytest.mark.parametrize(
    "files", [{"../inference.json": {"size": 0, "sha256": ""}}, {"a": 1}, {"a": {"size": "x"}}, [1]]
)
def test_a_list_of_files_that_is_none_is_named(tmp_path: Path, files: Any) -> None:
    with pytest.raises(ModelError, match="files"):
        read_bundle(write(tmp_path, NODE | {"files": files}))


@pytest.mark.parametrize("stage", ["det", "cls", "rec_en", "rec_ch"])
def test_released_folders_list_their_files(root: Path, stage: str) -> None:
    folder = root / "ppocr_lite" / "models" / stage
    listed = yaml.safe_load((folder / "inference.yml").read_text(encoding="utf-8"))["files"]
    assert listed == list_files(folder, ("inference.json", "inference.pdiparams", "model.onnx"))
    assert len(listed) == 3


def test_difficult_characters_survive(tmp_path: Path) -> None:
    characters = tuple("01~#:-'\"\\,[]{}!&*?|> \u3000é中\U00020bb7\u2028\xa0ynNoY=")
    write(tmp_path, NODE)
    write_bundle(Bundle(tmp_path, "rec", ({"name": "RecResizeImg"},), {"name": "CTCLabelDecode"}, characters))
    assert read_bundle(tmp_path).characters == characters


def test_its_parts_are_built_from_the_file(tmp_path: Path) -> None:
    bundle = read_bundle(write(tmp_path, NODE))
    decode = bundle.build_postprocess()
    assert isinstance(decode, CTCLabelDecode)
    assert decode.num_classes == 5
    assert bundle.build_preprocess().steps[0].squeeze is False  # type: ignore[attr-defined]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder at .*absent"):
        read_bundle(tmp_path / "absent")


def test_a_missing_description_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no inference.yml"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("name", ["inference.json", "inference.pdiparams"])
def test_a_missing_network_file_is_named(tmp_path: Path, name: str) -> None:
    (write(tmp_path, NODE) / name).unlink()
    with pytest.raises(ModelError, match=f"has no (network.*{name}|{name})"):
        read_bundle(tmp_path)


def test_a_newer_version_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"bundle_version 9 is newer than {BUNDLE_VERSION}.*Upgrade"):
        read_bundle(write(tmp_path, NODE | {"bundle_version": 9}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bundle_version": None}, "no bundle_version"),
        ({"model_type": "detection"}, "inference.model_type must be one of"),
        ({"PreProces": {}}, "PreProces is not an argument.*PreProcess"),
        ({"characters": None}, "needs its 'characters'"),
        ({"characters": ["a", "a"]}, "repeats 'a'"),
        ({"characters": ["ab"]}, "exactly one character"),
        ({"PostProcess": {"name": "CTCDecode"}}, "no postprocess is called 'CTCDecode'"),
        ({"PostProcess": {"name": "CTCLabelDecode", "charset": "x"}}, "charset is computed by the code"),
        (
            {"PreProcess": {"transforms": [{"RecResizeImg": {"imageshape": [3, 32, 320]}}]}},
            "Did you mean 'image_shape'",
        ),
        ({"PreProcess": {"transforms": [{"RecAug": None}]}}, "rng"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        read_bundle(write(tmp_path, NODE | change))
    assert "inference.yml" in str(caught.value)


def test_text_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    write(tmp_path, NODE)
    (tmp_path / "inference.yml").write_text("- just\n- a list\n")
    with pytest.raises(ModelError, match="not written by ppocr_lite"):
        read_bundle(tmp_path)


def test_a_thing_to_adapt_is_checked_like_the_file(tmp_path: Path) -> None:
    bundle = read_bundle(write(tmp_path, NODE))
    assert adapt(bundle, {"image_shape": None}, {}).transforms == bundle.transforms
    changed = adapt(bundle, {"image_shape": [3, 48, 320]}, {})
    assert changed.transforms[0]["image_shape"] == (3, 48, 320)
    assert changed.transforms[0]["squeeze"] is False
    with pytest.raises(ValueError, match="image_shape"):
        adapt(bundle, {"image_shape": [3, 48]}, {})


def test_an_unknown_engine_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no engine 'tensorrt'. Known: auto, onnxruntime"):
        load_runner(read_bundle(write(tmp_path, NODE)), "tensorrt")  # type: ignore[arg-type]


def test_an_engine_that_is_not_installed_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "ppocr_lite.predict.engines.openvino_runtime", raising=False)
    (write(tmp_path, NODE) / "model.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match=r"needs openvino, which.*pip install .*\[openvino\]"):
        load_runner(read_bundle(tmp_path), "openvino")
