"""What watches a run: log lines, a file of numbers, VisualDL.  A hook never changes the run."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ppocr_lite.engine.checkpoint import TrainState
from ppocr_lite.errors import ConfigError
from ppocr_lite.install import install_command

log = logging.getLogger(__name__)


class Hook:
    """Watches a run.  The order of hooks never matters."""

    def on_log(self, state: TrainState, values: Mapping[str, float]) -> None:
        """Receive the numbers of a log line."""

    def on_eval(self, state: TrainState, metrics: Mapping[str, float]) -> None:
        """Receive the result of an evaluation."""

    def on_end(self, state: TrainState) -> None:
        """Learn that the run is over."""


class LogHook(Hook):
    """Writes log lines as PaddleOCR does.

    Args:
        epochs: Length of the run in epochs.
    """

    # Names that have a format or a unit of their own.
    _COSTS = ("avg_reader_cost", "avg_batch_cost")
    _LAST = (*_COSTS, "avg_samples", "ips", "eta_seconds")

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_log(self, state: TrainState, values: Mapping[str, float]) -> None:
        """Log one line."""
        parts = [f"epoch: [{state.epoch + 1}/{self.epochs}]", f"global_step: {state.step}"]
        parts += [f"{name}: {value:.6f}" for name, value in values.items() if name not in self._LAST]
        parts += [f"{name}: {values[name]:.5f} s" for name in self._COSTS]
        parts += [f"avg_samples: {values['avg_samples']:.1f}", f"ips: {values['ips']:.5f} samples/s"]
        log.info("%s, eta: %s", ", ".join(parts), clock(values["eta_seconds"]))

    def on_eval(self, state: TrainState, metrics: Mapping[str, float]) -> None:
        """Log the metrics and the best so far."""
        shown = ", ".join(f"{name}: {value:.6f}" for name, value in metrics.items())
        log.info("cur metric, %s", shown)
        if state.best is not None:
            log.info("best metric, %s: %.6f, step: %d", next(iter(metrics)), state.best, state.best_step)


class JsonlHook(Hook):
    """Appends every number to a file, one JSON object a line.

    Args:
        path: The file; it may exist from before a resume.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_log(self, state: TrainState, values: Mapping[str, float]) -> None:
        """Write the numbers of a log line."""
        self._write({"event": "log", "step": state.step, "epoch": state.epoch, **values})

    def on_eval(self, state: TrainState, metrics: Mapping[str, float]) -> None:
        """Write the metrics."""
        self._write({"event": "eval", "step": state.step, "epoch": state.epoch, **metrics})

    def _write(self, values: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


class VisualDLHook(Hook):
    """Writes scalars that ``visualdl --logdir`` shows.

    Args:
        folder: Where the scalars go.

    Raises:
        ConfigError: If VisualDL is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from visualdl import LogWriter  # noqa: PLC0415  an optional engine module
        except ImportError as error:
            raise ConfigError(
                f"Global.use_visualdl needs the package visualdl: {install_command('visualdl')}"
            ) from error
        self.writer = LogWriter(logdir=str(folder))

    def on_log(self, state: TrainState, values: Mapping[str, float]) -> None:
        """Write the numbers under TRAIN/."""
        for name, value in values.items():
            self.writer.add_scalar(tag=f"TRAIN/{name}", value=value, step=state.step)

    def on_eval(self, state: TrainState, metrics: Mapping[str, float]) -> None:
        """Write the metrics under EVAL/."""
        for name, value in metrics.items():
            self.writer.add_scalar(tag=f"EVAL/{name}", value=value, step=state.step)

    def on_end(self, state: TrainState) -> None:
        """Close the file."""
        self.writer.close()


def clock(seconds: float) -> str:
    """Return seconds as h:mm:ss."""
    whole = max(round(seconds), 0)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
