"""From documents to rows: bytes are fetched and decoded a page ahead of the page that is read."""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from ppocr_lite.bulk.document import CHUNK, Document, Done, Opened, Options, Row, Supply
from ppocr_lite.bulk.places import file_system, is_local, read_bytes
from ppocr_lite.bulk.rows import error_row, make_row
from ppocr_lite.errors import ImageError, OCRError
from ppocr_lite.install import optional
from ppocr_lite.io import images
from ppocr_lite.io.images import Image
from ppocr_lite.io.pages import SEVERAL_FRAMES, SUFFIXES, file_and_page, read_pages
from ppocr_lite.predict.stream import run_ahead
from ppocr_lite.predict.system import OCR

parquet, types = optional("pyarrow.parquet"), optional("pyarrow.types")
_SINGLE = frozenset(SUFFIXES) - {".pdf", *SEVERAL_FRAMES}
_SEVERAL_STARTS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+", b"GIF8")
_PDF_START, _PDF_START_WITHIN = b"%PDF-", 1024
_ROWS_AHEAD = 4  # of a Parquet file that are decoded at once


class _Page(NamedTuple):
    """A decoded page, or why there is none.

    Attributes:
        document: What it is a page of.
        number: From 1; 0 if the document cannot be opened.
        pages: How many rows the document has.
        image: Its pixels, or the error; None behind the last page of the document.
        seconds: How long it took to get.
    """

    document: Document
    number: int
    pages: int
    image: Image | str | None
    seconds: float


class Reader:
    """Reads documents with one ``OCR``.

    Args:
        options: How.
        split: Whether somebody else takes what a long document has beyond :data:`~.document.CHUNK` pages.
        opened: Told how many pages a document has, from a thread that decodes, before the first is decoded.
    """

    def __init__(
        self, options: Options, *, split: bool = False, opened: Callable[[Opened], None] = lambda opened: None
    ) -> None:
        self._options, self._opened = options, opened
        self._split = split and options.pages is None
        self._ocr = OCR(**{**options.ocr, "threads": options.threads})
        self._read_page = threading.Semaphore(0)
        self._rows = _ParquetRows()

    def read(self, documents: Iterator[Document]) -> Generator[Row | Done, None, None]:
        """Yield the rows of documents, in order, and behind those of each that they are all.

        Args:
            documents: Taken from a thread that decodes, before the rows of the last are yielded.
        """
        with closing(run_ahead(self._pages(documents))) as pages:
            for outcome in pages:
                page = outcome.result()
                yield Done(page.document.key) if page.image is None else self._row(page, page.image)
                if page.document.alone:
                    self._read_page.release()

    def _row(self, page: _Page, image: Image | str) -> Row:
        started = time.perf_counter() - page.seconds
        place = page.document, page.number, page.pages
        form = self._options.format
        if isinstance(image, str):
            return error_row(*place, image, form, page.seconds)
        try:
            result = self._ocr.ocr(image)
            return make_row(*place, result, time.perf_counter() - started, form)
        except Exception as error:  # noqa: BLE001 - one page of a million must not end the others; its row says why
            text = f"{page.document.name}: cannot be read: {type(error).__name__}: {error}"
            return error_row(*place, text, form, time.perf_counter() - started)

    def _pages(self, documents: Iterator[Document]) -> Generator[_Page, None, None]:
        for document in documents:
            for page in self._pages_of(document):
                yield page
                if document.alone:  # the next is not decoded before this one is read: what fails must be known
                    self._read_page.acquire()
            yield _Page(document, 0, 0, None, 0.0)
            if document.alone:
                self._read_page.acquire()

    def _pages_of(self, document: Document) -> Iterator[_Page]:
        """Yield the pages of a document that are to be read; of those that cannot be, the error."""
        state = _State(document)
        started = time.perf_counter()
        try:
            if document.error is not None:
                raise ImageError(f"{document.name}: {document.error}")
            for number, image in self._decoded(document, state):
                if number not in document.seen:
                    shown = str(image) if isinstance(image, OCRError) else image
                    yield _Page(document, number, state.pages, shown, time.perf_counter() - started)
                started = time.perf_counter()
        except Exception as error:  # noqa: BLE001 - decoders raise what they like; the row says it
            text = str(error) if isinstance(error, OCRError) else f"{type(error).__name__}: {error}"
            text = text if text.startswith(document.name) else f"{document.name}: {text}"
            seconds = time.perf_counter() - started
            numbers = state.left(self._options) if state.pages else [0]
            for number in numbers:
                yield _Page(document, number, state.pages or 1, text, seconds)

    def _decoded(self, document: Document, state: _State) -> Iterator[tuple[int, Image | OCRError]]:
        if document.kind == "file" and is_local(file_system(document.base)):
            yield from self._file_pages(document, state, Path(document.path))
            return
        data = self._bytes(document)
        suffix = Path(document.path if document.member is None else document.member).suffix.lower()
        suffix = suffix if suffix in SUFFIXES and document.kind != "parquet" else ""
        if suffix in _SINGLE or (not suffix and not _may_have_pages(data)):
            self._counted(document, state, 1)
            if next(self._options.numbers()) > 1:
                raise ImageError(f"{document.name}: there is no page {self._options.pages}; it has 1.")
            yield 1, images.decode(data, document.name, self._ocr.max_pixels)
            return
        with tempfile.NamedTemporaryFile(prefix="ppocr-lite-", suffix=suffix) as file:
            file.write(data)
            file.flush()
            del data
            yield from self._file_pages(document, state, Path(file.name))

    def _file_pages(self, document: Document, state: _State, path: Path) -> Iterator[tuple[int, Image | OCRError]]:
        """Yield the pages of a file, and for each that is damaged the error."""
        after: int | None = document.first - 1

        def counted(left: int) -> None:
            if not state.pages:
                self._counted(document, state, left + (after or 0))

        while after is not None and after < (state.last or 2**31):
            found = read_pages(path, self._options.pages, after, self._ocr.max_pixels, self._options.password, counted)
            try:
                with closing(found):
                    for name, image in found:
                        after = file_and_page(name)[1] if name != str(path) else 1
                        state.reached = after
                        yield after, image
                        if after >= (state.last or 2**31):
                            return
                return
            except OCRError as error:
                text = str(error).replace(str(path), document.name)
                after = getattr(error, "page", None)
                if after is None:
                    raise ImageError(text) from error
                state.reached = after
                yield after, ImageError(text)

    def _counted(self, document: Document, state: _State, pages: int) -> None:
        state.pages = max(pages, 1) if document.pages == 0 else document.pages
        if self._split and not state.last and state.pages > CHUNK:
            state.last = CHUNK
        self._opened(Opened(document.key, state.pages))

    def _bytes(self, document: Document) -> bytes:
        """Return what a document holds.

        Raises:
            ImageError: If it cannot be fetched.
        """
        try:
            if document.kind == "parquet":
                return self._rows.get(document)
            if document.kind == "tar":
                data = read_bytes(document.base, document.path, document.start, document.start + document.size)
                if len(data) < document.size:
                    raise ImageError(f"{len(data)} of its {document.size} bytes are there; the tar file was cut off.")
                return data
            return read_bytes(document.base, document.path)
        except ImageError as error:
            raise ImageError(f"{document.name}: {error}") from error


