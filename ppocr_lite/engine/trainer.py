"""The training loop, the same for detection, orientation and recognition, and for every backend."""

from __future__ import annotations

import logging
import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppocr_lite.data.sampler import EpochBatches
from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.backends.base import Backend, Batch
from ppocr_lite.engine.checkpoint import TrainState
from ppocr_lite.engine.hooks import Hook
from ppocr_lite.engine.stopping import Budget, StopOnSignal
from ppocr_lite.errors import DataError, DivergenceError

log = logging.getLogger(__name__)

EMPTY = "every sample of the batch is unusable"


@dataclass(frozen=True)
class Plan:
    """How long, how often.

    Attributes:
        steps: Optimizer updates in the whole run.
        eval_every: Updates between evaluations, 0 for only the last.
        eval_start: Updates before the first of these.
        save_every: Updates between checkpoints, 0 for only the last.
        log_every: Updates between log lines.
        smooth: Updates whose median a log line shows.
        accumulate: Batches that make one update.
        keep: Newest checkpoints kept, besides the best.
        minutes: Stop, with a checkpoint, before this long is over; None for never.
        bad_share: Share of the samples that training draws from that may be unusable.
        seed: Decides all randomness of the run.
    """

    steps: int
    eval_every: int = 0
    eval_start: int = 0
    save_every: int = 0
    log_every: int = 20
    smooth: int = 20
    accumulate: int = 1
    keep: int = 3
    minutes: float | None = None
    bad_share: float = 0.01
    seed: int = 0


