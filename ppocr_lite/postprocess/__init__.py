"""Arrays of a network → results of a stage; free of any framework."""

from ppocr_lite.postprocess.base import POSTPROCESSES
from ppocr_lite.postprocess.cls import ClsPostProcess
from ppocr_lite.postprocess.ctc import CTCLabelDecode
from ppocr_lite.postprocess.ctpn import CTPNPostProcess
from ppocr_lite.postprocess.db import DBPostProcess
from ppocr_lite.postprocess.mask_rcnn import MaskRCNNPostProcess

__all__ = [
    "POSTPROCESSES",
    "CTCLabelDecode",
    "CTPNPostProcess",
    "ClsPostProcess",
    "DBPostProcess",
    "MaskRCNNPostProcess",
]
