"""What a deployed machine needs, and nothing more."""

from ppocr_lite.config.reading import ReadingPolicy
from ppocr_lite.predict.bundle import Bundle, read_bundle, write_bundle
from ppocr_lite.predict.classifier import TextClassifier
from ppocr_lite.predict.detector import TextDetector
from ppocr_lite.predict.recognizer import TextRecognizer
from ppocr_lite.predict.runner import FunctionRunner, Runner, load_runner
from ppocr_lite.predict.system import OCR
from ppocr_lite.predict.timing import Timer

__all__ = [
    "OCR",
    "Bundle",
    "FunctionRunner",
    "ReadingPolicy",
    "Runner",
    "TextClassifier",
    "TextDetector",
    "TextRecognizer",
    "Timer",
    "load_runner",
    "read_bundle",
    "write_bundle",
]
