"""What the trainers share: time, weights that grow, averages, logs, and one update checked against the CPU."""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn

from ppocr_lite import nn as primitives
from ppocr_lite.engine.backends.torch.weights import export_weights, import_weights
from ppocr_lite.modeling import build_model
from ppocr_lite.optim.schedules import Cosine

Arrays = dict[str, np.ndarray]
TICKS = 100_000  # into which the time is cut for the schedule
primitives.use("torch")


class Clock:
    """Learning rate by the share of the time that is gone, so that the schedule ends when the machine does.

    Args:
        control: Folder with the file ``deadline``, seconds since 1970; it may be moved during the run.
        peak: Highest learning rate.
        warmup: Share of the time in which it rises.
    """

    def __init__(self, control: Path, peak: float, warmup: float = 0.03) -> None:
        self.control = control
        self.schedule = Cosine(TICKS, TICKS, learning_rate=peak, warmup_steps=round(warmup * TICKS))
        self.start = time.time()
        self.deadline = 0.0
        self.read()

    def read(self) -> None:
        """Look where the deadline is now."""
        self.deadline = float((self.control / "deadline").read_text())

    def gone(self) -> float:
        """Return the share of the time that is gone, 0 to 1."""
        return min(1.0, (time.time() - self.start) / max(self.deadline - self.start, 1.0))

    def rate(self) -> float:
        """Return the learning rate now: a rise, then a cosine to 0."""
        return self.schedule(round(self.gone() * TICKS))


def grow(given: Mapping[str, np.ndarray], wanted: Mapping[str, np.ndarray]) -> Arrays:
    """Return the weights of a wider network that computes what the narrower one does.

    What both have is copied; new channels begin as *wanted* has them, and nothing of the old network listens to them
    yet.  Weights have Paddle's names and layouts.  A recurrent layer may have more inputs, not more units.
    """
    grown = {}
    for name, fresh in wanted.items():
        old = given[name]
        if old.ndim != fresh.ndim or any(a > b for a, b in zip(old.shape, fresh.shape, strict=True)):
            raise ValueError(f"{name}: {old.shape} does not fit into {fresh.shape}.")
        new = np.array(fresh, np.float32)
        if new.ndim >= 2 and old.shape != new.shape:
            # Paddle: convolution (out, in, ...), transposed convolution and linear (in, out), LSTM (4 * units, in).
            into = 0 if new.ndim == 2 and ".lstm." not in name and "weight_ih" not in name else 1
            if new.ndim == 4 and is_transposed(name):
                into = 0
            listening = [slice(None)] * new.ndim
            listening[1 - into] = slice(0, old.shape[1 - into])
            listening[into] = slice(old.shape[into], None)
            new[tuple(listening)] = 0
        new[tuple(slice(0, size) for size in old.shape)] = old
        grown[name] = new
    return grown


def is_transposed(name: str) -> bool:
    """Say whether a weight is of a transposed convolution: the second and third of a branch of DBHead."""
    return "head." in name and (".conv2.weight" in name or ".conv3.weight" in name)


class Student:
    """A network with its optimizer, and the running average of its weights.

    Args:
        name: Of the files it is saved to.
        architecture: Section of a config.
        device: Where it trains.
        classes: Of a recogniser.
        decay: Of the average, once there are enough updates.
    """

    def __init__(
        self, name: str, architecture: dict[str, Any], device: str, classes: int | None = None, decay: float = 0.999
    ) -> None:
        torch.manual_seed(0)
        self.name, self.device, self.decay = name, device, decay
        self.network = build_model(copy.deepcopy(architecture), classes)
        self.average: nn.Module | None = None
        self.updates = 0

    def weights(self) -> Arrays:
        """Return the weights as Paddle names them."""
        return export_weights(self.network)

    def begin(self, weights: Mapping[str, np.ndarray], decay: float = 1e-5) -> None:
        """Take the weights to start from, and move to the device."""
        import_weights(self.network, weights)
        self.network.to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        for module in (*self.network.modules(), *self.average.modules()):
            if isinstance(module, nn.LSTM):
                module.flatten_parameters()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.0, weight_decay=decay, fused=True)

    def update(self, loss: Tensor, rate: float, clip: float = 5.0) -> None:
        """Make one update from a loss."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), clip, foreach=True)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        with torch.no_grad():
            mine, theirs = list(self.average.parameters()), list(self.network.parameters())
            torch._foreach_mul_(mine, decay)
            torch._foreach_add_(mine, theirs, alpha=1 - decay)
            kept, live = ([b for b in n.buffers() if b.is_floating_point()] for n in (self.average, self.network))
            torch._foreach_mul_(kept, decay)
            torch._foreach_add_(kept, live, alpha=1 - decay)

    def save(self, folder: Path) -> None:
        """Write the average and the last weights."""
        folder.mkdir(parents=True, exist_ok=True)
        for kind, network in (("average", self.average), ("last", self.network)):
            temporary = folder / f".{self.name}.{kind}"
            save_file(export_weights(network), temporary)
            temporary.rename(folder / f"{self.name}.{kind}.safetensors")


class Log:
    """Lines of JSON, with the seconds since the start."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = (folder / f"{name}.jsonl").open("a", buffering=1)
        self.start = time.time()

    def __call__(self, **values: Any) -> None:
        """Write one line."""
        rounded = {k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()}
        self.file.write(json.dumps({"t": round(time.time() - self.start, 1), **rounded}) + "\n")


