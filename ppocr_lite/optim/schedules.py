"""Learning-rate schedules: pure functions of the update's number.

Each counts updates from 0 and warms up linearly from 0. ``warmup_epoch`` and ``warmup_steps`` are two ways to say
how long; at most one may be given. A run shorter than its warm-up only rises.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Literal

from ppocr_lite.errors import ConfigError
from ppocr_lite.optim.base import SCHEDULES


class _WarmUp:
    """The part all schedules share.

    Args:
        peak: Learning rate at the end of the warm-up, > 0.
        total_steps: Updates of the whole run.
        steps_per_epoch: Updates of one pass over the data.
        warmup_epoch: Passes of warm-up; may be a fraction.
        warmup_steps: Updates of warm-up.

    Attributes:
        warmup: Updates of warm-up.
        rest: Updates after it, at least 1.
    """

    def __init__(
        self, peak: float, total_steps: int, steps_per_epoch: int, warmup_epoch: float, warmup_steps: int
    ) -> None:
        name = type(self).__name__
        if not (peak > 0 and math.isfinite(peak)):
            raise ConfigError(f"{name}: the learning rate must be above 0. Received: {peak}")
        if total_steps < 1 or steps_per_epoch < 1:
            raise ConfigError(
                f"{name} needs at least one step. "
                f"Received: total_steps {total_steps}, steps_per_epoch {steps_per_epoch}"
            )
        if warmup_epoch < 0 or warmup_steps < 0 or (warmup_epoch and warmup_steps):
            raise ConfigError(
                f"{name}: give warmup_epoch or warmup_steps, not below 0. "
                f"Received: warmup_epoch {warmup_epoch}, warmup_steps {warmup_steps}"
            )
        self.peak = peak
        self.total_steps, self.steps_per_epoch = total_steps, steps_per_epoch
        self.warmup = warmup_steps or round(warmup_epoch * steps_per_epoch)
        self.rest = max(total_steps - self.warmup, 1)

    def __call__(self, step: int) -> float:
        """Return the learning rate of update *step*, counted from 0; beyond the end, that of the end."""
        if step < 0:
            raise ValueError(f"Steps are counted from 0. Received: {step}")
        if step < self.warmup:
            return self.peak * step / self.warmup
        return self._after(min(step, max(self.total_steps, self.warmup)))

    def _after(self, step: int) -> float:
        raise NotImplementedError

    def _progress(self, step: int) -> float:
        """Return the share, in [0, 1], of the updates after the warm-up that are done."""
        return min((step - self.warmup) / self.rest, 1.0)


@SCHEDULES.register
class Const(_WarmUp):
    """One learning rate throughout.

    Args:
        learning_rate: The learning rate.
        total_steps: Updates of the whole run.
        steps_per_epoch: Updates of one pass over the data.
        warmup_epoch: Passes of warm-up; may be a fraction.
        warmup_steps: Updates of warm-up.

    Raises:
        ConfigError: If a value makes no sense.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        learning_rate: float = 0.001,
        warmup_epoch: float = 0.0,
        warmup_steps: int = 0,
    ) -> None:
        super().__init__(learning_rate, total_steps, steps_per_epoch, warmup_epoch, warmup_steps)

    def _after(self, step: int) -> float:
        return self.peak


@SCHEDULES.register
class Cosine(_WarmUp):
    """Half a cosine from the learning rate down to the end.

    Args:
        learning_rate: Learning rate after the warm-up.
        total_steps: Updates of the whole run.
        steps_per_epoch: Updates of one pass over the data.
        end_lr: Learning rate at ``total_steps``.
        warmup_epoch: Passes of warm-up; may be a fraction.
        warmup_steps: Updates of warm-up.

    Raises:
        ConfigError: If a value makes no sense.

    Example:
        >>> schedule = Cosine(total_steps=30, steps_per_epoch=10, learning_rate=0.1, warmup_epoch=1)
        >>> [round(schedule(step), 6) for step in (0, 5, 10, 20, 30)]
        [0.0, 0.05, 0.1, 0.05, 0.0]

    Source:
        Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5, without restarts.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        learning_rate: float = 0.001,
        end_lr: float = 0.0,
        warmup_epoch: float = 0.0,
        warmup_steps: int = 0,
    ) -> None:
        super().__init__(learning_rate, total_steps, steps_per_epoch, warmup_epoch, warmup_steps)
        self.end_lr = end_lr

    def _after(self, step: int) -> float:
        return self.end_lr + (self.peak - self.end_lr) * (1 + math.cos(math.pi * self._progress(step))) / 2


@SCHEDULES.register
class Linear(_WarmUp):
    """A polynomial, by default a line, from the learning rate down to the end.

    Args:
        learning_rate: Learning rate after the warm-up.
        total_steps: Updates of the whole run.
        steps_per_epoch: Updates of one pass over the data.
        end_lr: Learning rate at ``total_steps``.
        power: Exponent; 1 is a line, 0.9 the "poly" schedule of MhLiao/DB.
        warmup_epoch: Passes of warm-up; may be a fraction.
        warmup_steps: Updates of warm-up.

    Raises:
        ConfigError: If a value makes no sense.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        learning_rate: float = 0.001,
        end_lr: float = 0.0,
        power: float = 1.0,
        warmup_epoch: float = 0.0,
        warmup_steps: int = 0,
    ) -> None:
        super().__init__(learning_rate, total_steps, steps_per_epoch, warmup_epoch, warmup_steps)
        if power <= 0:
            raise ConfigError(f"Linear.power must be above 0. Received: {power}")
        self.end_lr, self.power = end_lr, power

    def _after(self, step: int) -> float:
        return self.end_lr + (self.peak - self.end_lr) * math.pow(1 - self._progress(step), self.power)


