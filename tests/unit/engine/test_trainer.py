"""The loop, with a backend that only counts."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite.data.sampler import EpochBatches
from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.hooks import Hook, JsonlHook, clock
from ppocr_lite.engine.trainer import Plan, Trainer
from ppocr_lite.errors import DataError, DivergenceError


class Counting:
    """A backend whose loss, and whose one weight, is the number of updates."""

    rank, world_size = 0, 1

    def __init__(self, weight: float = 0.0) -> None:
        self.seen: list[tuple[list[Any], float, int]] = []
        self.weight = weight

    def train_step(self, batches: Sequence[Mapping[str, Any]], *, lr: float, seed: int) -> dict[str, float]:
        self.seen.append(([batch["keys"] for batch in batches], lr, seed))
        self.weight += 1.0
        return {"loss": float(len(self.seen))}

    def weights(self) -> dict[str, Any]:
        return {"w": np.float32([self.weight])}

    def load_weights(self, given: Mapping[str, Any]) -> None:
        self.weight = float(given["w"][0])

    def optimizer_state(self) -> dict[str, Any]:
        return {}

    def load_optimizer_state(self, given: Mapping[str, Any]) -> None:
        del given


class Loader:
    """Batches of keys; every *bad* index is unusable."""

    def __init__(self, batches: EpochBatches, bad: tuple[int, ...] = ()) -> None:
        self.batches, self.bad = batches, bad

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for keys in self.batches:
            good = [key for key in keys if key[1] not in self.bad]
            errors = {f"sample {key[1]}": f"broken in epoch {key[0]}" for key in keys if key[1] in self.bad}
            batch: dict[str, Any] = {"errors": errors}
            yield batch | ({"image": np.zeros(len(good)), "keys": good} if good else {})


class Notes(Hook):
    def __init__(self) -> None:
        self.logged: list[int] = []
        self.evaluated: list[int] = []
        self.ended = 0

    def on_log(self, state: Any, values: Mapping[str, float]) -> None:
        self.logged.append(state.step)

    def on_eval(self, state: Any, metrics: Mapping[str, float]) -> None:
        self.evaluated.append(state.step)

    def on_end(self, state: Any) -> None:
        self.ended += 1


def make(
    tmp_path: Path,
    plan: Plan,
    *,
    bad: tuple[int, ...] = (),
    scores: Sequence[float] = (),
    backend: Any = None,
    hooks: Sequence[Hook] = (),
    pool: Callable[[int], int] | None = None,
) -> Trainer:
    batches = EpochBatches(12, 2, seed=plan.seed)
    waiting = iter(scores)
    evaluate: Callable[[], dict[str, float]] | None = (lambda: {"acc": next(waiting)}) if scores else None
    loader = Loader(batches, bad)
    backend = backend or Counting()
    return Trainer(
        backend, lambda step: step / 10, loader, batches, plan, tmp_path, evaluate, hooks, train_metric=None, pool=pool
    )


def test_the_step_is_the_clock(tmp_path: Path) -> None:
    notes = Notes()
    trainer = make(tmp_path, Plan(steps=9, log_every=4), hooks=[notes])
    state = trainer.fit()
    assert (state.step, state.epoch, notes.logged, notes.ended) == (9, 1, [4, 8], 1)
    assert [lr for _, lr, _ in trainer.backend.seen] == pytest.approx([step / 10 for step in range(9)])  # type: ignore[attr-defined]
    assert len({seed for _, _, seed in trainer.backend.seen}) == 9  # type: ignore[attr-defined]


def test_resume_repeats_the_same_batches(tmp_path: Path) -> None:
    whole = make(tmp_path / "a", Plan(steps=14, save_every=8))
    whole.fit()
    rest = make(tmp_path / "a", Plan(steps=14))
    rest.resume(tmp_path / "a" / "step_00000008")
    rest.fit()
    assert rest.backend.seen == whole.backend.seen[8:]  # type: ignore[attr-defined]


def test_accumulated_batches_make_one_update(tmp_path: Path) -> None:
    trainer = make(tmp_path, Plan(steps=4, accumulate=4))
    trainer.fit()
    groups = [keys for keys, _, _ in trainer.backend.seen]  # type: ignore[attr-defined]
    assert trainer.steps_per_epoch == 1  # 6 batches: the last 2 of an epoch fill no update
    assert [len(group) for group in groups] == [4] * 4
    assert [group[0][0][0] for group in groups] == [0, 1, 2, 3]


@pytest.mark.parametrize("start, every, expected", [(0, 3, [3, 6, 8]), (4, 2, [6, 8]), (0, 0, [8])])
def test_evaluation_begins_after_start_and_ends_the_run(
    tmp_path: Path, start: int, every: int, expected: list[int]
) -> None:
    notes = Notes()
    make(tmp_path, Plan(steps=8, eval_start=start, eval_every=every), scores=[0.5] * 9, hooks=[notes]).fit()
    assert notes.evaluated == expected


def test_best_is_the_highest_of_the_first_metric(tmp_path: Path) -> None:
    trainer = make(tmp_path, Plan(steps=8, eval_every=2), scores=[0.1, 0.9, 0.9, 0.3])
    state = trainer.fit()
    assert (state.best, state.best_step) == (0.9, 4)
    assert (tmp_path / "best").read_text() == "step_00000004"
    assert (tmp_path / "latest").read_text() == "step_00000008"


def test_bad_samples_are_counted_once(tmp_path: Path) -> None:
    trainer = make(tmp_path, Plan(steps=12, bad_share=0.2), bad=(5, 7))
    assert sorted(trainer.fit().bad_samples) == ["sample 5", "sample 7"]


def test_too_many_bad_samples_stop_the_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"2 of 12 training samples are unusable, more than Global.max_bad_samples"):
        make(tmp_path, Plan(steps=12, bad_share=0.1), bad=(5, 7)).fit()


def test_bad_samples_are_a_share_of_what_all_epochs_draw_from(tmp_path: Path) -> None:
    plan = Plan(steps=24, bad_share=0.1)
    assert make(tmp_path, plan, bad=(5, 7), pool=lambda epoch: 12 * (epoch + 2)).fit().step == 24
    with pytest.raises(DataError, match="2 of 12 training samples"):
        make(tmp_path, plan, bad=(5, 7), pool=lambda epoch: 12).fit()


def test_a_batch_of_bad_samples_only_makes_no_update(tmp_path: Path) -> None:
    trainer = make(tmp_path, Plan(steps=6, bad_share=1.0), bad=tuple(range(12)))
    assert trainer.fit().step == 6
    assert trainer.backend.seen == []  # type: ignore[attr-defined]


class OneOfTwo(Counting):
    """Rank 0 of two; *other* says what the other rank reports at each step."""

    world_size = 2

    def __init__(self, other: Callable[[int], dict[str, float]]) -> None:
        super().__init__()
        self.other, self.asked = other, 0

    def total(self, values: Mapping[str, float]) -> dict[str, float]:
        self.asked += 1
        theirs = self.other(self.asked)
        return {name: value + theirs.get(name, 0.0) for name, value in values.items()}


def test_no_rank_updates_where_one_has_nothing_to_learn_from(tmp_path: Path) -> None:
    backend = OneOfTwo(lambda asked: {"empty": float(asked == 2)})
    state = make(tmp_path, Plan(steps=4), backend=backend).fit()
    assert state.step == 4
    assert [lr for _, lr, _ in backend.seen] == pytest.approx([0.0, 0.2, 0.3])


def test_all_ranks_stop_where_one_has_too_many_bad_samples(tmp_path: Path) -> None:
    backend = OneOfTwo(lambda asked: {"spoilt": float(asked == 3)})
    with pytest.raises(DataError, match="Another process found more unusable training samples"):
        make(tmp_path, Plan(steps=6), backend=backend).fit()
    assert len(backend.seen) == 2


def test_all_ranks_stop_where_one_was_told_to(tmp_path: Path) -> None:
    backend = OneOfTwo(lambda asked: {"stop": float(asked == 4)})
    assert make(tmp_path, Plan(steps=6), backend=backend).fit().step == 3


class Broken(Counting):
    """Its loss is no number from the second update on."""

    def train_step(self, batches: Sequence[Mapping[str, Any]], *, lr: float, seed: int) -> dict[str, float]:
        loss = super().train_step(batches, lr=lr, seed=seed)["loss"]
        return {"loss": 1.0, "loss_part": float("nan") if loss > 1 else 0.0}


@pytest.mark.parametrize(
    ("options", "step", "kept"),
    [
        ({"log_every": 2}, 2, None),
        ({"save_every": 1}, 2, "step_00000001"),
        ({"save_every": 3}, 3, None),
        ({"eval_every": 4}, 4, None),
        ({}, 6, None),
    ],
)
def test_a_loss_that_is_not_finite_stops_the_run_before_anything_is_saved(
    tmp_path: Path, options: dict[str, int], step: int, kept: str | None
) -> None:
    notes, plan = Notes(), Plan(**{"steps": 6, "log_every": 99, **options})
    with pytest.raises(DivergenceError, match=f"Step {step}: a loss is not finite: {{'loss_part': nan}}"):
        make(tmp_path, plan, backend=Broken(), scores=[0.5], hooks=[notes]).fit()
    assert (notes.evaluated, notes.ended) == ([], 0)
    pointed = (tmp_path / "latest").read_text() if (tmp_path / "latest").is_file() else None
    assert pointed == kept


@pytest.mark.parametrize("options", [{}, {"save_every": 2}])
def test_what_was_trained_outlasts_an_evaluation_that_fails(tmp_path: Path, options: dict[str, int]) -> None:
    def fail() -> dict[str, float]:
        raise DataError("no such picture")

    trainer = make(tmp_path, Plan(steps=4, eval_every=3, **options))
    trainer.evaluate = fail
    with pytest.raises(DataError, match="no such picture"):
        trainer.fit()
    assert (tmp_path / "latest").read_text() == "step_00000003"
    assert not (tmp_path / "best").exists()


def test_a_checkpoint_names_the_metrics_of_its_own_step_only(tmp_path: Path) -> None:
    make(tmp_path, Plan(steps=8, eval_every=4, save_every=2, keep=9), scores=[0.5, 0.6]).fit()
    states = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("step_*/state.json"))]
    assert [(state["step"], state["metrics"]) for state in states] == [
        (2, {}),
        (4, {"acc": 0.5}),
        (6, {}),
        (8, {"acc": 0.6}),
    ]


def weight_of(folder: Path) -> float:
    return float(checkpoint.read_weights(folder)["w"][0])


def test_a_run_that_goes_back_replaces_what_it_gives_up(tmp_path: Path) -> None:
    make(tmp_path, Plan(steps=12, save_every=2, eval_every=4, keep=9), scores=[0.5, 0.9, 0.3]).fit()
    assert (tmp_path / "best").read_text() == "step_00000008"
    again = make(tmp_path, Plan(steps=8, save_every=2, keep=9), backend=Counting(100.0), scores=[0.4])
    again.resume(tmp_path / "step_00000004")
    assert [(tmp_path / name).read_text() for name in ("latest", "best")] == ["step_00000004"] * 2
    again.backend.weight = 104.0  # type: ignore[attr-defined]
    again.fit()
    found = {path.name: weight_of(path) for path in sorted(tmp_path.glob("step_*"))}
    assert found == {"step_00000002": 2, "step_00000004": 4, "step_00000006": 106, "step_00000008": 108}
    assert (tmp_path / "latest").read_text() == "step_00000008"
    assert (tmp_path / "best").read_text() == "step_00000004"


def test_a_kill_after_going_back_leaves_a_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, Plan(steps=6, save_every=2)).fit()
    again = make(tmp_path, Plan(steps=6, save_every=2))
    again.resume(tmp_path / "step_00000004")

    def kill(draft: Path, target: Path) -> None:
        raise SystemExit(f"killed at {draft} → {target}")

    with monkeypatch.context() as patched, pytest.raises(SystemExit, match="step_00000006"):
        patched.setattr(Path, "rename", kill)
        again.fit()
    assert checkpoint.resolve(tmp_path).name == "step_00000004"
    assert weight_of(checkpoint.resolve(tmp_path)) == 4


def written(path: Path) -> tuple[int, int, int]:
    """Which file it is and when it was written; not when it was last read, which a resume does."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def test_a_run_that_is_stopped_as_it_continues_changes_nothing(tmp_path: Path) -> None:
    make(tmp_path, Plan(steps=4)).fit()
    before = written(tmp_path / "step_00000004" / checkpoint.MODEL)
    again = make(tmp_path, Plan(steps=6, minutes=1e-9))
    again.resume(tmp_path / "step_00000004")
    assert again.fit().step == 4
    assert written(tmp_path / "step_00000004" / checkpoint.MODEL) == before
    elsewhere = make(tmp_path / "other", Plan(steps=6, minutes=1e-9))
    elsewhere.resume(tmp_path / "step_00000004")
    elsewhere.fit()
    assert (tmp_path / "other" / "latest").read_text() == "step_00000004"


def test_sigterm_saves_and_stops(tmp_path: Path) -> None:
    class Terminating(Counting):
        def train_step(self, batches: Sequence[Mapping[str, Any]], *, lr: float, seed: int) -> dict[str, float]:
            if len(self.seen) == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().train_step(batches, lr=lr, seed=seed)

    before = signal.getsignal(signal.SIGTERM)
    state = make(tmp_path, Plan(steps=6), backend=Terminating()).fit()
    assert state.step == 3
    assert (tmp_path / "latest").read_text() == "step_00000003"
    assert signal.getsignal(signal.SIGTERM) is before


def test_numbers_go_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    plan = Plan(steps=4, log_every=2, smooth=3)
    make(tmp_path / "run", plan, scores=[0.5], hooks=[JsonlHook(file)]).fit()
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(row["event"], row["step"]) for row in rows] == [("log", 2), ("log", 4), ("eval", 4)]
    assert rows[1]["loss"] == 3  # the median of updates 2, 3, 4
    assert rows[2]["acc"] == 0.5


def test_seconds_are_shown_as_a_clock() -> None:
    assert [clock(seconds) for seconds in (0, 61.4, 3600 * 30)] == ["0:00:00", "0:01:01", "30:00:00"]
