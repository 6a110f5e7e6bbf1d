"""The registries of optimizers and of learning-rate schedules."""

from __future__ import annotations

from typing import Any, Protocol

from ppocr_lite.registry import Registry


class Schedule(Protocol):
    """Learning rate as a function of the number of updates done; without state, so a resumed run needs no more."""

    def __call__(self, step: int) -> float:
        """Return the learning rate of update *step*, counted from 0."""
        ...


# Specifications in plain Python; an engine turns them into its own optimizer.
OPTIMIZERS: Registry[Any] = Registry("optimizer")

# Pure functions step → learning rate.
SCHEDULES: Registry[Schedule] = Registry("schedule", runtime=("total_steps", "steps_per_epoch"))
