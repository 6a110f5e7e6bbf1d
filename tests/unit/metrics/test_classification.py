from __future__ import annotations

from ppocr_lite.metrics import ClsMetric


def test_accuracy_is_the_share_of_right_labels() -> None:
    metric = ClsMetric()
    for result, truth in [(0, 0), (180, 180), (0, 180), (180, 0)]:
        metric.update(result, truth)
    assert metric.compute() == {"acc": 0.5}
    assert metric.counts() == {"right": 2.0, "total": 4.0}


def test_no_lines_score_zero() -> None:
    assert ClsMetric().compute() == {"acc": 0.0}
