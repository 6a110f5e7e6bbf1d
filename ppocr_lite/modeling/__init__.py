"""Networks: backbone → neck → head."""

from ppocr_lite.modeling.backbones import BACKBONES
from ppocr_lite.modeling.distillation import DistillationModel, predicting
from ppocr_lite.modeling.heads import HEADS
from ppocr_lite.modeling.model import OCRModel, build_model, fuse
from ppocr_lite.modeling.necks import NECKS
from ppocr_lite.modeling.onnx_network import NETWORKS, OnnxNetwork

__all__ = [
    "BACKBONES",
    "HEADS",
    "NECKS",
    "NETWORKS",
    "DistillationModel",
    "OCRModel",
    "OnnxNetwork",
    "build_model",
    "fuse",
    "predicting",
]
