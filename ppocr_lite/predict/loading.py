"""The pages of files for an index of documents: the text of each, and what is known of it besides."""

from __future__ import annotations

import itertools
import logging
import shutil
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ppocr_lite.errors import ConfigError, ImageError, OCRError, suggest
from ppocr_lite.io.images import Image
from ppocr_lite.io.pages import list_files, read_every_page
from ppocr_lite.predict.skipping import OnError, check_on_error
from ppocr_lite.predict.system import OCR
from ppocr_lite.results import OCRResult

logger = logging.getLogger(__name__)

Mode = Literal["page", "document"]
Format = Literal["text", "markdown"]
BETWEEN = {"text": "\n\f", "markdown": "\n---\n\n"}  # what stands between the pages of a document
_DECIMALS = 4


@dataclass(frozen=True)
class Loaded:
    """A page, or a document of several.

    Attributes:
        name: What the file is called.
        results: What was read on it, a page each.
        index: Which page it is, counted from 0; None of a document.
        total: How many pages the file has.
    """

    name: str
    results: tuple[OCRResult, ...]
    index: int | None
    total: int

    def text(self, kind: Format) -> str:
        """Return what was read, as lines or as Markdown."""
        pages = [page.text if kind == "text" else page.to_markdown() for page in self.results]
        return BETWEEN[kind].join(pages)

    def numbers(self) -> dict[str, Any]:
        """Return what is known besides, as plain numbers and strings.

        Of a page ``page`` (from 0), ``page_label`` (from 1), ``width``, ``height`` and ``angle``; of all
        ``total_pages``, and ``score``, the mean confidence of the lines, if there are any.
        """
        said: dict[str, Any] = {}
        if self.index is not None:
            height, width = self.results[0].size
            said = {"page": self.index, "page_label": str(self.index + 1)}
            said |= {"width": width, "height": height, "angle": self.results[0].angle}
        scores = [line.score for page in self.results for line in page]
        mean = {"score": round(sum(scores) / len(scores), _DECIMALS)} if scores else {}
        return {**said, "total_pages": self.total, **mean}


@dataclass(frozen=True)
class Loading:
    """How files become documents.

    Attributes:
        ocr: Reads them.
        mode: One document a ``"page"``, or one a file: ``"document"``.
        format: ``"text"``, the lines, or ``"markdown"``.
        on_error: What to do about a page that cannot be read: ``"raise"``; ``"skip"``, which leaves it out, with a
            warning in the log; or a function, which is called with the name of the page and the error, and then it is
            left out.
        password: Of encrypted PDF files.

    Raises:
        ConfigError: If one of them has a wrong value.
    """

    ocr: OCR
    mode: Mode = "page"
    format: Format = "text"
    on_error: OnError = "raise"
    password: str | None = None

    def __post_init__(self) -> None:
        for name, known in (("mode", ("page", "document")), ("format", tuple(BETWEEN))):
            if (value := getattr(self, name)) not in known:
                raise ConfigError(f"{name}={value!r} is not known.{suggest(str(value), known)}")
        check_on_error(self.on_error)

    def load(self, files: Iterable[tuple[Path, str]]) -> Generator[Loaded, None, None]:
        """Yield the pages or documents of files, in order; neighbouring pages are read together.

        Args:
            files: Where each is, and what it is called.

        Raises:
            ImageError, OCRError: As for :meth:`OCR.stream`.
        """
        with closing(self._pages(files)) as pages:
            if self.mode == "page":
                yield from (page for _, page in pages)
                return
            for _, group in itertools.groupby(pages, key=lambda placed: placed[0]):
                found = [page for _, page in group]
                yield Loaded(found[0].name, tuple(page.results[0] for page in found), None, found[0].total)

    def _pages(self, files: Iterable[tuple[Path, str]]) -> Generator[tuple[int, Loaded], None, None]:
        """Yield each page that can be read, and which of *files* it is of."""
        places: deque[tuple[int, str, int]] = deque()  # of the pages on their way: file, its name, page from 0
        totals: dict[int, int] = {}

        def decode() -> Generator[tuple[str, Image | OCRError], None, None]:
            for number, (path, name) in enumerate(files):

                def count(total: int, number: int = number) -> None:
                    totals.setdefault(number, total)  # after a damaged page it is told of the rest

                for place, found in read_every_page(path, None, self.ocr.max_pixels, self.password, count):
                    index = int(place.rpartition("#")[2]) - 1 if place != str(path) else 0
                    places.append((number, name, index))
                    renamed = type(found)(str(found).replace(str(path), name)) if isinstance(found, OCRError) else found
                    yield place.replace(str(path), name), renamed

        on_error = _warn if self.on_error == "skip" else self.on_error
        with closing(self.ocr.stream_pages(decode(), on_error=on_error)) as results:
            for result in results:
                number, name, index = places.popleft()
                if result.error is None:
                    yield number, Loaded(name, (result,), index, totals[number])


def make_loading(ocr: OCR | None, options: dict[str, Any], **said: Any) -> Loading:
    """Return how files become documents.

    Args:
        ocr: Reads them; None to make a reader of *options*.
        options: Arguments of :class:`OCR`.
        said: Fields of :class:`Loading`.

    Raises:
        ConfigError: If both are given.
    """
    if ocr is not None and options:
        raise ConfigError(f"{', '.join(options)} is for a new reader. Leave it out, or leave out ocr=.")
    return Loading(ocr or OCR(**options), **said)


def find_sources(
    sources: str | Path | Sequence[str | Path], on_error: OnError, recursive: bool = False
) -> list[tuple[Path, str]]:
    """Return the files that paths, folders and patterns name, as :meth:`Loading.load` takes them.

    What is not there is kept if reading is to go on after an error, which reading it then gives.

    Raises:
        ImageError: If something is not there, and *on_error* is ``"raise"``.
    """
    found: list[Path] = []
    for source in [sources] if isinstance(sources, str | Path) else sources:
        try:
            found += list_files(source, recursive)
        except ImageError:
            if not check_on_error(on_error):
                raise
            found.append(Path(source))
    return [(path, str(path)) for path in found]


@contextmanager
def as_file(source: BinaryIO) -> Iterator[Path]:
    """Copy an open file to one with a path, for as long as it is needed; what it is, its first bytes say."""
    with tempfile.TemporaryDirectory(prefix="ppocr-lite-") as folder:
        path = Path(folder) / "document"
        with path.open("wb") as copy:
            shutil.copyfileobj(source, copy)
        yield path


def _warn(name: str | None, error: Exception) -> None:
    logger.warning("Left out: %s", error)
