"""From weights through pruning and quantising to a folder that is used like any other."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from ppocr_lite import OCR
from ppocr_lite.config import Config
from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend, load_charset, load_config
from ppocr_lite.engine.export import export_model, load_network
from ppocr_lite.engine.run import evaluate_bundle, evaluate_run
from ppocr_lite.modeling.pact import in_float
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.runner import load_runner
from ppocr_lite.slim import Sensitivities, analyse_run, by_loss, by_ratio, prune_run, quantize_run
from ppocr_lite.slim.quantize import training_images

ROOT = Path(__file__).parents[2]
# Without these instructions ONNX Runtime adds pairs of products of bytes in 16 bits, which saturate.
HAS_VNNI = "vnni" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
ENGINES = [name for name in ("paddle", "torch") if importlib.util.find_spec(name)]
needs_onnx = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("paddle2onnx", "onnxruntime")),
    reason="needs paddle2onnx and ONNX Runtime",
)


def first_weights(config: Config, path: Path) -> Path:
    """Write the weights a network starts with."""
    charset = load_charset(config)
    backend = create_backend("paddle")
    backend.build(Task(config.Architecture or {}, charset.num_classes if charset else None, seed=1))
    save_file({name: value.copy() for name, value in backend.weights().items()}, path)
    return path


@pytest.fixture
def start(load_small: Callable[..., Config], rec_label_file: Path, tmp_path: Path) -> tuple[Config, Path]:
    """A small recogniser: config and weights."""
    config = load_small("rec", rec_label_file)
    return config, first_weights(config, tmp_path / "weights.safetensors")


def train_once(file: Path, engine: str) -> None:
    """Make one update with *engine*, in a process of its own."""
    command = [sys.executable, "-m", "ppocr_lite.cli", "train", "-c", str(file), "-o"]
    done = subprocess.run(
        [*command, f"Global.engine={engine}", "Global.max_steps=1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


@pytest.mark.parametrize("trained_with", ENGINES)
def test_a_pruned_network_trains_and_predicts(start: tuple[Config, Path], tmp_path: Path, trained_with: str) -> None:
    config, weights = start
    file = prune_run(config, weights, by_ratio(0.5), tmp_path / "pruned")
    assert (file.parent / "model.safetensors").stat().st_size < 0.8 * weights.stat().st_size
    pruned = load_config(file)
    assert pruned.Architecture is not None and len(pruned.Architecture["Backbone"]["expanded"]) == 11
    train_once(file, trained_with)
    run = tmp_path / "pruned" / "train"
    folder = export_model(pruned, run, tmp_path / "exported", onnx=False)
    assert evaluate_bundle(pruned, folder) == pytest.approx(evaluate_run(pruned, run), abs=1e-3)
    assert len(OCR(rec_model=str(folder)).recognize([np.full((32, 90, 3), 200, np.uint8)])) == 1


def test_sensitivities_decide_what_goes(start: tuple[Config, Path], tmp_path: Path) -> None:
    config, weights = start
    found = analyse_run(config, weights, ratios=[0.5])
    assert found.metric == "acc" and len(found.groups) == 12
    found = Sensitivities(found.metric, 1.0, dict.fromkeys(found.groups, {"0.5": 0.0}))
    found.groups["Backbone.expanded[9]"] = {"0.5": 1.0}
    pruned = load_config(prune_run(config, weights, by_loss(found, 0.01), tmp_path / "pruned"))
    before = load_file(weights)
    backbone: dict[str, Any] = (pruned.Architecture or {})["Backbone"]
    assert backbone["last_channels"] == len(before["backbone.conv2.conv.weight"])
    assert backbone["expanded"][9] * 2 == pytest.approx(len(before["backbone.blocks.9.expand_conv.conv.weight"]), abs=8)


@needs_onnx
@pytest.mark.slow
@pytest.mark.parametrize("trained_with", ENGINES)
def test_a_quantised_network_trains_and_computes_in_bytes(
    start: tuple[Config, Path], tmp_path: Path, trained_with: str
) -> None:
    config, weights = start
    file = quantize_run(config, weights, tmp_path / "int8", batches=2)
    quantised = load_config(file)
    train_once(file, trained_with)
    run = tmp_path / "int8" / "train"
    folder = export_model(quantised, run, tmp_path / "exported")
    assert sorted(path.name for path in folder.iterdir()) == ["inference.yml", "model.onnx"]
    float_folder = export_model(config, weights, tmp_path / "float", onnx=True)
    assert size_of(folder) < 0.6 * (float_folder / "model.onnx").stat().st_size
    image = next(training_images(quantised, create_backend("paddle"), 1))
    network, paddle = load_network(quantised, run), pytest.importorskip("paddle")
    expected = network.predict(paddle.to_tensor(image))["probabilities"].numpy()
    with in_float(network):
        unrounded = network.predict(paddle.to_tensor(image))["probabilities"].numpy()
    gap = np.abs(load_runner(read_bundle(folder), "onnxruntime").run(image) - expected).mean()
    if HAS_VNNI:
        assert gap < 0.02 * expected.std()
        assert gap < np.abs(unrounded - expected).mean(), "nearer to what was trained than the network in float is"
    assert len(OCR(rec_model=str(folder), engine="onnxruntime").recognize([np.full((32, 90, 3), 200, np.uint8)])) == 1


@needs_onnx
@pytest.mark.slow
def test_openvino_computes_it_in_integers(start: tuple[Config, Path], tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    config, weights = start
    quantised = load_config(quantize_run(config, weights, tmp_path / "int8", batches=2))
    folder = export_model(quantised, tmp_path / "int8" / "model.safetensors", tmp_path / "exported")
    network = openvino.Core().compile_model(str(folder / "model.onnx"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    nodes = [node.get_rt_info() for node in network.get_runtime_model().get_ordered_ops()]
    kinds = [(node["layerType"].astype(str), node["runtimePrecision"].astype(str)) for node in nodes]
    convolutions = [precision for kind, precision in kinds if "Convolution" in kind]
    assert len(convolutions) > 40
    assert {precision for precision in convolutions} <= {"i8", "u8"}
    assert [precision for kind, precision in kinds if kind == "RNNSeq"] == ["f32"] * 4
