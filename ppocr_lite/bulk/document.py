"""What is handed from one part of a bulk run to the next: a document to read, and a row of what was read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from ppocr_lite.errors import ConfigError
from ppocr_lite.io.pages import page_numbers

Kind = Literal["file", "tar", "parquet"]
Format = Literal["parquet", "jsonl"]
FORMATS: tuple[Format, ...] = ("parquet", "jsonl")
CHUNK = 32  # pages of a long document that are read at a stretch; others may read the next at the same time


class Document(NamedTuple):
    """Something with one page or several: a file, a member of a tar file, or a row of a Parquet file.

    Attributes:
        id: 32 hexadecimal digits, see :func:`identity`.
        source: The file it is or is in, as rows name it.
        member: Its name in that file; None if it is the file.
        base: What fsspec opens the file system of the file by,
        path: and the file in there.
        kind: How it is reached.
        start: First byte of a member; row group of a row.
        size: Bytes of a member; number of a row within its group.
        column: Of a row the column with the image, ``"name"`` or, of a struct, ``"name.bytes"``.
        first: First page to read,
        last: and the last; 0 for the last that there is.
        pages: How many pages there are to read in all; 0 if it is not known yet.
        seen: Pages that are not to be read, for they are done.
        error: Why it cannot be read, if that is known already.
        alone: Whether a process was lost while it was read with others: now it is read by itself.
    """

    id: str
    source: str
    member: str | None
    base: str
    path: str
    kind: Kind = "file"
    start: int = 0
    size: int = 0
    column: str | None = None
    first: int = 1
    last: int = 0
    pages: int = 0
    seen: frozenset[int] = frozenset()
    error: str | None = None
    alone: bool = False

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.source if self.member is None else f"{self.source}::{self.member}"

    @property
    def key(self) -> tuple[str, int]:
        """Tells parts of documents apart."""
        return self.id, self.first

    @property
    def lot(self) -> tuple[str, int] | None:
        """What is read in one go with it; None if nothing is."""
        return (self.path, self.start) if self.kind == "parquet" and self.error is None else None


class Opened(NamedTuple):
    """Says that a document has so many pages to read."""

    key: tuple[str, int]
    pages: int


class Row(NamedTuple):
    """A page that has been read, or could not be.

    Attributes:
        document: Its document.
        page: Its number, from 1; 0 for a document that cannot be opened.
        pages: How many rows the document has in all.
        error: Why it could not be read.
        data: The row as the output holds it, see :mod:`ppocr_lite.bulk.rows`.
    """

    document: tuple[str, int]
    page: int
    pages: int
    error: str | None
    data: bytes

    @property
    def id(self) -> str:
        """The ``id`` of the row in the output."""
        return row_id(self.document[0], self.page)


class Done(NamedTuple):
    """Says that there is nothing more to read of a document."""

    key: tuple[str, int]


class Supply(Protocol):
    """Where documents to read come from."""

    @property
    def ended(self) -> bool:
        """Whether the last one has been taken."""

    def take(self) -> Document | None:
        """Return the next one; None if there is none, or none yet."""


@dataclass(frozen=True)
class Options:
    """How pages are read.

    Args:
        ocr: Arguments of ``OCR``; one thread is usual.
        format: Of the output.
        pages: Which pages of each document, such as ``"1-5,8"``, counted from 1; None for all.
        password: Of encrypted PDF files.
        column: Of Parquet files the column with the images; None to find it.

    Raises:
        ConfigError: If one has a wrong value.
    """

    ocr: Mapping[str, Any] = field(default_factory=dict)
    format: Format = "parquet"
    pages: str | None = None
    password: str | None = None
    column: str | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ConfigError(f"format must be one of {', '.join(FORMATS)}. Received: {self.format!r}")
        try:
            page_numbers(self.pages)
        except ValueError as error:
            raise ConfigError(str(error)) from error

    @property
    def threads(self) -> int:
        """CPU threads of one reader."""
        return int(self.ocr.get("threads") or 1)

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of pages that are to be read, upwards, of a document that has any number of them."""
        ranges = page_numbers(self.pages) or [range(1, 2**31)]
        last = 0
        for part in sorted(ranges, key=lambda part: part.start):
            for number in part:
                if number > last:
                    last = number
                    yield number


def identity(source: str, stamp: str, member: str = "") -> str:
    """Return what tells a document from every other: where it is, and how it was when it was looked at.

    Args:
        source: Where its file is.
        stamp: Size of the file and when it was changed, so that one that was changed is another.
        member: Where in that file.
    """
    text = "\0".join((source, stamp, member)).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def row_id(document: str, page: int) -> str:
    """Return the ``id`` of the row of a page."""
    return f"{document}-{page:06d}"


def chunks(document: Document) -> list[Document]:
    """Return a document whose number of pages is known in parts of :data:`CHUNK` pages, without those that are done."""
    parts = []
    for start in range(document.first, document.pages + 1, CHUNK):
        left = [n for n in range(start, min(start + CHUNK, document.pages + 1)) if n not in document.seen]
        if left:
            seen = document.seen.intersection(range(left[0], left[-1]))
            parts.append(document._replace(first=left[0], last=left[-1], seen=seen))
    return parts
