"""Features of the backbone → features of the head."""

from ppocr_lite.modeling.necks.base import NECKS
from ppocr_lite.modeling.necks.db_fpn import DBFPN
from ppocr_lite.modeling.necks.fpn import FPN
from ppocr_lite.modeling.necks.lk_pan import LKPAN, RepLKPAN
from ppocr_lite.modeling.necks.rep_lk_fpn import RepLKFPN
from ppocr_lite.modeling.necks.rse_fpn import RSEFPN
from ppocr_lite.modeling.necks.sequence_encoder import SequenceEncoder

__all__ = ["DBFPN", "FPN", "LKPAN", "NECKS", "RSEFPN", "RepLKFPN", "RepLKPAN", "SequenceEncoder"]