class Run:
    """The loop of a trainer: updates until the deadline, with log lines, judgements and saved weights.

    Args:
        name: Of the log, and of the file ``NAME.done`` at the end.
        students: Learn from the same batches.
        arguments: As :func:`parser` reads them.
    """

    def __init__(self, name: str, students: list[Student], arguments: argparse.Namespace) -> None:
        self.name, self.students, self.arguments = name, students, arguments
        self.log = Log(arguments.output, name)

    def check(self, loss_of: Callable[[nn.Module, str], Tensor]) -> None:
        """Log the loss of one batch, and how far it is from that on the CPU, relative; both in float32."""
        set_tf32(False)
        for student in self.students:
            with torch.no_grad():
                there = float(loss_of(copy.deepcopy(student.network), student.device).cpu())
                copied = copy.deepcopy(student.network).to("cpu", memory_format=torch.contiguous_format)
                here = float(loss_of(copied, "cpu"))
            self.log(check=student.name, loss=here, difference=abs(there - here) / max(abs(here), 1e-9))
        # float32 products on the matrix units: here faster than bfloat16, whose depthwise layers are slow.
        set_tf32(True)

    def fit(
        self,
        draw: Callable[[], tuple[int, Any]],
        loss: Callable[[nn.Module, Any], Tensor],
        judge: Callable[[Student], Mapping[str, float]],
        about: Callable[[], Mapping[str, Any]],
    ) -> None:
        """Train until the deadline.

        Args:
            draw: Returns the number of samples of a batch, and the batch on the device.
            loss: Of a network in training and a batch.
            judge: Measures a student on validation data.
            about: What log lines say beside losses and speed.
        """
        every, clock = self.arguments.log_every, Clock(self.arguments.control, self.arguments.rate)
        sums = {student.name: torch.zeros((), device=student.device) for student in self.students}
        step, seen, counted, waited, judged, since = 0, 0, 0, 0.0, time.time(), time.time()
        while clock.gone() < 1:
            begun = time.time()
            count, batch = draw()
            waited += time.time() - begun
            for student in self.students:
                student.network.train()
                value = loss(student.network, batch)
                student.update(value, clock.rate())
                sums[student.name] += value.detach()
            step, seen = step + 1, seen + count
            if step % every == 0:
                clock.read()
                seconds = time.time() - since
                losses = {name: float(total) / every for name, total in sums.items()}
                speed = {"a_second": (seen - counted) / seconds, "waited": waited / seconds}
                self.log(step=step, samples=seen, rate=clock.rate(), **losses, **speed, **about())
                since, waited, counted = time.time(), 0.0, seen
                sums = {name: torch.zeros_like(total) for name, total in sums.items()}
            if time.time() - judged > self.arguments.judge_every:
                self._judge(judge, step=step)
                judged = since = time.time()
        self._judge(judge, step=step, samples=seen, last=True, **about())
        (self.arguments.output / f"{self.name}.done").touch()

    def _judge(self, judge: Callable[[Student], Mapping[str, float]], **notes: Any) -> None:
        for student in self.students:
            student.save(self.arguments.output)
            self.log(judged=student.name, **notes, **judge(student))


def set_tf32(on: bool) -> None:
    """Say whether products of float32 numbers may be rounded to TF32."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = on


def parser(description: str | None, rate: float) -> argparse.ArgumentParser:
    """Return the options that all trainers have."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, what in (
        ("store", "folder of the pools"),
        ("packs", "folder of packs and weights to start from"),
        ("control", "folder with the file deadline"),
        ("output", "where weights and logs go"),
    ):
        made.add_argument(f"--{name}", type=Path, required=True, help=what)
    made.add_argument("--device", default="cuda")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--rate", type=float, default=rate)
    made.add_argument("--log-every", type=int, default=50, help="updates")
    made.add_argument("--judge-every", type=float, default=90, help="seconds")
    return made
