"""From an optimizer specification to a Paddle optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import paddle

from ppocr_lite.errors import ConfigError


def create_optimizer(spec: Any, parameters: Sequence[Any]) -> Any:
    """Return the Paddle optimizer that *spec* describes; its learning rate is set before every update.

    The penalty is added to the gradient (coupled), except AdamW's own ``weight_decay``, which shrinks the weights
    directly.  A parameter's own penalty, such as a head's ``fc_decay``, stands in place of the common one.

    Args:
        spec: An instance from ``ppocr_lite.optim.optimizers``.
        parameters: What it updates.

    Raises:
        ConfigError: If there is no parameter, or Paddle has no such optimizer.
    """
    if not parameters:
        raise ConfigError("Architecture: every network is frozen, there is nothing to train.")
    common: dict[str, Any] = {
        "learning_rate": 0.0,
        "parameters": list(parameters),
        "grad_clip": _clip(spec),
    }
    kind = type(spec).__name__
    if kind == "Momentum":
        return paddle.optimizer.Momentum(
            momentum=spec.momentum, use_nesterov=spec.use_nesterov, weight_decay=_penalty(spec), **common
        )
    common |= {"beta1": spec.beta1, "beta2": spec.beta2, "epsilon": spec.epsilon}
    if kind == "AdamW":
        return paddle.optimizer.AdamW(weight_decay=spec.weight_decay, **common)
    if kind == "Adam":
        return paddle.optimizer.Adam(weight_decay=_penalty(spec), **common)
    raise ConfigError(f"Optimizer.name: the Paddle engine has no {kind!r}.")


def _penalty(spec: Any) -> Any:
    penalty = spec.regularizer
    if penalty is None or not penalty.factor:
        return None
    kinds = {"L1": paddle.regularizer.L1Decay, "L2": paddle.regularizer.L2Decay}
    return kinds[penalty.name](penalty.factor)


def _clip(spec: Any) -> Any:
    if spec.clip_norm_global is not None:
        return paddle.nn.ClipGradByGlobalNorm(spec.clip_norm_global)
    return paddle.nn.ClipGradByNorm(spec.clip_norm) if spec.clip_norm is not None else None
