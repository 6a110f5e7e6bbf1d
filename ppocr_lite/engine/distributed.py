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
        for parameter, mean in zip(parameters, _means(gradients), strict=True):
            if parameter.grad is not None:
                parameter.grad.set_value(mean)


def average_statistics(buffers: Sequence[Any]) -> None:
    """Replace every buffer by its mean over the processes, so that all of them evaluate and save one network."""
    if world_size() == 1 or not buffers:
        return
    with paddle.no_grad():
        for buffer, mean in zip(buffers, _means(buffers), strict=True):
            buffer.set_value(mean)


def _means(tensors: Sequence[Any]) -> list[Any]:
    """Return the mean of each tensor over the processes, in one exchange."""
    flat = paddle.concat([tensor.astype("float32").reshape([-1]) for tensor in tensors])
    paddle.distributed.all_reduce(flat)
    parts = paddle.split(flat / world_size(), [int(tensor.size) for tensor in tensors])
    return [part.reshape(tensor.shape).astype(tensor.dtype) for tensor, part in zip(tensors, parts, strict=True)]


def total(values: Mapping[str, float]) -> dict[str, float]:
    """Return the sums of *values* over the processes; every process must pass the same names."""
    if world_size() == 1:
        return dict(values)
    tensor = paddle.to_tensor(np.array([values[name] for name in sorted(values)], np.float64))
    paddle.distributed.all_reduce(tensor)
    return dict(zip(sorted(values), tensor.numpy().tolist(), strict=True))
