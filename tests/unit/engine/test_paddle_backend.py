"""The Paddle engine on its own: what it refuses, its threads, and batches of unusable samples only."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

paddle = pytest.importorskip("paddle", reason="the Paddle engine is not installed")

from ppocr_lite.data.sampler import EpochBatches, Key  # noqa: E402
from ppocr_lite.engine.backends.base import Task  # noqa: E402
from ppocr_lite.engine.backends.paddle import PaddleBackend  # noqa: E402
from ppocr_lite.errors import CheckpointError, ConfigError  # noqa: E402
from ppocr_lite.optim.optimizers import Adam, Momentum  # noqa: E402

CLS = {
    "model_type": "cls",
    "algorithm": "CLS",
    "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small"},
    "Head": {"name": "ClsHead", "class_dim": 2},
}


def test_it_does_not_compile_and_says_who_does() -> None:
    with pytest.raises(ConfigError, match=r"Global\.compile: only Global\.engine=torch"):
        PaddleBackend().build(Task(CLS, compile=True))


@pytest.mark.parametrize("threads, told", [(None, []), (2, [2])])
def test_threads_are_those_asked_for(monkeypatch: pytest.MonkeyPatch, threads: int | None, told: list[int]) -> None:
    seen: list[int] = []
    monkeypatch.setattr(paddle.base.core, "set_num_threads", seen.append)
    PaddleBackend().build(Task(CLS, threads=threads))
    assert seen == told


def started(optimizer: Any) -> PaddleBackend:
    backend = PaddleBackend()
    backend.build(Task(CLS, loss={"name": "ClsLoss"}, optimizer=optimizer))
    return backend


def two_lines() -> dict[str, Any]:
    return {"image": np.zeros((2, 3, 48, 96), np.float32), "label": np.array([0, 1])}


def test_state_of_another_optimizer_is_refused() -> None:
    backend = started(Momentum())
    backend.train_step([two_lines()], lr=0.1, seed=1)
    state = backend.optimizer_state()
    started(Momentum()).load_optimizer_state(state)
    with pytest.raises(CheckpointError, match=r"and the optimizer\. Unknown: .*velocity"):
        started(Adam()).load_optimizer_state(state)


def test_a_batch_without_what_the_loss_reads_is_a_fault_of_the_config() -> None:
    with pytest.raises(ConfigError, match=r"The loss needs 'label', but .* have only \['image'\]\..*KeepKeys"):
        started(Adam()).train_step([{"image": two_lines()["image"]}], lr=0.1, seed=1)


class Numbers:
    """A sample is its key."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, key: Key) -> int:
        return key[1]


def collate(indices: Sequence[int]) -> dict[str, Any]:
    """Samples 2 and 3 are unusable."""
    good = [index for index in indices if index not in (2, 3)]
    batch: dict[str, Any] = {"errors": {f"file:{index}": "broken" for index in indices if index in (2, 3)}}
    return batch | ({"image": np.array(good, np.float32)} if good else {})


@pytest.mark.parametrize("workers", [0, 1])
def test_the_loader_goes_on_after_a_batch_of_unusable_samples_only(workers: int) -> None:
    loader = PaddleBackend().loader(Numbers(), EpochBatches(8, 2, shuffle=False), collate, workers)
    batches = list(loader)
    assert [batch["errors"] for batch in batches] == [{}, {"file:2": "broken", "file:3": "broken"}, {}, {}]
    assert [batch["image"].tolist() for batch in batches if "image" in batch] == [[0, 1], [4, 5], [6, 7]]


@pytest.mark.parametrize("taken", [1, 3, 4])
def test_worker_processes_end_with_the_loop(taken: int) -> None:
    loader = PaddleBackend().loader(Numbers(), EpochBatches(8, 2, shuffle=False), collate, 2)
    for _ in range(2):
        assert [batch["errors"] for batch in itertools.islice(loader, taken)][0] == {}
        assert multiprocessing.active_children() == []
