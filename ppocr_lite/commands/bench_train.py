"""Time training: updates of each config on each engine, in turn, each engine in a process of its own."""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ppocr_lite.commands.console import progress, say, table
from ppocr_lite.engine.build import build_trainer, load_config
from ppocr_lite.errors import OCRError

LR = 1e-4  # small, so that no number of updates of a new network diverges


@dataclass
class Clock:
    """What the updates of one engine take.

    Attributes:
        samples: In each batch.
        updating: Seconds of each update alone.
        reading: Seconds of waiting for its batch; where several are loaded at once, the next ones wait for nothing.
    """

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
        clocks = measure(path, engines, arguments.opt, arguments.updates)
        first, _ = clocks[engines[0]].speeds()
        for engine, clock in clocks.items():
            alone, with_data = clock.speeds()
            rows.append([path.name, engine, f"{alone:.1f}", f"{with_data:.1f}", f"{alone / first:.2f}"])
    say(table(rows))
    return 0


def measure(path: Path, engines: Sequence[str], overrides: Sequence[str], updates: int) -> dict[str, Clock]:
    """Make *updates* updates of each engine in turn, after one that does not count.

    Raises:
        OCRError: What went wrong in one of the processes.
    """
    context = multiprocessing.get_context("spawn")
    clocks = {engine: Clock() for engine in engines}
    lines: dict[str, Connection] = {}
    workers = []
    try:
        for engine in engines:
            lines[engine], theirs = context.Pipe()
            workers.append(context.Process(target=work, args=(theirs, path, [*overrides, f"Global.engine={engine}"])))
            workers[-1].start()
            theirs.close()
            _ask(lines[engine])  # built, and one more update that does not count
        for _ in range(updates):
            for engine, clock in clocks.items():
                samples, reading, updating = _ask(lines[engine])
                clock.samples.append(samples)
                clock.reading.append(reading)
                clock.updating.append(updating)
    finally:
        for line in lines.values():
            line.close()
        for worker in workers:
            worker.join()
    return clocks


def work(line: Connection, path: Path, overrides: Sequence[str]) -> None:
    """Make an update for every word that comes, and answer what it took; end when the line does."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            steps = _updates(build_trainer(load_config(path, overrides), Path(folder)))
            next(steps)
            while True:
                line.recv()
                line.send(next(steps))
        except OCRError as error:
            line.recv()
            line.send(error)
        except EOFError:
            return


def _ask(line: Connection) -> Any:
    line.send("go")
    found = line.recv()
    if isinstance(found, OCRError):
        raise found
    return found


def _updates(trainer: Any) -> Iterator[tuple[int, float, float]]:
    """Make an update whenever asked, with the batches of as many epochs as it takes.

    Yields:
        Samples in the batch, seconds of waiting for it, seconds of the update.
    """
    epoch = 0
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
            yield len(batch["image"]), ready - started, time.perf_counter() - ready
        epoch += 1
