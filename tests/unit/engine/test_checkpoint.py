"""Checkpoint folders, pointers, and weights that must fit."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.checkpoint import TrainState
from ppocr_lite.errors import CheckpointError, DivergenceError
from tests.limits import file_size_limit


class Memory:
    """A backend that only remembers."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = {"head.fc.weight": np.full((2, 3), value, np.float32), "head.bn._mean": np.zeros(3, np.float32)}
        self.optimizer = {"head.fc.weight.moment1": np.full((2, 3), value + 1, np.float32)}

    def weights(self) -> dict[str, Any]:
        return dict(self.value)

    def load_weights(self, weights: dict[str, Any]) -> None:
        self.value = dict(weights)

    def optimizer_state(self) -> dict[str, Any]:
        return self.optimizer

    def load_optimizer_state(self, state: dict[str, Any]) -> None:
        self.optimizer = state


def save_steps(folder: Path, *steps: int) -> None:
    for step in steps:
        path = checkpoint.save(folder, Memory(step), TrainState(step=step, steps_per_epoch=7))  # type: ignore[arg-type]
        checkpoint.point(folder, "latest", path.name)


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    save_steps(tmp_path, 3)
    backend = Memory()
    state = checkpoint.resume(checkpoint.resolve(tmp_path), backend, seed=0, steps_per_epoch=7)  # type: ignore[arg-type]
    assert state == TrainState(step=3, steps_per_epoch=7)
    assert backend.value["head.fc.weight"][0, 0] == 3
    assert backend.optimizer["head.fc.weight.moment1"][0, 0] == 4


@pytest.mark.parametrize("name, step", [("best_accuracy", 1), ("best_accuracy.pdparams", 1), ("latest", 2)])
@pytest.mark.parametrize("place", ["", "checkpoints"])
def test_the_names_of_paddleocr_lead_to_the_pointers(tmp_path: Path, name: str, step: int, place: str) -> None:
    save_steps(tmp_path / "checkpoints", 1, 2)
    checkpoint.point(tmp_path / "checkpoints", "best", "step_00000001")
    given = tmp_path / place / name
    assert checkpoint.read_weights(given)["head.fc.weight"][0, 0] == step
    if given.suffix == "":
        assert checkpoint.resolve(given).name == f"step_{step:08d}"


def test_a_half_written_checkpoint_is_not_seen(tmp_path: Path) -> None:
    save_steps(tmp_path, 1)
    draft = tmp_path / ".step_00000002.tmp"
    draft.mkdir()
    (draft / checkpoint.MODEL).write_bytes(b"half")
    assert checkpoint.resolve(tmp_path).name == "step_00000001"
    checkpoint.prune(tmp_path, keep=3)
    assert not draft.exists()


def test_a_checkpoint_left_without_pointer_is_written_again(tmp_path: Path) -> None:
    stale = tmp_path / "step_00000002"
    stale.mkdir()
    (stale / checkpoint.MODEL).write_bytes(b"stale")
    save_steps(tmp_path, 2)
    assert checkpoint.read_weights(tmp_path)["head.fc.weight"][0, 0] == 2


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    save_steps(tmp_path, 1)
    with pytest.raises(DivergenceError, match=r"Step 2 is not saved, .*: head\.fc\.weight\."):
        checkpoint.save(tmp_path, Memory(float("nan")), TrainState(step=2))  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir() if "step" in path.name] == ["step_00000001"]


def test_a_best_that_is_not_of_this_run_is_not_pointed_out(tmp_path: Path) -> None:
    save_steps(tmp_path, 2, 4)
    checkpoint.point(tmp_path, "best", "step_00000004")
    checkpoint.go_back(tmp_path, TrainState(step=2))
    assert ((tmp_path / "latest").read_text(), (tmp_path / "best").exists()) == ("step_00000002", False)
    checkpoint.prune(tmp_path, keep=3)
    assert [path.name for path in tmp_path.glob("step_*")] == ["step_00000002"]


def test_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    save_steps(tmp_path, 1, 2, 3, 4)
    checkpoint.point(tmp_path, "best", "step_00000001")
    checkpoint.prune(tmp_path, keep=2)
    assert sorted(path.name for path in tmp_path.glob("step_*")) == ["step_00000001", "step_00000003", "step_00000004"]


