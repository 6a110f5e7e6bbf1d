"""Small random draws from a numpy Generator, cheaper than its own ``choice`` and ``integers``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Return True with the given probability in [0, 1]."""
    return rng.random() < probability


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a float in [low, high)."""
    return low + (high - low) * rng.random()


def integer(rng: np.random.Generator, low: int, high: int) -> int:
    """Return an integer in [low, high], both ends included."""
    return low + int(rng.random() * (high - low + 1))


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """Return one of *items*, each equally likely."""
    return items[int(rng.random() * len(items))]


def weighted(rng: np.random.Generator, items: Sequence[tuple[T, float]]) -> T:
    """Return the first half of one of *items*, pairs of value and weight ≥ 0, in proportion to the weights."""
    mark = rng.random() * sum(weight for _, weight in items)
    for value, weight in items:
        mark -= weight
        if mark < 0:
            return value
    return items[-1][0]
