"""Several Paddle processes that train one network; one process is the ordinary case.

``python -m paddle.distributed.launch --nproc_per_node 2 [--backend gloo] tools/train.py -c …`` starts them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import paddle


def rank() -> int:
    """Return the number of this process."""
    return int(os.environ.get("PADDLE_TRAINER_ID", "0"))


def world_size() -> int:
    """Return the number of processes the launcher started."""
    return int(os.environ.get("PADDLE_TRAINERS_NUM", "1"))


def start() -> None:
    """Connect the processes; does nothing for one."""
    if world_size() > 1 and not paddle.distributed.is_initialized():
        paddle.distributed.init_parallel_env()


def average_gradients(parameters: Sequence[Any]) -> None:
    """Replace every gradient by its mean over the processes, in one exchange.

    Parameters without a gradient on this process count as zero, so that all processes exchange the same.
    """
    if world_size() == 1:
        return
    with paddle.no_grad():
        gradients = [p.grad if p.grad is not None else paddle.zeros_like(p) for p in parameters]
        flat = paddle.concat([gradient.astype("float32").reshape([-1]) for gradient in gradients])
        paddle.distributed.all_reduce(flat)
        parts = paddle.split(flat / world_size(), [int(p.size) for p in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            if parameter.grad is not None:
                parameter.grad.set_value(part.reshape(parameter.shape).astype(parameter.grad.dtype))


def total(values: Mapping[str, float]) -> dict[str, float]:
    """Return the sums of *values* over the processes; every process must pass the same names."""
    if world_size() == 1:
        return dict(values)
    tensor = paddle.to_tensor(np.array([values[name] for name in sorted(values)], np.float64))
    paddle.distributed.all_reduce(tensor)
    return dict(zip(sorted(values), tensor.numpy().tolist(), strict=True))
