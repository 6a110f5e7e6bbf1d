"""Time training: updates of each config on each engine, in turn, in one process."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ppocr_lite.commands.console import progress, say, table
from ppocr_lite.engine.build import build_trainer, load_config
from ppocr_lite.engine.trainer import Trainer

LR = 1e-4  # small, so that no number of updates of a new network diverges


@dataclass
class Clock:
    """Seconds of each measured update of one engine.

    Attributes:
        trainer: What is measured.
        samples: In one batch.
        updating: The update alone.
        reading: Waiting for its batch.
    """

    trainer: Trainer
    samples: int = 0
    updating: list[float] = field(default_factory=list)
    reading: list[float] = field(default_factory=list)


def run(arguments: argparse.Namespace) -> int:
    """Measure every config; return the exit status."""
    engines = arguments.engines.split(",")
    rows = [["config", "engine", "samples/s", "with data", "ratio"]]
    for path in progress([Path(p) for p in arguments.paths], "configs"):
        with tempfile.TemporaryDirectory() as folder:
            clocks = {
                engine: Clock(
                    build_trainer(load_config(path, [*arguments.opt, f"Global.engine={engine}"]), Path(folder))
                )
                for engine in engines
            }
            measure(list(clocks.values()), arguments.updates)
        first = statistics.median(clocks[engines[0]].updating)
        for engine, clock in clocks.items():
            update, reading = statistics.median(clock.updating), statistics.median(clock.reading)
            speeds = f"{clock.samples / update:.1f}", f"{clock.samples / (update + reading):.1f}"
            rows.append([path.name, engine, *speeds, f"{first / update:.2f}"])
    say(table(rows))
    return 0


def measure(clocks: list[Clock], updates: int) -> None:
    """Make *updates* updates of each engine in turn, after one that does not count."""
    streams = [_updates(clock) for clock in clocks]
    for _ in range(updates + 1):
        for stream in streams:
            next(stream)
    for clock in clocks:
        del clock.updating[0], clock.reading[0]


def _updates(clock: Clock) -> Iterator[None]:
    """Make an update whenever asked, with the batches of as many epochs as it takes."""
    trainer, epoch = clock.trainer, 0
    while True:
        trainer.batches.seek(epoch, 0)
        batches = iter(trainer.loader)
        while True:
            started = time.perf_counter()
            batch = next(batches, None)
            if batch is None:
                break
            ready = time.perf_counter()
            float(trainer.backend.train_step([batch], lr=LR, seed=0)["loss"])
            clock.samples = len(batch["image"])
            clock.reading.append(ready - started)
            clock.updating.append(time.perf_counter() - ready)
            yield
        epoch += 1
