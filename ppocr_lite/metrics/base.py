"""The registry of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr_lite.registry import Registry

# Sums of counts: update, counts, merge, compute.
METRICS: Registry[Any] = Registry("metric")


class Counter:
    """Named sums, the state of every metric.

    Args:
        names: What is counted.
    """

    def __init__(self, *names: str) -> None:
        self._sums = dict.fromkeys(names, 0.0)

    def add(self, **values: float) -> None:
        """Add to the sums."""
        for name, value in values.items():
            self._sums[name] += value

    def counts(self) -> dict[str, float]:
        """Return a copy of the sums."""
        return dict(self._sums)

    def merge(self, counts: Mapping[str, float]) -> None:
        """Add the sums of another part of the data.

        Raises:
            ValueError: If they are sums of something else.
        """
        if set(counts) != set(self._sums):
            raise ValueError(f"Expected sums of {sorted(self._sums)}. Received: {sorted(counts)}")
        self.add(**counts)

    def mean(self, total: str, of: str) -> float:
        """Return one sum over another, 0.0 over nothing."""
        return self._sums[total] / self._sums[of] if self._sums[of] else 0.0


def main_first(values: Mapping[str, float], main_indicator: str) -> dict[str, float]:
    """Return *values* with the main indicator as the first entry."""
    return {main_indicator: values[main_indicator]} | dict(values)
