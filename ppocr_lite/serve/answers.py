"""What was read, in the format that was asked for."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ppocr_lite.errors import OCRError
from ppocr_lite.results import OCRResult, save_pages
from ppocr_lite.serve import overlay
from ppocr_lite.serve.documents import Document
from ppocr_lite.serve.problems import ProblemError
from ppocr_lite.serve.work import ReadPage

Format = Literal["json", "jsonl", "text", "markdown", "hocr", "alto", "pdf"]
# format → suffix, media type
FORMATS: dict[str, tuple[str, str]] = {
    "json": (".json", "application/json"),
    "text": (".txt", "text/plain; charset=utf-8"),
    "markdown": (".md", "text/markdown; charset=utf-8"),
    "hocr": (".hocr", "text/html; charset=utf-8"),
    "alto": (".xml", "application/xml"),
    "pdf": (".pdf", "application/pdf"),
}
LINES = "application/x-ndjson"


def check_pages(pages: Sequence[OCRResult]) -> None:
    """Refuse a document none of whose pages could be read.

    Raises:
        ProblemError: Says why the first could not.
    """
    if all(page.error is not None for page in pages):
        raise ProblemError(422, str(pages[0].error) if pages else "The document has no pages.", kind="unreadable")


def write(kind: str, pages: Sequence[OCRResult], document: Document) -> tuple[bytes, str]:
    """Return the answer and its media type.

    Args:
        kind: One of :data:`FORMATS`.
        pages: What was read, in order; sources are called by the name of the document.
        document: What it was read on.

    Raises:
        OCRError: If the document cannot be read again, or the format cannot hold it.
    """
    suffix, media = FORMATS[kind]
    target = document.path.with_name(f"answer{suffix}")
    try:
        _save(kind, pages, document, target)
    except OCRError as error:
        raise document.named(error) from error
    answer = target.read_bytes()
    target.unlink()
    return answer, media


def _save(kind: str, pages: Sequence[OCRResult], document: Document, target: Path) -> None:
    several = len(pages) > 1 or pages[0].source != document.name
    if kind == "pdf":
        errors = [page.error for page in pages if page.error is not None]
        placed = [_placed(page, document) for page in pages]
        if document.is_pdf:  # whose damaged pages stay as they are
            overlay.save_over(placed, target, document.password)
        elif errors:
            raise ProblemError(422, str(errors[0]), kind="unreadable")
        else:
            save_pages(placed, target)
    elif several:
        save_pages(pages, target)
    else:
        pages[0].save(target)


def write_line(page: ReadPage, number: int, total: int | None) -> bytes:
    """Return a page as a line of JSON Lines: the result, which page of how many it is, and its picture if there is."""
    said = {"page": number, "pages": total, **page.result.to_dict()}
    if page.picture is not None:
        said["picture"] = "data:image/jpeg;base64," + base64.b64encode(page.picture).decode()
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def write_hub(pages: Sequence[OCRResult]) -> dict[str, object]:
    """Return the answer of PaddleHub Serving's module ``ocr_system``.

    Source:
        PaddleOCR 2.x, deploy/hubserving/ocr_system/module.py.
    """
    results = [
        [{"text": line.text, "confidence": line.score, "text_region": line.polygon.tolist()} for line in page]
        for page in pages
    ]
    return {"msg": "", "results": results, "status": "000"}


def _placed(page: OCRResult, document: Document) -> OCRResult:
    """Return *page* with its source where it can be read again."""
    return dataclasses.replace(page, source=f"{document.path}{str(page.source).removeprefix(document.name)}")
