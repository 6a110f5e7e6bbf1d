"""How many line images are turned the right way up."""

from __future__ import annotations

from typing import Literal

from ppocr_lite.metrics.base import METRICS, Counter


@METRICS.register
class ClsMetric(Counter):
    """Share of right labels.

    Args:
        main_indicator: Entry of the result that decides which checkpoint is best.
    """

    def __init__(self, main_indicator: Literal["acc"] = "acc") -> None:
        super().__init__("right", "total")
        self.main_indicator = main_indicator

    def update(self, result: int, truth: int) -> None:
        """Count one image: the label that was found and the true one."""
        self.add(right=float(int(result) == int(truth)), total=1)

    def compute(self) -> dict[str, float]:
        """Return ``acc`` in [0, 1]."""
        return {"acc": self.mean("right", "total")}
