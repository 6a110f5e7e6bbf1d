"""A page as a row of a table: what its columns are, and how it is written."""

from __future__ import annotations

import functools
import json
import re
import statistics
from collections.abc import Mapping
from typing import Any

from ppocr_lite.bulk.document import Document, Format, Row, row_id
from ppocr_lite.errors import DataError
from ppocr_lite.install import optional
from ppocr_lite.results import RESULT_VERSION, OCRResult

arrow = optional("pyarrow")
# How a line of JSON begins: what must be known of each row to go on, without reading the rest.
_BEGINNING = re.compile(rb'\{"id": "([0-9a-f]{32})-([0-9]+)", "pages": ([0-9]+), "error": (null|")')


@functools.cache
def schema() -> Any:
    """Return the columns, as Arrow says them; doc/bulk.md explains each."""
    points = arrow.list_(arrow.list_(arrow.float32()))
    words = arrow.struct({"text": arrow.string(), "polygon": arrow.list_(arrow.list_(arrow.float64()))}.items())
    line = {
        "polygon": points,
        "text": arrow.string(),
        "score": arrow.float64(),
        "det_score": arrow.float64(),
        "angle": arrow.int32(),
        "words": arrow.list_(words),
    }
    columns = {
        "id": arrow.string(),
        "pages": arrow.int32(),
        "error": arrow.string(),
        "source": arrow.string(),
        "member": arrow.string(),
        "page": arrow.int32(),
        "width": arrow.int32(),
        "height": arrow.int32(),
        "angle": arrow.int32(),
        "text": arrow.string(),
        "score": arrow.float64(),
        "blocks": arrow.list_(arrow.int32()),
        "lines": arrow.list_(arrow.struct(line.items())),
        "seconds": arrow.float64(),
    }
    return arrow.schema(columns.items())


def make_row(
    document: Document, page: int, pages: int, result: OCRResult, seconds: float, form: Format = "parquet"
) -> Row:
    """Return the row of a page.

    Args:
        document: What it is a page of.
        page: Its number, from 1; 0 for a document that cannot be opened.
        pages: How many rows the document has in all.
        result: What was read, or an error.
        seconds: How long that took.
        form: How the row is written.

    Raises:
        ValueError: If a number is not finite.
    """
    plain = result.to_dict()
    failed = result.error is not None
    row = {
        "id": row_id(document.id, page),
        "pages": pages,
        "error": None if result.error is None else _clean(result.error),
        "source": _clean(document.source),
        "member": None if document.member is None else _clean(document.member),
        "page": page or None,
        "width": None if failed else result.size[1],
        "height": None if failed else result.size[0],
        "angle": result.angle,
        "text": result.text,
        "score": statistics.fmean(line.score for line in result) if len(result) else None,
        "blocks": plain["blocks"],
        "lines": plain["lines"],
        "seconds": round(seconds, 4),
    }
    if form == "jsonl":
        data = json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    else:
        data = arrow.RecordBatch.from_pylist([row], schema=schema()).serialize().to_pybytes()
    return Row(document.key, page, pages, row["error"], data)


def error_row(document: Document, page: int, pages: int, error: str, form: Format, seconds: float = 0.0) -> Row:
    """Return the row of a page that could not be read; arguments as for :func:`make_row`."""
    return make_row(document, page, pages, OCRResult(error=error), seconds, form)


def beginning(line: bytes) -> tuple[bytes, int, int, bool]:
    """Return the document, page and pages that a line of JSON Lines begins with, and whether it has an error.

    Raises:
        DataError: If it is none that was written here.
    """
    found = _BEGINNING.match(line)
    if found is None:
        raise DataError(f"not a row that was written here: {line[:80]!r}")
    return bytes.fromhex(found[1].decode()), int(found[2]), int(found[3]), found[4] != b"null"


def result_of(row: Mapping[str, Any]) -> OCRResult:
    """Return the result that a row of the output was made of.

    Args:
        row: As ``json.loads`` or Arrow's ``to_pylist`` gives it.

    Returns:
        Equal to that of ``OCR.ocr``, but for its ``source``.

    Raises:
        DataError: If it is no such row.
    """
    try:
        name = row["source"] if row["member"] is None else f"{row['source']}::{row['member']}"
        source = name if row["page"] in (None, 1) and row["pages"] == 1 else f"{name}#{row['page']}"
        lines, size = row["lines"], [row["height"] or 0, row["width"] or 0]
        said = {"angle": row["angle"], "blocks": row["blocks"], "error": row["error"]}
    except KeyError as error:
        raise DataError(
            f"A row of ppocr-lite bulk has a column {error.args[0]!r}. Received: {', '.join(row)}"
        ) from error
    return OCRResult.from_dict({"version": RESULT_VERSION, "source": source, "size": size, "lines": lines, **said})


def _clean(text: str) -> str:
    """Return *text* as UTF-8 can hold it; the bytes of a file name need not be UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
