"""Features of the backbone → features of the head."""

from ppocr_lite.modeling.necks.base import NECKS
from ppocr_lite.modeling.necks.db_fpn import DBFPN
from ppocr_lite.modeling.necks.sequence_encoder import SequenceEncoder

__all__ = ["DBFPN", "NECKS", "SequenceEncoder"]
