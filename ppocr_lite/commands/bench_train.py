"""Time training: updates of each config on each engine, in turn, in one process."""

from __future__ import annotations

import argparse
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
    """What the updates of one engine take.

    Attributes:
        trainer: What is measured.
        samples: In each batch.
        updating: Seconds of each update alone.
        reading: Seconds of waiting for its batch; where several are loaded at once, the next ones wait for nothing.
    """

    trainer: Trainer
    samples: list[int] = field(default_factory=list)
    updating: list[float] = field(default_factory=list)
    reading: list[float] = field(default_factory=list)

    def speeds(self) -> tuple[float, float]:
        """Return samples a second, without and with waiting for data."""
        samples, updating, reading = sum(self.samples), sum(self.updating), sum(self.reading)
        return samples / updating, samples / (updating + reading)


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
        first, _ = clocks[engines[0]].speeds()
        for engine, clock in clocks.items():
            alone, with_data = clock.speeds()
            rows.append([path.name, engine, f"{alone:.1f}", f"{with_data:.1f}", f"{alone / first:.2f}"])
    say(table(rows))
    return 0


def measure(clocks: list[Clock], updates: int) -> None:
    """Make *updates* updates of each engine in turn, after one that does not count."""
    streams = [_updates(clock) for clock in clocks]
    for _ in range(updates + 1):
        for stream in streams:
            next(stream)
    for clock in clocks:
        del clock.samples[0], clock.updating[0], clock.reading[0]


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
            clock.samples.append(len(batch["image"]))
            clock.reading.append(ready - started)
            clock.updating.append(time.perf_counter() - ready)
            yield
        epoch += 1
