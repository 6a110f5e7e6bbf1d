"""Train the orientation classifier on a GPU, from weights that are there, on the lines of its pool.

    python experiments/gpu/cls.py --store /dev/shm/gpu --packs .gpu --control CONTROL --output OUTPUT
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from common import Clock, Log, Student, check_against_cpu, load
from rec import prepare
from ring import Ring

ARCHITECTURE = {
    "model_type": "cls",
    "algorithm": "CLS",
    "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small"},
    "Head": {"name": "ClsHead", "class_dim": 2},
}


def draw(ring: Ring, rng: np.random.Generator, size: int, device: str) -> tuple[Tensor, Tensor]:
    """Return lines (N, 3, 48, 192), every second one turned, and 0 or 1 for each."""
    slots = ring.draw(rng, size)
    images, widths = torch.from_numpy(ring.images[slots]), torch.from_numpy(ring.widths[slots])
    turned = np.arange(size) % 2
    for row in range(1, size, 2):
        end = int(widths[row])
        images[row, :, :end] = images[row, :, :end].flip(0, 1)
    return prepare(images, widths, device), torch.from_numpy(turned).to(device)


def main() -> None:
    """Train until the deadline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("store", "packs", "control", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=0.001)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds after each update: the GPU is shared")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    log, ring = Log(arguments.output, "cls"), Ring(arguments.store, "cls")
    student = Student("cls", ARCHITECTURE, arguments.device)
    student.begin(load(arguments.packs / "cls" / "model.safetensors"))
    rng = np.random.default_rng(0)
    while ring.filled().sum() < 2000:
        time.sleep(0.5)
    x, label = draw(ring, rng, 64, "cpu")
    log(check="cls", **check_against_cpu(
        student, lambda network, device: F.cross_entropy(network(x.to(device))["logits"], label.to(device))))  # fmt: skip
    clock, step, right, saved, since = Clock(arguments.control, arguments.rate), 0, 0.0, time.time(), time.time()
    student.network.train()
    while clock.gone() < 1:
        x, label = draw(ring, rng, arguments.batch, arguments.device)
        with torch.autocast(arguments.device, torch.bfloat16, enabled=arguments.device == "cuda"):
            logits = student.network(x)["logits"]
        student.update(F.cross_entropy(logits.float(), label), clock.rate())
        step += 1
        if step % 100 == 0:
            clock.read()
            right = float((logits.argmax(1) == label).float().mean())
            log(step=step, made=int(ring.made.sum()), rate=clock.rate(), right=right,
                lines_a_second=100 * arguments.batch / (time.time() - since))  # fmt: skip
            since = time.time()
        if time.time() - saved > 60:
            student.save(arguments.output)
            saved = time.time()
        time.sleep(arguments.pause)
    student.save(arguments.output)
    log(step=step, made=int(ring.made.sum()), last=True)
    (arguments.output / "cls.done").touch()


if __name__ == "__main__":
    main()
