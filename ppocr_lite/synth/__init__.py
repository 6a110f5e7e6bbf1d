"""The data maker: text lines and pages drawn from installed fonts, with exact labels."""

from ppocr_lite.synth.background import Backgrounds
from ppocr_lite.synth.corpus import Corpus
from ppocr_lite.synth.face import FontFace
from ppocr_lite.synth.fonts import FontBook
from ppocr_lite.synth.line import LineMaker
from ppocr_lite.synth.page import PageMaker
from ppocr_lite.synth.writer import SampleMaker, build_maker, run, write, write_lines, write_pages, write_turned

__all__ = [
    "Backgrounds",
    "Corpus",
    "FontBook",
    "FontFace",
    "LineMaker",
    "PageMaker",
    "SampleMaker",
    "build_maker",
    "run",
    "write",
    "write_lines",
    "write_pages",
    "write_turned",
]
