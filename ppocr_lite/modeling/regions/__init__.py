"""The parts of a two-stage detector: proposals, features of boxes, the two heads, and what they learn from."""

from ppocr_lite.modeling.regions.box_head import BoxHead, BoxPostProcess
from ppocr_lite.modeling.regions.mask_head import MaskHead
from ppocr_lite.modeling.regions.pooler import RoIAlign
from ppocr_lite.modeling.regions.proposals import RPNHead, RPNPostProcess
from ppocr_lite.modeling.regions.sampler import RegionSampler, Samples

__all__ = [
    "BoxHead",
    "BoxPostProcess",
    "MaskHead",
    "RPNHead",
    "RPNPostProcess",
    "RegionSampler",
    "RoIAlign",
    "Samples",
]
