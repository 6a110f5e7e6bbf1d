"""A config and weights → an engine that holds them, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from ppocr_lite.config import Config, check_config
from ppocr_lite.engine import open as module
from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import registries
from ppocr_lite.engine.open import open_checkpoint, open_network, weights_of
from ppocr_lite.errors import CheckpointError
from ppocr_lite.families import FAMILIES

ARCHITECTURE = {"model_type": "det", "Backbone": {"name": "ResNet"}, "Neck": None, "Head": {"name": "DBHead"}}


class Engine:
    """An engine of one weight that remembers what it was told."""

    name, rank = "some", 0

    def __init__(self) -> None:
        self.task: Task | None = None
        self.loaded: Mapping[str, Any] = {}

    def build(self, task: Task) -> None:
        self.task = task

    def weights(self) -> dict[str, Any]:
        return {"head.weight": np.zeros(2, np.float32)}

    def load_weights(self, weights: Mapping[str, Any]) -> None:
        self.loaded = weights


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> Engine:
    backend = Engine()
    monkeypatch.setattr(module, "create_backend", lambda name: backend)
    return backend


def config(**options: Any) -> Config:
    return check_config({"Global": options, "Architecture": ARCHITECTURE}, registries(), FAMILIES)


def test_the_engine_is_told_what_the_config_says(made: Engine) -> None:
    open_network(config(threads=3, seed=7, device="cpu"))
    assert made.task == Task(ARCHITECTURE, None, seed=7, device="cpu", threads=3)


def test_another_architecture_may_be_given(made: Engine) -> None:
    open_network(config(), {"model_type": "det", "Backbone": {"name": "Other"}})
    assert made.task is not None
    assert made.task.architecture["Backbone"] == {"name": "Other"}


def test_the_weights_are_those_of_the_file(made: Engine, tmp_path: Path) -> None:
    save_file({"head.weight": np.float32([1, 2])}, tmp_path / "w.safetensors")
    open_checkpoint(config(), tmp_path / "w.safetensors")
    assert made.loaded["head.weight"].tolist() == [1, 2]


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    save_file({"head.weight": np.zeros(3, np.float32)}, tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match=r"of another shape: head\.weight"):
        open_checkpoint(config(), tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("options", "given", "expected"),
    [
        ({"save_model_dir": "run"}, None, "run"),
        ({"save_model_dir": "run", "pretrained_model": "start"}, None, "start"),
        ({"pretrained_model": "start", "checkpoints": "other"}, None, "other"),
        ({"checkpoints": "other"}, Path("mine"), "mine"),
    ],
)
def test_where_the_weights_are(options: dict[str, Any], given: Path | None, expected: str) -> None:
    assert weights_of(config(**options), given) == Path(expected)
