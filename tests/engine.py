"""The engine that this test process computes with, and what tests need to say in its words.

A process computes with one engine. ``pytest`` runs the tests of Paddle, and starts one more process for those of torch
(``tests/integration/test_torch_process.py``), with ``PPOCR_LITE_TEST_ENGINE=torch``.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import nn

ENGINE = os.environ.get("PPOCR_LITE_TEST_ENGINE", "paddle")
_CELL = re.compile(r"(\d+)\.cell_(fw|bw)\.(\w+)$")  # the second name that Paddle gives an LSTM weight

Arrays = dict[str, NDArray[Any]]


def tensor(value: NDArray[Any], *, learned: bool = False) -> Any:
    """Return *value* as a tensor of the engine, with a gradient if it is *learned*."""
    found = nn.to_tensor(value)
    if learned and nn.chosen() == "torch":
        found.requires_grad_()
    elif learned:
        found.stop_gradient = False
    return found


def array(value: Any) -> NDArray[Any]:
    """Return a tensor of the engine as an array."""
    return np.asarray(value.detach().numpy())


def fixed_weights(shapes: dict[str, tuple[int, ...]]) -> Arrays:
    """Return weights that follow from their names and shapes alone, about as large as those of a trained network."""
    return {name: _values(name, shape) for name, shape in shapes.items()}


def _values(name: str, shape: Iterable[int]) -> NDArray[np.float32]:
    name = _CELL.sub(lambda m: f"{m[3]}_l{m[1]}{'_reverse' if m[2] == 'bw' else ''}", name)
    shape = tuple(shape)
    # With this 1 no gradient is next to 0 where the engines' first updates of Adam are compared, which follow its sign.
    rng = np.random.default_rng(zlib.crc32(name.encode()) + 1)
    if ".offset." in name:  # where all taps of a deformable convolution lie on pixels, its derivative has two sides
        return rng.normal(0, 0.005, shape).astype(np.float32)
    if len(shape) > 1:
        outputs, gain = (shape[1], 1 / 3) if len(shape) == 2 else (shape[0], 2)  # as layers begin
        return rng.normal(0, (gain * outputs / np.prod(shape)) ** 0.5, shape).astype(np.float32)
    if name.endswith((".scale", "rep_dw.bn.weight", "compress.bn.weight")):  # of what is the sum of several branches
        return rng.uniform(0.2, 0.8, shape).astype(np.float32)
    if name.endswith(("_variance", "bn.weight", "norm.weight", "bn1.weight", "bn2.weight")):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return rng.normal(0, 0.1, shape).astype(np.float32)
