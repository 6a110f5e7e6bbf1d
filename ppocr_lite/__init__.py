"""Text on images: found, turned upright and read, on a CPU and offline.

Example:
    >>> from ppocr_lite import OCR
    >>> page = OCR().ocr("receipt.jpg")  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from ppocr_lite.version import __version__

if TYPE_CHECKING:
    from ppocr_lite import errors
    from ppocr_lite.predict.paddleocr import PaddleOCR
    from ppocr_lite.predict.system import OCR
    from ppocr_lite.results import OCRResult
    from ppocr_lite.textline import TextLine

__all__ = ["OCR", "OCRResult", "PaddleOCR", "TextLine", "__version__", "errors"]

logging.getLogger(__name__).addHandler(logging.NullHandler())
_HOMES = {
    "OCR": "ppocr_lite.predict.system",
    "OCRResult": "ppocr_lite.results",
    "PaddleOCR": "ppocr_lite.predict.paddleocr",
    "TextLine": "ppocr_lite.textline",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import ppocr_lite`` itself costs nothing."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name == "errors":
        return importlib.import_module("ppocr_lite.errors")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
