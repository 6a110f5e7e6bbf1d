"""Arrays of a network → results of a stage; free of any framework."""

from ppocr_lite.postprocess.base import POSTPROCESSES
from ppocr_lite.postprocess.cls import ClsPostProcess
from ppocr_lite.postprocess.ctc import CTCLabelDecode
from ppocr_lite.postprocess.db import DBPostProcess

__all__ = [
    "POSTPROCESSES",
    "CTCLabelDecode",
    "ClsPostProcess",
    "DBPostProcess",
]
