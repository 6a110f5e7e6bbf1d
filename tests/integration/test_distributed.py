"""Two processes on one machine train one network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_two_processes_train_evaluate_and_save_once(
    write_config: Callable[..., Path], rec_label_file: Path, tmp_path: Path
) -> None:
    launcher = (
        *(sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--backend", "gloo"),
        *("--log_dir", str(tmp_path / "log")),
    )
    command = (*launcher, str(ROOT / "tools" / "train.py"), "-c", str(write_config("rec", rec_label_file)))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    logs = "\n".join(path.read_text() for path in (tmp_path / "log").glob("workerlog.*"))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["event"] == "log"] == [1, 2, 3, 4]  # 8 samples, 2 ranks of 2, 2 epochs
    state = json.loads((tmp_path / "run" / "checkpoints" / "step_00000004" / "state.json").read_text())
    assert set(state["metrics"]) >= {"acc", "norm_edit_dis"}