class _State:
    """How far a document has been decoded.

    Attributes:
        document: Which.
        pages: How many rows it has; 0 if that is not known yet.
        last: The last page to decode; 0 for the last that there is.
        reached: The last page that was decoded.
    """

    def __init__(self, document: Document) -> None:
        self.document, self.pages, self.last = document, document.pages, document.last
        self.reached = document.first - 1

    def left(self, options: Options) -> list[int]:
        """Return the pages that have not been decoded."""
        every = itertools.islice(options.numbers(), self.pages) if options.pages else range(1, self.pages + 1)
        last = self.last or 2**31
        return [number for number in every if self.reached < number <= last and number not in self.document.seen]


class _ParquetRows:
    """Reads rows of Parquet files, those of a row group one after the other without reading any twice."""

    def __init__(self) -> None:
        self._group: tuple[str, str, int, str | None] | None = None
        self._values: Iterator[tuple[int, Any]] = iter(())
        self._last = -1

    def get(self, document: Document) -> bytes:
        """Return the image in a row.

        Raises:
            ImageError: If there is none.
        """
        group = document.base, document.path, document.start, document.column
        if group != self._group or document.size <= self._last:
            self._group, self._last, self._values = group, -1, _values(*group)
        for number, value in self._values:
            self._last = number
            if number == document.size:
                if not value:
                    raise ImageError(f"no bytes in the column {document.column}.")
                return bytes(value)
        self._group = None
        raise ImageError("there is no such row any more; the file has changed.")


def _values(base: str, path: str, group: int, column: str | None) -> Iterator[tuple[int, Any]]:
    number = 0
    with file_system(base).open(path, "rb") as file:
        data = parquet.ParquetFile(file)
        for batch in data.iter_batches(_ROWS_AHEAD, row_groups=[group], columns=[column], use_threads=False):
            values = batch.column(0)
            for value in values.field("bytes") if types.is_struct(values.type) else values:
                yield number, value.as_py()
                number += 1


def _may_have_pages(data: bytes) -> bool:
    return data.startswith(_SEVERAL_STARTS) or _PDF_START in data[:_PDF_START_WITHIN]


def taken(supply: Supply, wait: float = 0.01) -> Iterator[Document]:
    """Yield the documents of a supply until it ends, waiting for them."""
    while not supply.ended:
        document = supply.take()
        if document is None:
            time.sleep(wait)
        else:
            yield document
