"""The pools of samples, and networks that grow, of the training on a GPU host (experiments/gpu)."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.scripts import load_script

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "experiments" / "gpu"

GROW = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
import det, rec
from common import Student, grow


def started(name, architecture, classes, given=None):
    student = Student(name, architecture, "cpu", classes)
    student.begin(student.weights() if given is None else grow(given, student.weights()))
    return student


torch.manual_seed(1)
for narrow, wide, classes, shape in (
    (rec.architecture(0.5), rec.architecture(0.75), 40, (2, 3, 32, 96)),
    (det.architecture(0.5), det.architecture(0.75), None, (1, 3, 64, 96)),
):
    small = started("small", narrow, classes)
    large = started("large", wide, classes, small.weights())
    x = torch.randn(shape)
    with torch.no_grad():
        first, second = (next(iter(s.average.predict(x).values())) for s in (small, large))
    count = lambda s: sum(p.numel() for p in s.network.parameters())
    assert count(large) > 1.2 * count(small)
    torch.testing.assert_close(first, second, atol=1e-3, rtol=0)  # sums in another order
"""


def test_a_pool_gives_back_what_was_put_into_it_and_forgets_the_oldest(tmp_path: Path) -> None:
    ring_of = load_script("experiments/gpu/ring.py").Ring
    ring = ring_of(tmp_path, "lines", (4, 8, 3), slots=6, writers=2)
    for number in range(5):
        assert ring.put(1, np.full((4, number + 2, 3), number, np.uint8), f"字{number}")
    other = ring_of(tmp_path, "lines")  # as another process sees it
    assert other.filled().tolist() == [0, 3]
    drawn = {other.text(slot): slot for slot in other.draw(np.random.default_rng(0), 60)}
    assert set(drawn) == {"字2", "字3", "字4"}
    for text, slot in drawn.items():
        number = int(text[1])
        assert other.widths[slot] == number + 2
        assert (other.images[slot, :, : number + 2] == number).all()
        assert (other.images[slot, :, number + 2 :] == 0).all()


def test_a_text_too_long_for_a_slot_is_refused(tmp_path: Path) -> None:
    ring = load_script("experiments/gpu/ring.py").Ring(tmp_path, "lines", (4, 8, 3), slots=2)
    assert not ring.put(0, np.zeros((4, 8, 3), np.uint8), "字" * 100)
    assert len(ring.draw(np.random.default_rng(0), 3)) == 0


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
def test_a_grown_network_computes_what_the_narrow_one_does() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", GROW, str(FOLDER)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
