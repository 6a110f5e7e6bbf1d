"""The two-stage detector as a detector like any other: trained, continued, evaluated, exported and read with."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppocr_lite import OCR, visualize
from ppocr_lite.cli import main
from ppocr_lite.commands.show_proposals import SecondLook
from ppocr_lite.engine.build import build_stage, build_trainer, create_backend, load_config, prepare_folder
from ppocr_lite.engine.export import export_model, load_network
from ppocr_lite.engine.run import evaluate_bundle, evaluate_run
from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import RegionTruth
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.runner import FunctionRunner, load_runner
from tests.conftest import draw_page
from tests.integration.region_runs import ARCHITECTURE

ROOT = Path(__file__).parents[2]
HEAD = ARCHITECTURE["Head"]
PARTS = (
    "Architecture.Neck={name: FPN, out_channels: 16}",
    f"Architecture.Head={HEAD}",
    "PostProcess={name: MaskRCNNPostProcess, score_thresh: 0.0, mask_thresh: 0.3}",
    "Loss={name: MaskRCNNLoss}",
)
STEPS = (
    "Train.dataset.transforms=[{DecodeImage: {img_mode: BGR}}, {DetLabelEncode: }, "
    "{EastRandomCropData: {size: [128, 160], keep_ratio: false}}, {MakeRegionTruth: }, {NormalizeImage: {order: hwc}}, "
    "{ToCHWImage: }, {KeepKeys: {keep_keys: [image, truth]}}]"
)
SMALL = (
    *PARTS,
    STEPS,
    "Train.loader.size_divisibility=32",
    "Eval.dataset.transforms[2].DetResizeForTest.limit_side_len=160",
)
Load = Callable[..., Any]
needs_onnx = pytest.mark.skipif(importlib.util.find_spec("paddle2onnx") is None, reason="needs paddle2onnx")


@pytest.fixture
def trainer(load_small: Load) -> Load:
    """A function that builds the trainer of the small two-stage detector."""

    def make(labels: Path, *overrides: str, run: str = "run") -> Any:
        config = load_small("det", labels, *SMALL, *overrides, run=run)
        return build_trainer(config, prepare_folder(config, resuming=True))

    return make


def test_both_engines_train(engine: str, trainer: Load, det_label_file: Path, read_losses: Load) -> None:
    trainer(det_label_file, "Global.max_steps=3", f"Global.engine={engine}", "Train.loader.num_workers=1").fit()
    losses = read_losses(det_label_file.parents[1] / "run")
    assert len(losses) == 3
    assert all(np.isfinite(loss) for loss in losses.values())


def test_a_continued_run_is_the_same_run(engine: str, trainer: Load, det_label_file: Path, read_losses: Load) -> None:
    options = ("Global.max_steps=4", f"Global.engine={engine}", "Eval=")
    whole = trainer(det_label_file, *options, "Global.save_batch_step=1", "Global.keep_checkpoints=9", run="whole")
    whole.fit()
    resumed = trainer(det_label_file, *options, run="resumed")
    resumed.resume(whole.folder / "step_00000002")
    resumed.fit()
    folder = det_label_file.parents[1]
    expected = {step: loss for step, loss in read_losses(folder / "whole").items() if step > 2}
    assert read_losses(folder / "resumed") == expected


def test_a_checkpoint_shows_its_proposals(
    engine: str, trainer: Load, det_label_file: Path, load_small: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer(det_label_file, "Global.max_steps=1", f"Global.engine={engine}", "Eval=").fit()
    config = load_small("det", det_label_file, *SMALL, f"Global.engine={engine}")
    look = SecondLook(config, det_label_file.parents[1] / "run")
    page = np.full((96, 120, 3), 255, np.uint8)  # is padded for the network
    outline = np.array([[20, 30], [70, 30], [70, 50], [20, 50]], np.float32)
    truth = RegionTruth(np.array([[20, 30, 70, 50]], np.float32), (outline,), np.zeros((0, 4), np.float32), (96, 120))
    drawn = look.draw(page, np.zeros((3, 96, 120), np.float32), truth).astype(int)
    assert drawn.shape == (96 + visualize.TITLE_HEIGHT, 360, 3)
    proposals, sampled, found = (drawn[-96:, start : start + 120] for start in (0, 120, 240))
    assert (proposals != 255).any()
    assert sampled[30, 45].argmax() == 1  # the truth is a proposal, and text: green
    assert ((sampled[:, :, 2] - sampled[:, :, 1]) > 50).any()  # background: red
    assert (found != 255).any()
    command = ["show-data", "-c", str(det_label_file.parents[1] / "run.yml"), "--count", "1", "--output", "shown"]
    monkeypatch.chdir(det_label_file.parents[1])
    assert main([*command, "--weights", "run", "-o", *SMALL, f"Global.engine={engine}"]) == 0
    assert list(Path("shown").glob("0000_*_Proposals.png"))
    with pytest.raises(ConfigError, match="draws the proposals of a MaskRCNNHead"):
        SecondLook(load_small("det", det_label_file), det_label_file.parents[1] / "run")


@pytest.mark.slow
def test_the_exported_folder_evaluates_alike(trainer: Load, det_label_file: Path, load_small: Load) -> None:
    trainer(det_label_file, "Global.max_steps=2").fit()
    config = load_small("det", det_label_file, *SMALL)
    live = evaluate_run(config)
    folder = export_model(config, onnx=False)
    assert evaluate_bundle(config, folder) == pytest.approx(live, abs=1e-6)


@pytest.fixture(scope="module")
def folder(export_small: Load) -> Path:
    """An exported untrained detector, with a network for every engine that can be tested here."""
    return export_small("det", *PARTS, onnx=importlib.util.find_spec("paddle2onnx") is not None)


@pytest.fixture(scope="module")
def page() -> Any:
    return cv2.resize(draw_page((160, 192), lines=3, seed=2).image, (192, 160))


def test_an_exported_network_takes_one_image(folder: Path) -> None:
    assert read_bundle(folder).input.shape == (1, 3, -1, -1)


def test_live_and_exported_find_the_same(folder: Path, page: Any) -> None:
    config = load_config(folder.parent / "config.yml", PARTS)
    backend = create_backend("paddle")
    backend.network = load_network(config, folder.parent / "weights.safetensors")  # type: ignore[attr-defined]
    bundle = read_bundle(folder)
    for box_type in ("quad", "poly"):
        stages = [
            build_stage(config, runner, None) for runner in (FunctionRunner(backend.predict), load_runner(bundle))
        ]
        for stage in stages:
            stage.postprocess.box_type = box_type
        live, exported = (stage.detect(page) for stage in stages)
        assert live.polygons
        assert len(live.polygons) == len(exported.polygons)
        for ours, theirs in zip(live.polygons, exported.polygons, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=0.5)
        np.testing.assert_allclose(live.scores, exported.scores, atol=1e-4)


@needs_onnx
@pytest.mark.parametrize("engine_name", ["onnxruntime", pytest.param("openvino", marks=pytest.mark.slow)])
def test_other_engines_give_what_paddle_gives(folder: Path, engine_name: str) -> None:
    pytest.importorskip(engine_name)
    bundle = read_bundle(folder)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 96, 160)).astype(np.float32)
    expected, found = (load_runner(bundle, name).run(image) for name in ("paddle", engine_name))
    np.testing.assert_allclose(found[..., :4], expected[..., :4], atol=0.1)
    np.testing.assert_allclose(found[..., 4:], expected[..., 4:], atol=1e-3)


def test_a_folder_reads_through_ocr(folder: Path, page: Any) -> None:
    quads = OCR(det_model=str(folder), engine="paddle").detect(page)
    outlines = OCR(det_model=str(folder), engine="paddle", det_box_type="poly").detect(page)
    assert quads.polygons
    assert all(polygon.shape == (4, 2) for polygon in quads.polygons)
    assert any(len(polygon) > 4 for polygon in outlines.polygons)
    for polygon in [*quads.polygons, *outlines.polygons]:
        assert polygon.min() >= 0
        assert (polygon <= [page.shape[1], page.shape[0]]).all()


def test_padding_is_for_pages(load_small: Load, rec_label_file: Path) -> None:
    config = load_small("rec", rec_label_file, "Train.loader.size_divisibility=32")
    with pytest.raises(ConfigError, match="size_divisibility is for detectors"):
        build_trainer(config, prepare_folder(config, resuming=True))
    with pytest.raises(ConfigError, match="size_divisibility ≥ 1"):
        load_small("det", rec_label_file, *SMALL, "Train.loader.size_divisibility=0")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What each engine, Paddle first, finds with the same weights on the same batches."""
    if importlib.util.find_spec("torch") is None:
        pytest.skip("the torch engine is not installed")
    folder, arrays = tmp_path_factory.mktemp("parity"), []
    for name in ("paddle", "torch"):
        command = [sys.executable, "-W", "ignore", "-m", "tests.integration.region_runs", name, str(folder / name)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PPOCR_LITE_TEST_ENGINE": name}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        arrays.append(dict(np.load(folder / f"{name}.npz")))
    ours, theirs = arrays
    assert ours.keys() == theirs.keys()
    return ours, theirs


def test_torch_computes_what_paddle_computes(found: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, theirs = found
    for key, value in ours.items():
        kind = key.partition("|")[0]
        if kind == "checksum":
            assert value == theirs[key], key
        elif kind in ("loss", "sample"):
            np.testing.assert_allclose(theirs[key], value, rtol=1e-4, atol=1e-3, err_msg=key)
    np.testing.assert_allclose(theirs["ten|loss"], ours["ten|loss"], rtol=0.02)


def test_torch_has_the_losses_and_gradients_of_paddle(found: tuple[dict[str, Any], dict[str, Any]]) -> None:
    ours, theirs = found
    losses = [key for key in ours if key.startswith("precise_loss|")]
    assert len(losses) == 6
    for key in losses:
        np.testing.assert_allclose(theirs[key], ours[key], rtol=1e-5, err_msg=key)
    gradients = [key for key in ours if key.startswith("gradient|")]
    parts = ("backbone", "neck", "head.rpn", "head.box", "head.mask")
    assert {part for part in parts for key in gradients if key.startswith(f"gradient|{part}.")} == set(parts)
    largest = max(float(np.abs(ours[key]).max()) for key in gradients)
    for key in gradients:
        # A bias before a batch norm has no gradient, only noise; hence the second term.
        allowed = 1e-3 * float(np.abs(ours[key]).max()) + 1e-7 * largest
        assert float(np.abs(theirs[key] - ours[key]).max()) <= allowed, key
