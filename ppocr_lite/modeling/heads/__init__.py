"""Features → maps, classes or characters."""

from ppocr_lite.modeling.heads.base import HEADS
from ppocr_lite.modeling.heads.cls_head import ClsHead
from ppocr_lite.modeling.heads.ctc_head import CTCHead
from ppocr_lite.modeling.heads.ctpn_head import CTPNHead
from ppocr_lite.modeling.heads.db_head import DBHead
from ppocr_lite.modeling.heads.mask_rcnn_head import MaskRCNNHead
from ppocr_lite.modeling.heads.multi_head import MultiHead

__all__ = ["HEADS", "CTCHead", "CTPNHead", "ClsHead", "DBHead", "MaskRCNNHead", "MultiHead"]
