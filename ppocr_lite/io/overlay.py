"""Text laid over the pages of a PDF, which stay as they are."""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ppocr_lite import files
from ppocr_lite.errors import ImageError, OCRError, PasswordError
from ppocr_lite.install import install_command
from ppocr_lite.io.pdf import PageText, text_pdf


def lay_over(source: Path, texts: Mapping[int, PageText], target: Path, password: str | None = None) -> None:
    """Write those pages of a PDF for which there is text, with the text over them, unseen.

    Args:
        source: The PDF.
        texts: Number of a page, counted from 1 → what was read on it.
        target: The file to write; may be *source*.
        password: Of an encrypted PDF; what is written is encrypted likewise.

    Raises:
        ImageError: If *source* is damaged, wants another password, or lacks such a page.
        OCRError: If pikepdf is not installed.
    """
    try:
        pikepdf = importlib.import_module("pikepdf")
    except ModuleNotFoundError as error:
        hint = install_command("pikepdf")
        raise OCRError(f"{source}: laying text over a PDF needs the package pikepdf. {hint}") from error
    try:
        with pikepdf.open(source, password=password or "", allow_overwriting_input=True) as document:
            count = len(document.pages)
            if beyond := [number for number in texts if not 1 <= number <= count]:
                raise ImageError(f"{source}: there is no page {beyond[0]}; it has {count}.")
            for number, text in texts.items():
                _lay(pikepdf, document.pages[number - 1], text)
            for number in range(count, 0, -1):
                if number not in texts:
                    del document.pages[number - 1]
            with files.replacing(target) as draft:
                document.save(draft, encryption=document.is_encrypted)
    except pikepdf.PasswordError as error:
        raise PasswordError(f"{source}: a PDF that wants a password, or another one.") from error
    except pikepdf.PdfError as error:
        raise ImageError(f"{source}: not a PDF that text can be laid over: {error}") from error


def _lay(pikepdf: Any, page: Any, text: PageText) -> None:
    """Lay text over what of a page is seen, however the page is turned."""
    media, crop = (pikepdf.Rectangle(box) for box in (page.mediabox, page.cropbox))
    seen = pikepdf.Rectangle(
        max(media.llx, crop.llx), max(media.lly, crop.lly), min(media.urx, crop.urx), min(media.ury, crop.ury)
    )
    sides = float(seen.width), float(seen.height)
    height, width = text.size
    turned = (width - height) * (sides[0] - sides[1]) < 0
    over = text_pdf(text, sides[::-1] if turned else sides)
    with pikepdf.open(io.BytesIO(over)) as made:
        page.add_overlay(made.pages[0], seen)
