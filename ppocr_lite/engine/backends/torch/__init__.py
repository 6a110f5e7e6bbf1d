"""The torch training engine; its modules fill the registries, its backend runs them."""

from ppocr_lite.engine.backends.torch.backend import TorchBackend
from ppocr_lite.engine.backends.torch.base import BACKBONES, HEADS, LOSSES, NECKS
from ppocr_lite.engine.backends.torch.db_loss import DBLoss
from ppocr_lite.engine.backends.torch.distillation import (
    DistillationCTCLoss,
    DistillationDBLoss,
    DistillationDilaDBLoss,
    DistillationDistanceLoss,
    DistillationDMLLoss,
)
from ppocr_lite.engine.backends.torch.heads import ClsHead, CTCHead, DBHead
from ppocr_lite.engine.backends.torch.losses import ClsLoss, CombinedLoss, CTCLoss
from ppocr_lite.engine.backends.torch.mobilenet_v1_enhance import MobileNetV1Enhance
from ppocr_lite.engine.backends.torch.mobilenet_v3 import MobileNetV3
from ppocr_lite.engine.backends.torch.model import DistillationModel, OCRModel, build_model
from ppocr_lite.engine.backends.torch.necks import DBFPN, SequenceEncoder
from ppocr_lite.engine.backends.torch.resnet import ResNet

__all__ = [
    "BACKBONES",
    "DBFPN",
    "HEADS",
    "LOSSES",
    "NECKS",
    "CTCHead",
    "CTCLoss",
    "ClsHead",
    "ClsLoss",
    "CombinedLoss",
    "DBHead",
    "DBLoss",
    "DistillationCTCLoss",
    "DistillationDBLoss",
    "DistillationDMLLoss",
    "DistillationDilaDBLoss",
    "DistillationDistanceLoss",
    "DistillationModel",
    "MobileNetV1Enhance",
    "MobileNetV3",
    "OCRModel",
    "ResNet",
    "SequenceEncoder",
    "TorchBackend",
    "build_model",
]
