"""CTPN as a detector like any other: trained, continued, evaluated, exported and read with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from ppocr_lite import OCR
from ppocr_lite.engine.build import build_stage, build_trainer, create_backend, load_config, prepare_folder
from ppocr_lite.engine.export import export_model, load_network
from ppocr_lite.engine.run import evaluate_bundle, evaluate_run
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.runner import FunctionRunner, load_runner
from ppocr_lite.predict.stages import load_detector
from tests.conftest import draw_page
from tests.integration.conftest import SMALL, small_config

HEAD = {"name": "CTPNHead", "mid_channels": 16, "hidden_size": 8, "fc_channels": 16}
KEYS = ["image", "anchor_labels", "anchor_vertical", "anchor_sides", "anchor_side_mask"]


@pytest.fixture
def write_small(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes the small config of a detector with CTPN in it."""

    def write(labels: Path, recurrent: str = "gru", stages: int = 3, run: str = "run") -> Path:
        node = small_config("det", labels, tmp_path / run)
        node["Architecture"] |= {
            "Backbone": SMALL | {"stages": stages},
            "Neck": None,
            "Head": HEAD | {"recurrent": recurrent},
            "init": {"conv": "xavier_normal", "recurrent": "xavier_normal", "bias": "zeros"},
        }
        steps = [
            step
            for step in node["Train"]["dataset"]["transforms"]
            if not {"MakeBorderMap", "MakeShrinkMap"} & set(step)
        ]
        steps.insert(3, {"MakeCTPNTargets": None})
        steps[-1] = {"KeepKeys": {"keep_keys": KEYS}}
        node["Train"]["dataset"]["transforms"] = steps
        node |= {
            "Loss": {"name": "CTPNLoss"},
            "PostProcess": {"name": "CTPNPostProcess", "thresh": 0.4, "box_thresh": 0.4},
        }
        node["Optimizer"] = {"name": "Momentum", "lr": {"name": "Const", "learning_rate": 0.001}}
        path = tmp_path / f"{run}.yml"
        path.write_text(yaml.safe_dump(node), encoding="utf-8")
        return path

    return write


def trainer_of(path: Path, *overrides: str) -> Any:
    config = load_config(path, overrides)
    return build_trainer(config, prepare_folder(config, resuming=True))


def test_a_run_that_goes_on_equals_one_that_never_stopped(
    write_small: Callable[..., Path], det_label_file: Path, engine: str, read_losses: Callable[..., Any], tmp_path: Path
) -> None:
    options = (f"Global.engine={engine}", "Global.max_steps=4")
    whole = trainer_of(write_small(det_label_file, run="whole"), *options, "Global.save_batch_step=2")
    whole.fit()
    resumed = trainer_of(write_small(det_label_file, run="resumed"), *options)
    resumed.resume(whole.folder / "step_00000002")
    resumed.fit()
    losses = read_losses(tmp_path / "whole")
    assert all(np.isfinite(value) for value in losses.values())
    assert read_losses(tmp_path / "resumed") == {step: losses[step] for step in (3, 4)}
    ours, theirs = whole.backend.weights(), resumed.backend.weights()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_the_exported_folder_finds_what_evaluation_finds(
    write_small: Callable[..., Path], det_label_file: Path
) -> None:
    pytest.importorskip("paddle2onnx")
    pytest.importorskip("onnxruntime")
    path = write_small(det_label_file)
    # Where nothing is learnt all anchors are about equally likely, and last bits decide between them.
    learn = ("Global.max_steps=12", "Optimizer={name: Adam, lr: {name: Const, learning_rate: 0.01}}")
    trainer_of(path, *learn).fit()
    config = load_config(path)
    folder = export_model(config, onnx=True)
    assert evaluate_bundle(config, folder) == pytest.approx(evaluate_run(config), abs=1e-6)
    backend: Any = create_backend("paddle")
    backend.network = load_network(config, Path(config.Global.save_model_dir))
    live = build_stage(config, FunctionRunner(backend.predict), None)
    page = draw_page((300, 410), seed=5).image
    expected = live.detect(page)
    assert expected.polygons
    for engine in ("paddle", "onnxruntime"):
        found = load_detector(folder, engine=engine).detect(page)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
        np.testing.assert_allclose(np.stack(found.polygons), np.stack(expected.polygons), atol=0.05)


@pytest.mark.slow
def test_an_lstm_runs_in_both_files_of_a_folder(write_small: Callable[..., Path], det_label_file: Path) -> None:
    pytest.importorskip("paddle2onnx")
    pytest.importorskip("onnxruntime")
    path = write_small(det_label_file, "lstm")
    trainer_of(path, "Global.max_steps=1").fit()
    folder = export_model(load_config(path), onnx=True)  # which compares both with the network
    image = np.random.default_rng(0).normal(size=(1, 3, 64, 224)).astype(np.float32)  # another size than the export's
    found = [load_runner(read_bundle(folder), engine).run(image) for engine in ("paddle", "onnxruntime")]
    assert found[0].shape == (1, 40, 4, 14)
    np.testing.assert_allclose(*found, atol=1e-4)


def test_a_page_is_read_with_it(
    write_small: Callable[..., Path], det_label_file: Path, small_models: dict[str, Path], tmp_path: Path
) -> None:
    path = write_small(det_label_file, "none")
    trainer_of(path, "Global.max_steps=1").fit()
    folder = export_model(load_config(path), onnx=False)
    cv2.imwrite(str(tmp_path / "page.png"), draw_page(seed=2).image)
    result = OCR(**small_models | {"det_model": folder}, drop_score=0.0).ocr(tmp_path / "page.png")
    assert result.size == (480, 640)
    described = yaml.safe_load((folder / "inference.yml").read_text(encoding="utf-8"))
    described["PostProcess"]["heights"] = [11.0]
    (folder / "inference.yml").write_text(yaml.safe_dump(described), encoding="utf-8")
    with pytest.raises(ModelError, match=r"returns \(1, 4, 4, 4\) for an input of"):
        load_detector(folder)


def test_a_backbone_of_another_stride_is_named(
    write_small: Callable[..., Path], det_label_file: Path, engine: str
) -> None:
    with pytest.raises(ConfigError, match=r"map has 5 x 5 places, the targets 10 x 10.*stages: 3"):
        trainer_of(write_small(det_label_file, stages=4), f"Global.engine={engine}").fit()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("PostProcess.stride=8", "at stride 16, PostProcess .* at stride 8"),
        ("Architecture.Head.anchors=9", "Architecture.Head.anchors must be the number of heights"),
    ],
)
def test_anchors_that_differ_are_refused_before_any_data_is_read(
    write_small: Callable[..., Path], tmp_path: Path, override: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(write_small(tmp_path / "none.txt"), [override])
