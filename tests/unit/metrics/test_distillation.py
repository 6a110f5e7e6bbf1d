from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.config.check import check_component
from ppocr_lite.errors import ConfigError
from ppocr_lite.metrics import METRICS, DistillationMetric

BOX = np.float32([[0, 0], [10, 0], [10, 5], [0, 5]])


def test_the_printed_fragments_are_accepted() -> None:
    for base, indicator in (("DetMetric", "hmean"), ("RecMetric", "acc")):
        node = {"name": "DistillationMetric", "key": "Student", "base_metric_name": base, "main_indicator": indicator}
        assert next(iter(METRICS.build(check_component(METRICS, node, "Metric")).compute())) == indicator


def test_only_the_named_network_counts() -> None:
    metric = DistillationMetric(key="Student", base_metric_name="RecMetric")
    metric.update({"Student": "abc", "Teacher": "xyz"}, "abc")
    assert metric.compute()["acc"] == 1.0


def test_a_result_of_one_network_is_taken_as_it_is() -> None:
    metric = DistillationMetric(base_metric_name="DetMetric")
    metric.update({"polygons": [BOX]}, {"polys": [BOX], "ignore_tags": [False]})
    assert metric.compute()["hmean"] == 1.0


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(ConfigError, match="RecMetrics.*Did you mean 'RecMetric'"):
        DistillationMetric(base_metric_name="RecMetrics")


def test_an_unknown_indicator_is_named() -> None:
    with pytest.raises(ConfigError, match="main_indicator"):
        DistillationMetric(base_metric_name="DetMetric", main_indicator="acc")


def test_an_option_the_metric_lacks_is_named() -> None:
    with pytest.raises(ConfigError, match="ignore_space is not an argument of DetMetric"):
        DistillationMetric(base_metric_name="DetMetric", ignore_space=True)
