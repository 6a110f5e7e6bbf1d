"""Weights of files taken over into our own networks, by order and role."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.checkpoint import read_weights
from ppocr_lite.engine.import_weights import import_weights, layers_of
from ppocr_lite.errors import CheckpointError

pytest.importorskip("onnx", reason="the package onnx is not installed")


def test_a_classifier_is_taken_over_from_its_graph(root: Path, engine: str) -> None:
    folder = root / "ppocr_lite" / "models" / "cls"
    config = load_config(root / "configs/cls/cls_released.yml", [f"Global.engine={engine}"])
    found, stored = import_weights(config, folder / "model.onnx"), read_weights(folder / "model.safetensors")
    assert found.keys() == stored.keys()
    assert all(np.array_equal(found[name], stored[name]) for name in stored)


def test_an_lstm_is_taken_over_with_its_gates_in_order(root: Path, engine: str) -> None:
    folder = root / "ppocr_lite" / "models" / "rec_en"
    config = load_config(root / "configs/rec/rec_finetune.yml", [f"Global.engine={engine}"])
    found, stored = import_weights(config, folder / "model.onnx"), read_weights(folder / "model.safetensors")
    for name, value in found.items():  # the graph is stored in half precision
        np.testing.assert_allclose(value, stored[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_another_network_is_refused(root: Path, engine: str) -> None:
    config = load_config(root / "configs/rec/rec_finetune.yml", [f"Global.engine={engine}"])
    with pytest.raises(CheckpointError, match=r"has 53 layers of the kind conv, the network \d+, of which \d+ agree"):
        import_weights(config, root / "ppocr_lite/models/cls/model.onnx")


def test_what_stays_is_named(root: Path, engine: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dictionary = tmp_path / "dictionary.txt"
    dictionary.write_text("a\nb\nc\n", encoding="utf-8")
    options = [f"Global.engine={engine}", f"Global.character_dict_path={dictionary}"]
    config = load_config(root / "configs/rec/rec_finetune.yml", options)
    with caplog.at_level("INFO", "ppocr_lite"):
        import_weights(config, root / "ppocr_lite/models/rec_en/model.safetensors", partial=True)
    assert [record.getMessage() for record in caplog.records if "stays as it was" in record.getMessage()] == [
        "head.fc (linear ((5,), (128, 5))) stays as it was."
    ]


def test_layers_are_found_by_what_follows_the_last_dot() -> None:
    arrays = {
        "a.conv.weight": np.zeros((4, 3, 3, 3)),
        "a.bn.weight": np.zeros(4),
        "a.bn._mean": np.zeros(4),
        "b.lstm.weight_ih_l1": np.zeros((8, 4)),
        "b.lstm.weight_ih_l1_reverse": np.zeros((8, 4)),
        "b.lstm.1.cell_bw.weight_ih": np.zeros((8, 4)),
    }
    assert [(layer.name, layer.kind) for layer in layers_of(arrays)] == [
        ("a.conv", "conv"),
        ("a.bn", "norm"),
        ("b.lstm layer 1", "lstm"),
    ]
