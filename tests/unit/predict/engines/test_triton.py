"""A model repository for Triton holds the network, and describes it as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ppocr_lite import cli
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.predict.engines.triton import write_model
from ppocr_lite.predict.released import FOLDER


def test_a_released_network_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", f"--output={FOLDER / 'det'}", f"--triton={tmp_path}", "--device=gpu:1"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "det")
    assert (tmp_path / "det" / "1" / "model.onnx").read_bytes() == (FOLDER / "det" / "model.onnx").read_bytes()
    text = (tmp_path / "det" / "config.pbtxt").read_text(encoding="utf-8")
    assert text.startswith('name: "det"\nbackend: "onnxruntime"\nmax_batch_size: 0\n')
    taken, given = re.findall(r"data_type: TYPE_FP32, dims: \[ (.*?) \]", text)
    assert taken == "-1, 3, -1, -1"
    assert given.count(",") == 3
    assert "instance_group [ { kind: KIND_GPU, count: 1, gpus: [ 1 ] } ]" in text


def test_a_second_model_leaves_the_first(tmp_path: Path) -> None:
    for name in ("cls", "rec_en"):
        write_model(FOLDER / name, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cls", "rec_en"]
    assert "KIND_CPU, count: 1 }" in (tmp_path / "cls" / "config.pbtxt").read_text(encoding="utf-8")


def test_what_cannot_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="device must be"):
        write_model(FOLDER / "cls", tmp_path, "tpu")
    with pytest.raises(ModelError, match="no model folder"):
        write_model(tmp_path / "nothing", tmp_path)
    assert cli.main(["export"]) == 2
    assert "export needs -c FILE" in capsys.readouterr().err
