"""Fine-tuning from an ONNX file: train, resume, evaluate, export, read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ppocr_lite.charset import Charset
from ppocr_lite.engine.build import build_trainer, load_config
from ppocr_lite.engine.checkpoint import read_weights
from ppocr_lite.engine.export import export_model
from ppocr_lite.engine.open import open_checkpoint
from ppocr_lite.engine.run import evaluate_bundle, evaluate_run
from ppocr_lite.modeling.onnx_network import open_graph
from ppocr_lite.predict.stages import load_recognizer
from tests.conftest import WORDS
from tests.onnx_graphs import MAKERS, rec_graph

CHARACTERS = "".join(sorted(set("".join(WORDS[:8]))))
RESIZE: dict[str, Any] = {
    "rec": {"RecResizeImg": {"image_shape": [3, 32, 160]}},
    "cls": {"ClsResizeImg": {"image_shape": [3, 48, 96]}},
}


def config_of(
    folder: Path, labels: Path, path: Path, model_type: str = "rec", engine: str = "paddle", **general: Any
) -> Any:
    """A config that trains the network in *path* on *labels* for a few updates."""
    encode = {"det": {"DetLabelEncode": None}, "cls": {"ClsLabelEncode": None}, "rec": {"CTCLabelEncode": None}}
    decode = {"DecodeImage": {"img_mode": "BGR", "channel_first": False}}
    truth = {"det": ["shrink_map", "shrink_mask"], "cls": ["label"], "rec": ["label", "length"]}
    page = [{"MakeShrinkMap": {"shrink_ratio": 0.4}}, {"NormalizeImage": {}}, {"ToCHWImage": None}]
    training = page if model_type == "det" else [RESIZE[model_type]]
    reading = [{"DetResizeForTest": None}, *page[1:]] if model_type == "det" else [RESIZE[model_type]]
    data = {"name": "SimpleDataSet", "data_dir": str(labels.parent), "label_file_list": [str(labels)]}
    keep = {"KeepKeys": {"keep_keys": ["image", *truth[model_type]]}}
    node = {
        "Global": {
            "model_type": model_type,
            "engine": engine,
            "seed": 3,
            "max_steps": 4,
            "save_batch_step": 2,
            "save_model_dir": str(folder / "run"),
            **general,
        },
        "Architecture": {"model_type": model_type, "Network": {"name": "OnnxNetwork", "path": str(path)}},
        "Optimizer": {"name": "Adam", "lr": 0.01},
        "Train": {
            "dataset": data | {"transforms": [decode, encode[model_type], *training, keep]},
            "loader": {"batch_size_per_card": 2, "shuffle": True},
        },
        "Eval": {"dataset": data | {"transforms": [decode, encode[model_type], *reading]}, "loader": {}},
    }
    file = folder / "config.yml"
    file.write_text(yaml.safe_dump(node), encoding="utf-8")
    return load_config(file)


def train(config: Any, folder: Path, steps: Path | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    trainer = build_trainer(config, folder, resuming=steps is not None)
    if steps is not None:
        trainer.resume(steps)
    trainer.fit()
    return folder / "checkpoints"


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return rec_graph(tmp_path / "network.onnx", CHARACTERS)


def test_the_dictionary_is_that_of_the_file(graph: Path, rec_label_file: Path, tmp_path: Path, engine: str) -> None:
    config = config_of(tmp_path, rec_label_file, graph, engine=engine)
    stage = open_checkpoint(config)
    assert stage.weights()["linear_2.bias"].shape == (len(CHARACTERS) + 1,)
    assert set(evaluate_run(config)) >= {"acc", "norm_edit_dis"}  # as the file has it, before any training


def test_a_run_resumes_bit_for_bit(graph: Path, rec_label_file: Path, tmp_path: Path, engine: str) -> None:
    config = config_of(tmp_path, rec_label_file, graph, engine=engine)
    whole = train(config, tmp_path / "whole")
    again = train(config, tmp_path / "again", whole / "step_00000002")
    first, second = read_weights(whole / "step_00000004"), read_weights(again / "step_00000004")
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["conv_0.weight"], read_weights(whole / "step_00000002")["conv_0.weight"])


def test_shared_characters_keep_their_rows(
    graph: Path, rec_label_file: Path, tmp_path: Path, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    dictionary = tmp_path / "dictionary.txt"
    mine = "Ж№" + CHARACTERS[::-1]
    dictionary.write_text("\n".join(mine) + "\n", encoding="utf-8")
    config = config_of(tmp_path, rec_label_file, graph, engine=engine, character_dict_path=str(dictionary))
    with caplog.at_level("INFO", "ppocr_lite"):
        trainer = build_trainer(config, tmp_path / "run")
    found, before = trainer.backend.weights(), open_graph(graph)[1].weights()
    old, new = Charset(CHARACTERS), Charset(mine)
    for name in ("linear_2.weight", "linear_2.bias"):
        assert np.array_equal(found[name][..., 0], before[name][..., 0])  # the blank
        for character in CHARACTERS:
            kept = found[name][..., new.encode(character)[0]]
            assert np.array_equal(kept, before[name][..., old.encode(character)[0]])
    assert f"{len(CHARACTERS)} characters of {len(mine)} keep what was learnt, 2 begin afresh: Ж№" in caplog.text


@pytest.mark.parametrize("model_type", MAKERS)
def test_the_exported_folder_reads_as_evaluation_did(model_type: str, tmp_path: Path, request: Any) -> None:
    labels = request.getfixturevalue(f"{model_type}_label_file")
    arguments = {"characters": CHARACTERS} if model_type == "rec" else {}
    path = MAKERS[model_type](tmp_path / "network.onnx", **arguments)
    config = config_of(tmp_path, labels, path, model_type)
    train(config, tmp_path / "run")
    live = evaluate_run(config)
    folder = export_model(config)
    files = {"model.onnx", "inference.json", "inference.pdiparams", "inference.yml"}
    assert {file.name for file in folder.iterdir()} == files
    for engine in ("onnxruntime", "paddle"):
        assert evaluate_bundle(config, folder, engine) == live


def test_the_exported_file_can_be_trained_on(graph: Path, rec_label_file: Path, tmp_path: Path) -> None:
    config = config_of(tmp_path, rec_label_file, graph)
    trained = read_weights(train(config, tmp_path / "run"))
    exported = export_model(config, onnx=True) / "model.onnx"
    again = open_graph(exported)[1].weights()
    assert again.keys() == {name for name in trained if ".cell_" not in name}
    assert all(np.array_equal(again[name], trained[name]) for name in again)
    read = load_recognizer(exported)  # by itself: its characters are in its metadata
    assert "".join(read.postprocess.characters) == CHARACTERS


@pytest.mark.slow
def test_half_the_bytes(graph: Path, rec_label_file: Path, tmp_path: Path) -> None:
    config = config_of(tmp_path, rec_label_file, graph)
    train(config, tmp_path / "run")
    whole, half = (export_model(config, folder=tmp_path / name, half=name == "half") for name in ("whole", "half"))
    sizes = [sum(len(value.tobytes()) for value in _stored(folder / "model.onnx")) for folder in (whole, half)]
    assert sizes[1] < 0.6 * sizes[0]


def _stored(path: Path) -> list[np.ndarray]:
    from tests.onnx_graphs import numpy_helper, onnx  # noqa: PLC0415

    return [numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer if len(tensor.dims) > 1]


@pytest.mark.slow
def test_it_trains_for_eight_bits(graph: Path, rec_label_file: Path, tmp_path: Path) -> None:
    config = config_of(tmp_path, rec_label_file, graph)
    node = yaml.safe_load((tmp_path / "config.yml").read_text(encoding="utf-8"))
    node["Architecture"]["quant"] = {"alpha": 4.0}
    (tmp_path / "config.yml").write_text(yaml.safe_dump(node), encoding="utf-8")
    config = load_config(tmp_path / "config.yml")
    train(config, tmp_path / "run")
    folder = export_model(config)
    assert {file.name for file in folder.iterdir()} == {"model.onnx", "inference.yml"}
    assert set(evaluate_bundle(config, folder)) >= {"acc"}


def test_checkpoints_are_averaged_and_evaluated(graph: Path, rec_label_file: Path, tmp_path: Path, root: Path) -> None:
    config = config_of(tmp_path, rec_label_file, graph)
    checkpoints = train(config, tmp_path / "run")
    steps, mean = [checkpoints / f"step_0000000{step}" for step in (2, 4)], tmp_path / "mean.safetensors"
    command = [sys.executable, "tools/average_checkpoints.py", *map(str, steps), "--output", str(mean)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    first, second, found = (read_weights(path)["conv_0.weight"] for path in (*steps, mean))
    np.testing.assert_allclose(found, (first + second) / 2, rtol=1e-6)
    assert set(evaluate_run(config, mean)) >= {"acc"}
