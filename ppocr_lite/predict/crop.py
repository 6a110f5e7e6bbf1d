"""How the reader cuts text lines out of a page; :meth:`ppocr_lite.OCRResult.crops` cuts them the same way."""

from __future__ import annotations

from ppocr_lite.geometry.crops import crop_line, crop_lines, turn

__all__ = ["crop_line", "crop_lines", "turn"]
