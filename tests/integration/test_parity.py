"""The live network and its exported folder are one model: equal boxes, text, scores and metrics."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from ppocr_lite.engine.build import build_stage, create_backend, load_charset, load_config
from ppocr_lite.engine.evaluate import split_transforms
from ppocr_lite.engine.export import TOLERANCE, check_same, export_model, load_network, seeded_input
from ppocr_lite.engine.run import evaluate_bundle, evaluate_run
from ppocr_lite.engine.trainer import Trainer
from ppocr_lite.errors import CheckpointError, ConfigError, ModelError
from ppocr_lite.predict.bundle import ONNX, read_bundle
from ppocr_lite.predict.engines.paddle_inference import PaddleRunner
from ppocr_lite.predict.runner import FunctionRunner, load_runner

FAMILIES = ("det", "cls", "rec")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_folder_says_what_the_evaluation_does(family: str, export_small: Callable[..., Path]) -> None:
    folder = export_small(family)
    config = load_config(folder.parent / "config.yml")
    bundle = read_bundle(folder)
    assert config.Eval is not None
    _, transforms = split_transforms(config.Eval.transforms)
    assert list(bundle.transforms) == transforms
    assert bundle.postprocess == config.PostProcess
    charset = load_charset(config)
    assert bundle.characters == (charset.characters if charset else None)


@pytest.mark.parametrize("family", FAMILIES)
def test_metrics_agree_after_training(
    family: str, make_trainer: Callable[..., Trainer], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    labels = request.getfixturevalue(f"{family}_label_file")
    make_trainer(family, labels, "Global.max_steps=2").fit()
    config = load_config(tmp_path / "run.yml")
    folder = export_model(config, onnx=False)
    live = evaluate_run(config)
    assert evaluate_bundle(config, folder) == pytest.approx(live, abs=1e-6)


def test_texts_and_scores_agree(export_small: Callable[..., Path]) -> None:
    folder = export_small("rec")
    config = load_config(folder.parent / "config.yml")
    network = load_network(config, folder.parent / "weights.safetensors")
    backend = create_backend("paddle")
    backend.network = network  # type: ignore[attr-defined]
    bundle = read_bundle(folder)
    rng = np.random.default_rng(0)
    lines = [rng.integers(0, 255, (32, int(width), 3), dtype=np.uint8) for width in rng.integers(20, 200, 9)]
    live = build_stage(config, FunctionRunner(backend.forward), bundle.charset).recognize(lines)  # type: ignore[union-attr]
    exported = build_stage(config, load_runner(bundle), bundle.charset).recognize(lines)  # type: ignore[union-attr]
    assert [line.text for line in live] == [line.text for line in exported]
    np.testing.assert_allclose([line.score for line in live], [line.score for line in exported], atol=1e-4)


def test_a_folder_that_computes_something_else_is_refused(export_small: Callable[..., Path]) -> None:
    folder = export_small("cls")
    config = load_config(folder.parent / "config.yml")
    network = load_network(config, folder.parent / "weights.safetensors")
    bundle = read_bundle(folder)
    assert check_same(network, bundle, PaddleRunner(bundle, onednn=False), TOLERANCE) <= TOLERANCE
    other = SimpleNamespace(predict=lambda x: network.predict(x * 2 + 1))
    with pytest.raises(ModelError, match="computes something else"):
        check_same(other, bundle, PaddleRunner(bundle), TOLERANCE)


def test_onnx_runtime_agrees(export_small: Callable[..., Path]) -> None:
    pytest.importorskip("paddle2onnx")
    pytest.importorskip("onnxruntime")
    bundle = read_bundle(export_small("rec", onnx=True))
    sample = seeded_input(bundle)
    np.testing.assert_allclose(
        load_runner(bundle, "onnxruntime").run(sample), load_runner(bundle).run(sample), atol=1e-4
    )


@pytest.mark.slow
def test_half_the_bytes_compute_the_same(export_small: Callable[..., Path], tmp_path: Path) -> None:
    pytest.importorskip("paddle2onnx")
    pytest.importorskip("onnxruntime")
    whole = export_small("cls", onnx=True)
    config = load_config(whole.parent / "config.yml")
    folder = export_model(config, whole.parent / "weights.safetensors", tmp_path / "half", half=True)
    assert (folder / ONNX).stat().st_size < 0.65 * (whole / ONNX).stat().st_size
    runners = [load_runner(read_bundle(path), "onnxruntime") for path in (whole, folder)]
    left, right = (runner.run(seeded_input(read_bundle(whole))) for runner in runners)
    np.testing.assert_allclose(left, right, atol=1e-2)


def test_without_model_onnx_and_a_converter_the_engine_says_so(
    small_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setitem(sys.modules, "paddle2onnx", None)
    with pytest.raises(ModelError, match="onnx"):
        load_runner(read_bundle(small_models["det_model"]), "onnxruntime")


def test_weights_of_another_network_are_refused(export_small: Callable[..., Path], tmp_path: Path) -> None:
    other = export_small("det").parent / "weights.safetensors"
    config = load_config(export_small("cls").parent / "config.yml")
    with pytest.raises(CheckpointError, match="does not fit the network"):
        export_model(config, other, tmp_path / "out", onnx=False)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_other_things_is_left_alone(export_small: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    source = export_small("cls").parent
    with pytest.raises(ConfigError, match="holds something else"):
        export_model(load_config(source / "config.yml"), source / "weights.safetensors", tmp_path, onnx=False)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_another_export_replaces_its_own_files_and_no_others(
    export_small: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = export_small("cls").parent
    (tmp_path / "inference.yml").write_text("of before")
    (tmp_path / "model.onnx").write_text("of before")
    (tmp_path / "README.md").write_text("mine")
    monkeypatch.chdir(tmp_path)
    export_model(load_config(source / "config.yml"), source / "weights.safetensors", Path(), onnx=False)
    written = {"inference.json", "inference.pdiparams", "inference.yml"}
    assert {path.name for path in tmp_path.iterdir()} == written | {"README.md"}
    assert read_bundle(tmp_path).folder == tmp_path
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.slow
def test_of_a_distillation_the_watched_network_is_exported(export_small: Callable[..., Path], tmp_path: Path) -> None:
    source = export_small("cls").parent
    node = yaml.safe_load((source / "config.yml").read_text(encoding="utf-8"))
    single = node["Architecture"]
    node["Architecture"] = {
        "name": "DistillationModel",
        "model_type": "cls",
        "algorithm": "Distillation",
        "Models": {"Teacher": single | {"freeze_params": True}, "Student": single},
    }
    node["Loss"] = {"name": "CombinedLoss", "loss_config_list": []}
    node["Metric"] = {"name": "DistillationMetric", "key": "Student", "base_metric_name": "ClsMetric"}
    path = tmp_path / "distill.yml"
    path.write_text(yaml.safe_dump(node), encoding="utf-8")
    config = load_config(path)
    backend = create_backend("paddle")
    from_single = load_network(load_config(source / "config.yml"), source / "weights.safetensors")
    weights = {name: value.numpy() for name, value in from_single.state_dict().items()}
    both = {f"{part}.{name}": value for part in ("Teacher", "Student") for name, value in weights.items()}
    del backend
    from safetensors.numpy import save_file  # noqa: PLC0415

    save_file({name: np.ascontiguousarray(value) for name, value in both.items()}, tmp_path / "both.safetensors")
    folder = export_model(config, tmp_path / "both.safetensors", tmp_path / "student", onnx=False)
    sample = seeded_input(read_bundle(folder))
    expected = load_runner(read_bundle(source / "exported")).run(sample)
    np.testing.assert_allclose(load_runner(read_bundle(folder)).run(sample), expected, atol=1e-6)
