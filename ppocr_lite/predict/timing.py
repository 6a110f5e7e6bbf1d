"""How long each stage of a call takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Timer:
    """Adds up seconds by stage: ``with timer("resize"): ...``.

    Args:
        enabled: Whether to measure at all.

    Attributes:
        seconds: Stage → seconds, in the order in which the stages began.
    """

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Measure what happens inside the ``with`` block."""
        if not self.enabled:
            yield
            return
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


NO_TIMER = Timer(enabled=False)
