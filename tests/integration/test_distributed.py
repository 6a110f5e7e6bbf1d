"""Two processes on one machine train one network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ENGINES = ("paddle", "torch")


def launch(engine: str, folder: Path, config: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    """Train in two processes that talk by Gloo; what they write is in ``stderr``."""
    pytest.importorskip(engine, reason=f"the {engine} engine is not installed")
    module = {"paddle": "paddle.distributed.launch", "torch": "torch.distributed.run"}[engine]
    options = ("--backend", "gloo", "--log_dir", str(folder / "log")) if engine == "paddle" else ("--standalone",)
    command = (*(sys.executable, "-m", module, "--nproc_per_node", "2", *options), str(ROOT / "tools" / "train.py"))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = ("-c", str(config), "-o", f"Global.engine={engine}", *overrides)
    done = subprocess.run(
        (*command, *words), env=environment, cwd=folder, capture_output=True, text=True, timeout=200, check=False
    )
    done.stderr += done.stdout + "\n".join(path.read_text() for path in (folder / "log").glob("workerlog.*"))
    return done


def without_images(config: Path, labels: Path, *numbers: int) -> Path:
    """Remove some of the images of *labels*, and read the rest in the order of the file."""
    for number in numbers:
        (labels.parent / f"line_{number}.png").unlink()
    content = yaml.safe_load(config.read_text())
    content["Train"]["loader"]["shuffle"] = False
    del content["Eval"]
    config.write_text(yaml.safe_dump(content))
    return config


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_rank_without_a_usable_sample_does_not_keep_the_other_waiting(
    engine: str, write_config: Callable[..., Path], rec_label_file: Path, tmp_path: Path
) -> None:
    config = without_images(write_config("rec", rec_label_file), rec_label_file, 1, 3)  # the second rank's first batch
    done = launch(engine, tmp_path, config, "Global.max_bad_samples=0.5")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert ["loss" in row for row in rows[:2]] == [False, True]
    assert [row["avg_samples"] for row in rows] == [0, 2, 0, 2]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_too_many_bad_samples_of_one_rank_end_both(
    engine: str, write_config: Callable[..., Path], rec_label_file: Path, tmp_path: Path
) -> None:
    config = without_images(write_config("rec", rec_label_file), rec_label_file, 1)
    done = launch(engine, tmp_path, config, "Global.max_bad_samples=0.01")
    assert done.returncode != 0
    assert "1 of 8 training samples are unusable" in done.stderr
    assert "Another process found more unusable training samples" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_two_processes_train_evaluate_and_save_once(
    engine: str, write_config: Callable[..., Path], rec_label_file: Path, tmp_path: Path
) -> None:
    done = launch(engine, tmp_path, write_config("rec", rec_label_file))
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["event"] == "log"] == [1, 2, 3, 4]  # 8 samples, 2 ranks of 2, 2 epochs
    state = json.loads((tmp_path / "run" / "checkpoints" / "step_00000004" / "state.json").read_text())
    assert set(state["metrics"]) >= {"acc", "norm_edit_dis"}
