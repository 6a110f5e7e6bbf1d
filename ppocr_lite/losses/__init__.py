"""What training minimises."""

from ppocr_lite.losses.ace_loss import ACELoss
from ppocr_lite.losses.base import LOSSES
from ppocr_lite.losses.center_loss import CenterLoss
from ppocr_lite.losses.cls_loss import ClsLoss
from ppocr_lite.losses.combined import CombinedLoss
from ppocr_lite.losses.ctc_loss import CTCLoss
from ppocr_lite.losses.ctpn_loss import CTPNLoss
from ppocr_lite.losses.db_loss import DBLoss
from ppocr_lite.losses.distillation import (
    DistillationCTCLoss,
    DistillationDBLoss,
    DistillationDilaDBLoss,
    DistillationDistanceLoss,
    DistillationDMLLoss,
    TeacherMapLoss,
)
from ppocr_lite.losses.mask_rcnn_loss import MaskRCNNLoss
from ppocr_lite.losses.multi_loss import MultiLoss
from ppocr_lite.losses.nrtr_loss import NRTRLoss

__all__ = [
    "LOSSES",
    "ACELoss",
    "CTCLoss",
    "CTPNLoss",
    "CenterLoss",
    "ClsLoss",
    "CombinedLoss",
    "DBLoss",
    "DistillationCTCLoss",
    "DistillationDBLoss",
    "DistillationDMLLoss",
    "DistillationDilaDBLoss",
    "DistillationDistanceLoss",
    "TeacherMapLoss",
    "MaskRCNNLoss",
    "MultiLoss",
    "NRTRLoss",
]
