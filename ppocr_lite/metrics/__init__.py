"""How good results are: sums of counts that can be merged; free of any framework."""

from ppocr_lite.metrics.base import METRICS
from ppocr_lite.metrics.classification import ClsMetric
from ppocr_lite.metrics.detection import DetMetric
from ppocr_lite.metrics.distillation import DistillationMetric
from ppocr_lite.metrics.end_to_end import EndToEndMetric
from ppocr_lite.metrics.recognition import RecMetric

__all__ = ["METRICS", "ClsMetric", "DetMetric", "DistillationMetric", "EndToEndMetric", "RecMetric"]
