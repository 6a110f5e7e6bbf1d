"""What stands where on a page, told from its pixels and the regions found on it; no network is run here."""

from ppocr_lite.predict.layout.ends import fit_ends
from ppocr_lite.predict.layout.lone import with_lone
from ppocr_lite.predict.layout.order import reading_blocks, reading_order, skew
from ppocr_lite.predict.layout.pepper import without_pepper
from ppocr_lite.predict.layout.short import fit_short
from ppocr_lite.predict.layout.sideways import with_sideways
from ppocr_lite.predict.layout.turn import is_upside_down, page_direction, turned_back

__all__ = [
    "fit_ends",
    "fit_short",
    "is_upside_down",
    "page_direction",
    "reading_blocks",
    "reading_order",
    "skew",
    "turned_back",
    "with_lone",
    "with_sideways",
    "without_pepper",
]
