"""A run that is killed at any moment continues from its last complete checkpoint."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ppocr_lite.engine import checkpoint
from tests.integration.test_mask_rcnn import SMALL as TWO_STAGE

ROOT = Path(__file__).parents[2]


def start(config: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "tools" / "train.py"), "-c", str(config), *arguments]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def wait_for_steps(run: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if len(list((run / "checkpoints").glob("step_*"))) >= count:
            return
        time.sleep(0.02)
    pytest.fail(f"The run saved fewer than {count} checkpoints: {process.communicate()[0]}")


LONG = ("-o", "Global.epoch_num=200", "Global.save_batch_step=1", "Global.keep_checkpoints=2")


def test_a_killed_run_continues(write_config: Callable[..., Path], cls_label_file: Path, tmp_path: Path) -> None:
    config, run = write_config("cls", cls_label_file), tmp_path / "run"
    process = start(config, *LONG)
    wait_for_steps(run, 2, process)
    process.kill()
    process.communicate()
    reached = int((run / "checkpoints" / "latest").read_text().removeprefix("step_"))

    again = start(config, "--resume", "-o", *LONG[1:], f"Global.max_steps={reached + 3}")
    output = again.communicate(timeout=300)[0]
    assert again.returncode == 0, output
    state = json.loads((run / "checkpoints" / f"step_{reached + 3:08d}" / "state.json").read_text())
    assert state["step"] == reached + 3
    assert f"at step {reached}." in output
    assert not list((run / "checkpoints").glob(".step_*"))


def test_a_terminated_run_saves_and_ends_well(
    write_config: Callable[..., Path], cls_label_file: Path, tmp_path: Path
) -> None:
    config, run = write_config("cls", cls_label_file), tmp_path / "run"
    process = start(config, *LONG, "Global.save_batch_step=2", "Train.loader.num_workers=1")
    wait_for_steps(run, 1, process)
    process.send_signal(signal.SIGTERM)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert "resume to continue" in output


@pytest.mark.parametrize("engine", ["paddle", "torch"])
def test_a_signal_to_the_readers_too_ends_a_run_as_well(
    engine: str, write_config: Callable[..., Path], cls_label_file: Path, tmp_path: Path
) -> None:
    if engine == "torch":
        pytest.importorskip("torch")
    config, run = write_config("cls", cls_label_file), tmp_path / "run"
    process = start(config, *LONG, "Train.loader.num_workers=1", f"Global.engine={engine}")
    wait_for_steps(run, 2, process)
    os.killpg(process.pid, signal.SIGTERM)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert "resume to continue" in output


def test_a_run_is_not_overwritten(write_config: Callable[..., Path], cls_label_file: Path) -> None:
    config = write_config("cls", cls_label_file)
    first = start(config, "-o", "Global.max_steps=1")
    output = first.communicate(timeout=120)[0]
    assert first.returncode == 0, output
    second = start(config, "-o", "Global.max_steps=2")
    output = second.communicate(timeout=120)[0]
    assert second.returncode == 2
    assert "holds a run already" in output


CTPN = (
    "Architecture.Backbone.stages=3",
    "Architecture.Neck=null",
    "Architecture.Head={name: CTPNHead, mid_channels: 16, hidden_size: 8, fc_channels: 16}",
    "Loss={name: CTPNLoss}",
    "PostProcess={name: CTPNPostProcess}",
    "Train.dataset.transforms=[{DecodeImage: {img_mode: BGR}}, {DetLabelEncode: }, "
    "{EastRandomCropData: {size: [128, 160], keep_ratio: false}}, {MakeCTPNTargets: }, "
    "{NormalizeImage: {order: hwc}}, {ToCHWImage: }, "
    "{KeepKeys: {keep_keys: [image, anchor_labels, anchor_vertical, anchor_sides, anchor_side_mask]}}]",
)
UPDATES = 12


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["paddle", "torch"])
@pytest.mark.parametrize("detector", [TWO_STAGE, CTPN], ids=["two_stage", "ctpn"])
def test_a_killed_detector_with_anchors_ends_as_one_that_was_not(
    engine: str,
    detector: tuple[str, ...],
    write_config: Callable[..., Path],
    det_label_file: Path,
    read_losses: Callable[..., dict[int, float]],
    tmp_path: Path,
) -> None:
    if engine == "torch":
        pytest.importorskip("torch")
    options = ("-o", f"Global.engine={engine}", f"Global.max_steps={UPDATES}", "Global.save_batch_step=1")
    options += ("Global.keep_checkpoints=2", *detector, "Eval=")
    whole = start(write_config("det", det_label_file, "whole"), *options)
    output = whole.communicate(timeout=300)[0]
    assert whole.returncode == 0, output

    config, run = write_config("det", det_label_file, "killed"), tmp_path / "killed"
    process = start(config, *options)
    wait_for_steps(run, 2, process)
    process.kill()
    process.communicate()
    reached = int((run / "checkpoints" / "latest").read_text().removeprefix("step_"))
    assert 0 < reached < UPDATES
    again = start(config, "--resume", *options)
    output = again.communicate(timeout=300)[0]
    assert again.returncode == 0, output
    assert f"at step {reached}." in output
    assert read_losses(run) == read_losses(tmp_path / "whole")
    ours, theirs = (checkpoint.read_weights(folder) for folder in (run, tmp_path / "whole"))
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
