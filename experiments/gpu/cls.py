"""Train the orientation classifier on a GPU, from weights that are there, on the lines of its pool.

python experiments/gpu/cls.py --store /dev/shm/gpu --packs .gpu --control CONTROL --output OUTPUT
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from common import Run, Student, parser
from rec import prepare
from ring import Ring
from torch import Tensor

from ppocr_lite.engine.checkpoint import read_weights

LEAST = 2000  # lines that must be there to begin
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
    options = parser(__doc__, rate=0.001)
    options.add_argument("--batch", type=int, default=256)
    options.add_argument("--pause", type=float, default=0.05, help="seconds before each update: the GPU is shared")
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    ring, rng, device = Ring(arguments.store, "cls"), np.random.default_rng(0), arguments.device
    student = Student("cls", ARCHITECTURE, device)
    student.begin(read_weights(arguments.packs / "cls" / "model.safetensors"))
    while ring.filled().sum() < LEAST:
        time.sleep(0.5)
    run = Run("cls", [student], arguments)
    first = draw(ring, rng, 64, device)
    run.check(lambda network, place: cross_entropy(network, [part.to(place) for part in first]))

    def batch() -> tuple[int, tuple[Tensor, Tensor]]:
        time.sleep(arguments.pause)
        return arguments.batch, draw(ring, rng, arguments.batch, device)

    @torch.no_grad()
    def judge(judged: Student) -> dict[str, float]:
        x, turned = draw(ring, rng, 1024, device)
        return {"right": float((judged.average(x)["logits"].argmax(1) == turned).float().mean())}

    run.fit(batch, cross_entropy, judge, lambda: {"made": int(ring.made.sum())})


def cross_entropy(network: torch.nn.Module, batch: Sequence[Tensor]) -> Tensor:
    """Return the loss of a batch as ``draw`` returns it."""
    return F.cross_entropy(network(batch[0])["logits"], batch[1])


if __name__ == "__main__":
    main()
