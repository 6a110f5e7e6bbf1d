"""Optimizers as specifications: plain frozen values that each engine turns into its own optimizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ppocr_lite.config.check import check_arguments
from ppocr_lite.errors import ConfigError
from ppocr_lite.optim.base import OPTIMIZERS


@dataclass(frozen=True)
class Regularizer:
    """A penalty whose gradient is added to that of the loss, after clipping.

    A parameter with a penalty of its own (``CTCHead.fc_decay``) takes that one instead.

    Attributes:
        name: ``"L2"`` adds ``factor * weight``, ``"L1"`` adds ``factor * sign(weight)``.
        factor: Strength, ≥ 0; 0 for none.
    """

    name: Literal["L1", "L2"]
    factor: float = 0.0


@OPTIMIZERS.register
@dataclass(frozen=True)
class Adam:
    """Adam.

    Attributes:
        beta1: Decay of the mean of the gradient, in [0, 1).
        beta2: Decay of the mean of its square, in [0, 1).
        epsilon: Added to the root of that mean, > 0.
        regularizer: ``{name: L2, factor: 0.00001}``; None for none. Coupled: its gradient enters the two means.
        clip_norm: Longest gradient of one parameter; None for no limit.
        clip_norm_global: Longest gradient of all parameters together; None for no limit.

    Raises:
        ConfigError: If a value makes no sense, or both limits are given.

    Source:
        Kingma and Ba, Adam, ICLR 2015.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    regularizer: Regularizer | dict[str, Any] | None = None
    clip_norm: float | None = None
    clip_norm_global: float | None = None

    def __post_init__(self) -> None:
        """Check the values; turn the mapping of the file into a :class:`Regularizer`."""
        _check_betas(self)
        _check_clips(self)
        object.__setattr__(self, "regularizer", _regularizer(self.regularizer))


@OPTIMIZERS.register
@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay.

    Attributes:
        beta1: Decay of the mean of the gradient, in [0, 1).
        beta2: Decay of the mean of its square, in [0, 1).
        epsilon: Added to the root of that mean, > 0.
        weight_decay: Share of the weight, times the learning rate, that each update takes away; ≥ 0.
        clip_norm: Longest gradient of one parameter; None for no limit.
        clip_norm_global: Longest gradient of all parameters together; None for no limit.

    Raises:
        ConfigError: If a value makes no sense, or both limits are given.

    Source:
        Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019, algorithm 2.
    """

    regularizer: ClassVar[None] = None

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    clip_norm: float | None = None
    clip_norm_global: float | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        _check_betas(self)
        _check_clips(self)
        if self.weight_decay < 0:
            raise ConfigError(f"AdamW.weight_decay must not be below 0. Received: {self.weight_decay}")


@OPTIMIZERS.register
@dataclass(frozen=True)
class Momentum:
    """Stochastic gradient descent with momentum.

    Attributes:
        momentum: Share of the last step that is repeated, in [0, 1).
        use_nesterov: Take the gradient at the place the repeated step leads to.
        regularizer: ``{name: L2, factor: 0.00001}``; None for none.
        clip_norm: Longest gradient of one parameter; None for no limit.
        clip_norm_global: Longest gradient of all parameters together; None for no limit.

    Raises:
        ConfigError: If a value makes no sense, or both limits are given.

    Source:
        Sutskever et al., On the Importance of Initialization and Momentum in Deep Learning, ICML 2013.
    """

    momentum: float = 0.9
    use_nesterov: bool = False
    regularizer: Regularizer | dict[str, Any] | None = None
    clip_norm: float | None = None
    clip_norm_global: float | None = None

    def __post_init__(self) -> None:
        """Check the values; turn the mapping of the file into a :class:`Regularizer`."""
        if not 0 <= self.momentum < 1:
            raise ConfigError(f"Momentum.momentum must be in [0, 1). Received: {self.momentum}")
        _check_clips(self)
        object.__setattr__(self, "regularizer", _regularizer(self.regularizer))


def _regularizer(given: Regularizer | dict[str, Any] | None) -> Regularizer | None:
    if isinstance(given, dict):
        given = Regularizer(**check_arguments(Regularizer, given, "Optimizer.regularizer"))
    if given is not None and given.factor < 0:
        raise ConfigError(f"Optimizer.regularizer.factor must not be below 0. Received: {given.factor}")
    return given


def _check_betas(spec: Adam | AdamW) -> None:
    for name, value in (("beta1", spec.beta1), ("beta2", spec.beta2)):
        if not 0 <= value < 1:
            raise ConfigError(f"{type(spec).__name__}.{name} must be in [0, 1). Received: {value}")
    if spec.epsilon <= 0:
        raise ConfigError(f"{type(spec).__name__}.epsilon must be above 0. Received: {spec.epsilon}")


def _check_clips(spec: Adam | AdamW | Momentum) -> None:
    name, limits = type(spec).__name__, {"clip_norm": spec.clip_norm, "clip_norm_global": spec.clip_norm_global}
    if None not in limits.values():
        raise ConfigError(f"{name} takes clip_norm or clip_norm_global, not both. Received: {limits}")
    for key, value in limits.items():
        if value is not None and value <= 0:
            raise ConfigError(f"{name}.{key} must be above 0. Received: {value}")