@SCHEDULES.register
class Piecewise(_WarmUp):
    """Constant between given epochs, counted from the start of the run.

    Args:
        decay_epochs: Epochs at which the next value begins, rising.
        values: Learning rates; one more than *decay_epochs*, or as many, and then the last one stays.
        total_steps: Updates of the whole run.
        steps_per_epoch: Updates of one pass over the data.
        warmup_epoch: Passes of warm-up to the first value; may be a fraction.
        warmup_steps: Updates of warm-up.

    Raises:
        ConfigError: If the lists do not fit each other.
    """

    def __init__(
        self,
        decay_epochs: list[int],
        values: list[float],
        total_steps: int,
        steps_per_epoch: int,
        warmup_epoch: float = 0.0,
        warmup_steps: int = 0,
    ) -> None:
        if not values or len(values) - len(decay_epochs) not in (0, 1):
            raise ConfigError(
                "Piecewise.values needs one value more than decay_epochs, or as many. "
                f"Received: {values} and {decay_epochs}"
            )
        if sorted(set(decay_epochs)) != list(decay_epochs):
            raise ConfigError(f"Piecewise.decay_epochs must rise. Received: {decay_epochs}")
        if min(values) < 0:
            raise ConfigError(f"Piecewise.values must not be below 0. Received: {values}")
        super().__init__(values[0], total_steps, steps_per_epoch, warmup_epoch, warmup_steps)
        self.decay_epochs, self.values = list(decay_epochs), list(values)

    def _after(self, step: int) -> float:
        passed = bisect_right(self.decay_epochs, step // self.steps_per_epoch)
        return self.values[min(passed, len(self.values) - 1)]


@SCHEDULES.register
class OneCycle(_WarmUp):
    """Up from a fraction of the learning rate, then down to a smaller one.

    Args:
        learning_rate: The highest learning rate.
        total_steps: Updates of the whole run.
        steps_per_epoch: Updates of one pass over the data.
        pct_start: Share of the updates after the warm-up in which it rises, in (0, 1).
        divide_factor: The cycle starts at ``learning_rate / divide_factor``.
        end_lr: Learning rate at ``total_steps``; None for a 10 000th of the start.
        anneal_strategy: Shape of the rise and of the fall: half a cosine, or a line.
        warmup_epoch: Passes of warm-up, here from 0 to the start of the cycle; may be a fraction.
        warmup_steps: Updates of warm-up.

    Raises:
        ConfigError: If a value makes no sense.

    Source:
        Smith and Topin, Super-Convergence, 2018.
    """

    def __init__(
        self,
        total_steps: int,
        steps_per_epoch: int,
        learning_rate: float = 0.001,
        pct_start: float = 0.3,
        divide_factor: float = 25.0,
        end_lr: float | None = None,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        warmup_epoch: float = 0.0,
        warmup_steps: int = 0,
    ) -> None:
        if not 0 < pct_start < 1 or divide_factor < 1:
            raise ConfigError(
                "OneCycle needs 0 < pct_start < 1 and divide_factor ≥ 1. "
                f"Received: pct_start {pct_start}, divide_factor {divide_factor}"
            )
        self.start_lr = learning_rate / divide_factor
        super().__init__(self.start_lr, total_steps, steps_per_epoch, warmup_epoch, warmup_steps)
        self.top_lr, self.pct_start, self.anneal_strategy = learning_rate, pct_start, anneal_strategy
        self.end_lr = self.start_lr / 10_000 if end_lr is None else end_lr

    def _after(self, step: int) -> float:
        progress = self._progress(step)
        if progress < self.pct_start:
            return self._between(self.start_lr, self.top_lr, progress / self.pct_start)
        return self._between(self.top_lr, self.end_lr, (progress - self.pct_start) / (1 - self.pct_start))

    def _between(self, first: float, last: float, share: float) -> float:
        if self.anneal_strategy == "cos":
            share = (1 - math.cos(math.pi * share)) / 2
        return first + (last - first) * share
