"""tools/average_checkpoints.py on weight files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

ROOT = Path(__file__).parents[2]


def average(*arguments: Path | str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tools/average_checkpoints.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_weights_are_averaged(tmp_path: Path) -> None:
    for number, value in enumerate((1.0, 2.0, 6.0)):
        save_file({"w": np.full((2, 3), value, np.float32)}, tmp_path / f"{number}.safetensors")
    done = average(*(tmp_path / f"{number}.safetensors" for number in range(3)), "--output", tmp_path / "m.safetensors")
    assert done.returncode == 0, done.stderr
    assert load_file(tmp_path / "m.safetensors")["w"].tolist() == [[3.0] * 3] * 2


def test_another_network_is_named(tmp_path: Path) -> None:
    save_file({"w": np.zeros(2, np.float32)}, tmp_path / "a.safetensors")
    save_file({"w": np.zeros(3, np.float32)}, tmp_path / "b.safetensors")
    done = average(tmp_path / "a.safetensors", tmp_path / "b.safetensors", "--output", tmp_path / "m.safetensors")
    assert done.returncode != 0
    assert "b.safetensors is not of the network of" in done.stderr and "['w']" in done.stderr
    assert not (tmp_path / "m.safetensors").exists()