def test_weights_of_a_run_are_its_best(tmp_path: Path) -> None:
    save_steps(tmp_path / "checkpoints", 1, 2)
    assert checkpoint.read_weights(tmp_path)["head.fc.weight"][0, 0] == 2
    checkpoint.point(tmp_path / "checkpoints", "best", "step_00000001")
    assert checkpoint.read_weights(tmp_path)["head.fc.weight"][0, 0] == 1


def test_a_folder_without_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="No 'latest' checkpoint under"):
        checkpoint.resolve(tmp_path)


def test_damaged_files_are_an_error(tmp_path: Path) -> None:
    save_steps(tmp_path, 1)
    (tmp_path / "step_00000001" / checkpoint.OPTIMIZER).write_bytes(b"broken")
    with pytest.raises(CheckpointError, match=r"optimizer\.safetensors cannot be read"):
        checkpoint.resume(tmp_path / "step_00000001", Memory(), seed=0, steps_per_epoch=7)  # type: ignore[arg-type]


WANTED = {"backbone.w": np.zeros((2, 2), np.float32), "head.fc": np.ones((2, 5), np.float32)}


def test_weights_that_do_not_fit_are_listed() -> None:
    given = {"backbone.v": np.zeros(1), "head.fc": np.zeros((2, 6))}
    with pytest.raises(CheckpointError) as raised:
        checkpoint.fit_weights(given, WANTED, "old")
    text = str(raised.value)
    assert "missing: backbone.w" in text
    assert "unexpected: backbone.v" in text
    assert "head.fc (2, 6) instead of (2, 5)" in text


def test_named_parts_start_afresh() -> None:
    given = {"backbone.w": np.full((2, 2), 7.0), "head.fc": np.zeros((2, 6)), "head.other": np.zeros(1)}
    fitted = checkpoint.fit_weights(given, WANTED, "old", reinit=["head"])
    assert fitted["backbone.w"].dtype == np.float32
    assert fitted["backbone.w"][0, 0] == 7
    assert fitted["head.fc"][0, 0] == 1
    assert set(fitted) == set(WANTED)


def test_a_part_is_a_whole_name() -> None:
    given = {"backbone.w": np.zeros((2, 2))}
    with pytest.raises(CheckpointError, match=r"missing: head\.fc"):
        checkpoint.fit_weights(given, WANTED, "old", reinit=["hea"])


def safetensors(kind: str, size: int) -> bytes:
    header = json.dumps({"a": {"dtype": kind, "shape": [2], "data_offsets": [0, 2 * size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(2 * size)


@pytest.mark.parametrize(("kind", "size"), [("BF16", 2), ("F8_E4M3", 1), ("F8_E5M2", 1), ("C64", 8), ("X9", 1)])
def test_numbers_that_numpy_lacks_are_a_checkpoint_error(tmp_path: Path, kind: str, size: int) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors(kind, size))
    with pytest.raises(CheckpointError, match=r"a\.safetensors"):
        checkpoint.read_weights(path)


@pytest.mark.parametrize(
    "name", [b"\xff\xfe", b"", b"../../etc", b"step_1\0", b"step_00000001\nstep_00000002", b"x" * 10**6]
)
@pytest.mark.parametrize("pointer", ["latest", "best"])
def test_a_pointer_that_names_no_checkpoint_is_an_error(tmp_path: Path, name: bytes, pointer: str) -> None:
    (tmp_path / pointer).write_bytes(name)
    with pytest.raises(CheckpointError, match=f"{pointer} (cannot be read|must name a checkpoint)"):
        checkpoint.resolve(tmp_path, pointer)


@pytest.mark.parametrize("state", [b"[" * 100_000, b"\xff", b"[]", b"{}x"])
def test_a_damaged_state_is_an_error(tmp_path: Path, state: bytes) -> None:
    (tmp_path / "state.json").write_bytes(state)
    with pytest.raises(CheckpointError, match=r"state\.json cannot be read"):
        checkpoint.resume(tmp_path, Memory(), 0, 0)  # type: ignore[arg-type]


def test_a_full_disk_leaves_the_checkpoints_that_were_there_and_no_draft(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, Memory(1), TrainState(step=1))  # type: ignore[arg-type]
    checkpoint.point_out(tmp_path, TrainState(step=1))
    large = Memory(2)
    large.value["head.fc.weight"] = np.zeros((500, 500), np.float32)
    with file_size_limit(100_000), pytest.raises(CheckpointError, match="step_00000002 cannot be written"):
        checkpoint.save(tmp_path, large, TrainState(step=2))  # type: ignore[arg-type]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "step_00000001"]
    assert checkpoint.resolve(tmp_path).name == "step_00000001"