class Trainer:
    """Runs the loop; knows batches, losses and one number to maximise, not what they mean.

    Args:
        backend: Holds network, loss and optimizer.
        schedule: Step → learning rate; a pure function, so it has nothing to resume.
        loader: Yields batches as dicts; built on *batches*.
        batches: The sampler of *loader*, for resuming in mid-epoch.
        plan: How long, how often.
        folder: Where checkpoints go.
        evaluate: Returns metrics, the first of which is maximised; None to skip.
        hooks: Watchers, called on rank 0 only.
        train_metric: Measures the training batches that are logged; None to skip.
        pool: Epoch → number of different samples drawn from up to its end; None for those of one epoch.
    """

    def __init__(
        self,
        backend: Backend,
        schedule: Callable[[int], float],
        loader: Iterable[Batch],
        batches: EpochBatches,
        plan: Plan,
        folder: Path,
        evaluate: Callable[[], dict[str, float]] | None = None,
        hooks: Sequence[Hook] = (),
        train_metric: Callable[[Batch], dict[str, float]] | None = None,
        pool: Callable[[int], int] | None = None,
    ) -> None:
        self.backend, self.schedule, self.loader, self.batches = backend, schedule, loader, batches
        self.plan, self.folder, self.evaluate, self.train_metric = plan, folder, evaluate, train_metric
        self.hooks = tuple(hooks) if backend.rank == 0 else ()
        self.pool = pool or (lambda epoch: batches.length)
        self.steps_per_epoch = len(batches) // plan.accumulate
        self.state = TrainState(seed=plan.seed, steps_per_epoch=self.steps_per_epoch)
        self._meter = Meter(plan.smooth)
        self._stop = False
        self._saved = -1

    def resume(self, path: Path) -> None:
        """Continue the run saved at *path*, a checkpoint folder; the run's own later ones are given up."""
        self.state = checkpoint.resume(path, self.backend, self.plan.seed, self.steps_per_epoch)
        if path.resolve() == (self.folder / checkpoint.name_of(self.state.step)).resolve():
            self._saved = self.state.step
            if self.backend.rank == 0:
                checkpoint.go_back(self.folder, self.state)
        log.info("Continue from %s at step %d.", path, self.state.step)

    def fit(self) -> TrainState:
        """Train until ``plan.steps``, or until a signal or the clock says stop; either way end with a checkpoint.

        Raises:
            DataError: If more samples are unusable than ``plan.bad_share`` allows, or the evaluation's data are wrong.
            DivergenceError: If a loss or a weight is not finite; the last checkpoint is from before.
        """
        budget = Budget(self.plan.minutes)
        with StopOnSignal() as signalled:
            for group in self._stream():
                evaluates = self._evaluates_after(self.state.step + 1)
                late = budget.spent(evaluates=evaluates)
                usable = [batch for batch in group if "image" in batch]
                anywhere = self._agree(
                    stop=signalled.received or late,
                    spoilt=self._too_many_errors(),
                    empty=not usable,
                )
                if anywhere["spoilt"]:
                    raise DataError(self._complaint())
                self._stop = anywhere["stop"]
                if self._stop:
                    break
                self.train_step([] if anywhere["empty"] else usable)
                if self.state.step % self.plan.log_every == 0:
                    self._log(usable)
                if evaluates or _every(self.plan.save_every, self.state.step):
                    self._check(self._meter.last())
                    try:
                        if evaluates:
                            self._evaluate()
                    finally:  # what was trained outlasts an evaluation that fails
                        self._save()
        if self._saved != self.state.step:
            self._check(self._meter.last())
            self._save()
        if self._stop:
            log.info("Stopped at step %d of %d; resume to continue.", self.state.step, self.plan.steps)
        for hook in self.hooks:
            hook.on_end(self.state)
        return self.state

    def train_step(self, usable: Sequence[Batch]) -> None:
        """Make one update from the batches of *usable*; without any only the step counts on."""
        lr = self.schedule(self.state.step)
        losses: Mapping[str, Any] = {}
        if usable:
            seed = self.plan.seed + 1_000_003 * (self.state.step + 1) + self.backend.rank
            losses = self.backend.train_step(usable, lr=lr, seed=seed % 2**31)
        self.state.step += 1
        self.state.metrics = {}
        self.state.epoch = self.state.step // self.steps_per_epoch
        self._meter.add(losses, lr, sum(len(batch["image"]) for batch in usable))

    def _stream(self) -> Iterator[list[Batch]]:
        """Groups of ``plan.accumulate`` batches from ``state.step`` to the end, across epochs."""
        while self.state.step < self.plan.steps:
            epoch, start = divmod(self.state.step, self.steps_per_epoch)
            self.batches.seek(epoch, start * self.plan.accumulate)
            group: list[Batch] = []
            waited = time.monotonic()
            for batch in self.loader:
                self._count_errors(batch)
                group.append(batch)
                if len(group) < self.plan.accumulate:
                    continue
                self._meter.read(time.monotonic() - waited)
                yield group
                group, waited = [], time.monotonic()
                if self.state.step >= self.plan.steps or self.state.step // self.steps_per_epoch > epoch:
                    break

    def _count_errors(self, batch: Batch) -> None:
        """Name samples that were left out, once each."""
        known = self.state.bad_samples
        for source, message in batch.get("errors", {}).items():
            if source not in known:
                known.append(source)
                log.warning("Left out: %s", message)

    def _too_many_errors(self) -> bool:
        return len(self.state.bad_samples) > self.plan.bad_share * self.pool(self.state.epoch)

    def _complaint(self) -> str:
        """Say why the run stops; the process that says it may not be the one that found the samples."""
        known = self.state.bad_samples
        if not self._too_many_errors():
            return "Another process found more unusable training samples than Global.max_bad_samples allows."
        return (
            f"{len(known)} of {self.pool(self.state.epoch)} training samples are unusable, more than "
            f"Global.max_bad_samples allows ({self.plan.bad_share:g}). The log says why each is; the last: {known[-1]}"
        )

    def _evaluates_after(self, step: int) -> bool:
        return step == self.plan.steps or _every(self.plan.eval_every, step - self.plan.eval_start)

    def _agree(self, **here: bool) -> dict[str, bool]:
        """Return what is true on any rank, so that all do the same; else some would wait for the others for ever."""
        if self.backend.world_size == 1:
            return here
        return {name: count > 0 for name, count in self.backend.total(here).items()}

    def _log(self, usable: Sequence[Batch]) -> None:
        values = self._meter.summary(self.plan.steps - self.state.step)
        if self.train_metric is not None and usable:
            values |= self.train_metric(usable[-1])
            self._meter.restart()
        self._check(values)
        shown = TrainState(step=self.state.step, epoch=(self.state.step - 1) // self.steps_per_epoch)
        for hook in self.hooks:
            hook.on_log(shown, values)

    def _check(self, values: Mapping[str, float]) -> None:
        """Refuse losses that are not finite: from then on, so are the weights."""
        if bad := {name: value for name, value in values.items() if not math.isfinite(value)}:
            raise DivergenceError(
                f"Step {self.state.step}: a loss is not finite: {bad}. All: {dict(values)}. "
                "Use a lower learning rate, and go on from the last checkpoint if there is one."
            )

    def _evaluate(self) -> None:
        """Evaluate, note whether the first metric is a new best, and tell the hooks."""
        if self.evaluate is None:
            return
        metrics = self.evaluate()
        self._meter.restart()
        main = next(iter(metrics.values()))
        if self.state.best is None or main > self.state.best:
            self.state.best, self.state.best_step = main, self.state.step
        self.state.metrics = dict(metrics)
        for hook in self.hooks:
            hook.on_eval(self.state, metrics)

    def _save(self) -> None:
        if self.backend.rank == 0:
            path = checkpoint.save(self.folder, self.backend, self.state)
            checkpoint.point_out(self.folder, self.state)
            checkpoint.prune(self.folder, self.plan.keep)
            log.info("Saved %s.", path)
        self._meter.restart()
        self._saved = self.state.step


def _every(every: int, steps: int) -> bool:
    return every > 0 and steps > 0 and steps % every == 0


class Meter:
    """Collects what a log line says; converts losses to floats only when asked.

    Args:
        window: Updates whose median is shown.
    """

    def __init__(self, window: int) -> None:
        self.losses: deque[Mapping[str, Any]] = deque(maxlen=window)
        self.lr = 0.0
        self.restart()

    def restart(self) -> None:
        """Begin a new span of time; what happened since the last line does not count."""
        self.updates, self.samples, self.reading, self.since = 0, 0, 0.0, time.monotonic()

    def read(self, seconds: float) -> None:
        """Note how long a group of batches was waited for."""
        self.reading += seconds

    def add(self, losses: Mapping[str, Any], lr: float, samples: int) -> None:
        """Note one update."""
        if losses:
            self.losses.append(losses)
        self.lr = lr
        self.updates += 1
        self.samples += samples

    def last(self) -> dict[str, float]:
        """Return the losses of the last update; empty before the first."""
        return {name: float(value) for name, value in self.losses[-1].items()} if self.losses else {}

    def summary(self, updates_left: int) -> dict[str, float]:
        """Return the numbers of a log line and begin a new span."""
        values = {"lr": self.lr}
        floats = [{name: float(value) for name, value in losses.items()} for losses in self.losses]
        for name in floats[-1] if floats else ():
            column = [row[name] for row in floats if name in row]
            values[name] = next((value for value in column if not math.isfinite(value)), statistics.median(column))
        updates, elapsed = max(self.updates, 1), max(time.monotonic() - self.since, 1e-9)
        values["avg_reader_cost"] = self.reading / updates
        values["avg_batch_cost"] = elapsed / updates
        values["avg_samples"] = self.samples / updates
        values["ips"] = self.samples / elapsed
        values["eta_seconds"] = elapsed / updates * updates_left
        self.restart()
        return values
