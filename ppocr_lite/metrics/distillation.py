"""The metric of one network of a distillation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr_lite.config.check import check_component
from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.metrics.base import METRICS


@METRICS.register
class DistillationMetric:
    """Another metric, applied to the results of the network called *key*.

    Args:
        key: Network whose results count; results that are not per network are taken as its own.
        base_metric_name: Class of the metric.
        main_indicator: Entry that decides which checkpoint is best; None for the metric's own choice.
        ignore_space: For recognition: leave spaces out of the comparison; None for the metric's own choice.

    Raises:
        ConfigError: If the metric does not exist or does not know the indicator or the option.
    """

    def __init__(
        self,
        key: str = "Student",
        base_metric_name: str = "DetMetric",
        main_indicator: str | None = None,
        ignore_space: bool | None = None,
    ) -> None:
        if base_metric_name not in set(METRICS) - {"DistillationMetric"}:
            known = set(METRICS) - {"DistillationMetric"}
            raise ConfigError(
                f"Metric.base_metric_name: no metric is called {base_metric_name!r}.{suggest(base_metric_name, known)}"
            )
        given = {"main_indicator": main_indicator, "ignore_space": ignore_space}
        node = {"name": base_metric_name} | {k: v for k, v in given.items() if v is not None}
        self.key = key
        self.base = METRICS.build(check_component(METRICS, node, "Metric"))

    def update(self, result: Any, truth: Any) -> None:
        """Count one result, or the part of it that the network *key* found."""
        mine = isinstance(result, Mapping) and self.key in result
        self.base.update(result[self.key] if mine else result, truth)

    def counts(self) -> dict[str, float]:
        """Return the sums of the metric."""
        return self.base.counts()

    def merge(self, counts: Mapping[str, float]) -> None:
        """Add the sums of another part of the data."""
        self.base.merge(counts)

    def compute(self) -> dict[str, float]:
        """Return what the metric says."""
        return self.base.compute()
