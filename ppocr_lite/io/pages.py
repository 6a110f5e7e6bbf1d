"""The pages of folders, patterns, PDF files and image files with several frames, one at a time."""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ImageError, OCRError
from ppocr_lite.io import formats, images
from ppocr_lite.io.formats import MAX_PIXELS
from ppocr_lite.io.pdf_reader import PDFReader

logger = logging.getLogger(__name__)

SUFFIXES = frozenset({*formats.SUFFIXES, ".pdf"})
SEVERAL_FRAMES = (".gif", ".tif", ".tiff")
_PDF_START, _PDF_START_WITHIN = b"%PDF-", 1024  # bytes, as readers of PDF have it
_NUMBERED = re.compile(r"(.+)#([1-9][0-9]*)", re.DOTALL)


def list_files(source: str | Path, recursive: bool = False) -> list[Path]:
    """Return the files that *source* names, in the order of their names.

    Args:
        source: A file, a folder (its images and PDF files), or a pattern with ``*``, ``?``, ``[…]`` or ``**``.
        recursive: Look into the folders below, too.

    Raises:
        ImageError: If there is no such file, or nothing in the folder or of that pattern.
    """
    path = Path(source)
    if path.is_dir():
        found = [p for p in (path.rglob("*") if recursive else path.iterdir()) if p.suffix.lower() in SUFFIXES]
    elif path.exists():
        return [path]
    elif glob.has_magic(str(source)):
        found = [Path(p) for p in glob.glob(str(source), recursive=True)]  # noqa: PTH207 - absolute patterns too
    else:
        raise ImageError(f"{source}: there is no such file or folder.")
    files = sorted(p for p in found if p.is_file())
    if not files:
        raise ImageError(f"{source}: no images there. Looked for {', '.join(sorted(SUFFIXES))}.")
    return files


def page_numbers(pages: str | None) -> list[range] | None:
    """Return the ranges that ``"1-3,7,9-"`` means, None for all pages.

    Raises:
        ValueError: If *pages* is not of that form, or a number is below 1.
    """
    if pages is None:
        return None
    ranges = []
    for part in pages.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            raise ValueError(f"pages must look like '1-3,7,9-'. Received: {pages!r}")
        start = int(first)
        stop = int(last) if last else (2**31 if dash else start)
        if start < 1 or stop < start:
            raise ValueError(f"pages count from 1, upwards. Received: {pages!r}")
        ranges.append(range(start, stop + 1))
    return ranges


def read_pages(
    path: Path,
    pages: str | None = None,
    after: int = 0,
    max_pixels: int = MAX_PIXELS,
    password: str | None = None,
    counted: Callable[[int], None] = lambda count: None,
) -> Generator[tuple[str, NDArray[np.uint8]], None, None]:
    """Yield the name and the pixels, BGR uint8 (H, W, 3), of each page of a file.

    Args:
        path: An image, a TIFF or GIF with several frames, or a PDF, with what is filled into its forms. What a file
            without a known suffix is, its first bytes say.
        pages: Which pages, counted from 1; None for all. A file of one page has page 1.
        after: Leave out the pages up to this one.
        max_pixels: Most pixels that an image may declare; a larger page of a PDF is drawn smaller.
        password: Of an encrypted PDF.
        counted: Told how many pages will be read, before the first is; it may raise.

    Yields:
        ``("scan.pdf#2", pixels)``; the plain path for a file of one page.

    Raises:
        ImageError: If there is no such file, or it is not an image, is damaged or too large, in which case its ``page``
            says which page is; or if it has none of *pages*. If it has some, a warning names the others.
        OCRError: If it is a PDF and pypdfium2 is not installed.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise ImageError(f"{path}: a folder without images.")

    wanted = page_numbers(pages)

    def chosen(count: int) -> list[int]:
        every = range(after + 1, count + 1)
        numbers = [n for n in every if wanted is None or any(n in part for part in wanted)]
        counted(len(numbers))
        if wanted and not after:  # what follows a damaged page has been looked at with those before it
            _check_there(path, count, str(pages).split(","), wanted)
        return numbers

    if not path.exists() or suffix in SUFFIXES.difference((".pdf", *SEVERAL_FRAMES)):
        if not path.exists() or chosen(1):
            yield str(path), images.read(path, max_pixels=max_pixels)
    elif is_pdf(path):
        with PDFReader(path, max_pixels, password=password) as document:
            yield from _pdf_pages(path, document, chosen(document.count))
    else:
        yield from _frames(path, chosen, max_pixels)


def read_every_page(
    path: Path,
    pages: str | None = None,
    max_pixels: int = MAX_PIXELS,
    password: str | None = None,
    counted: Callable[[int], None] = lambda count: None,
) -> Generator[tuple[str, NDArray[np.uint8] | OCRError], None, None]:
    """Yield what :func:`read_pages` does, and for what cannot be read its name and the error.

    After a damaged page those that follow it are still read, and *counted* is told of these again.
    """
    after: int | None = 0
    while after is not None:
        try:
            yield from read_pages(path, pages, after, max_pixels, password, counted)
            return
        except OCRError as error:
            after = getattr(error, "page", None)
            yield f"{path}#{after}" if after else str(path), error


def read_page(name: str, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Return the pixels, BGR uint8 (H, W, 3), of the page that :func:`read_pages` calls *name*.

    Raises:
        ImageError, OCRError: As for :func:`read_pages`, or if the file has no such page.
    """
    file, number = file_and_page(name)
    if not number:
        return images.read(name, max_pixels=max_pixels)
    with closing(read_pages(file, str(number), max_pixels=max_pixels)) as found:
        return next(found)[1]


def file_and_page(name: str) -> tuple[Path, int]:
    """Return the file of the page that :func:`read_pages` calls *name*, and its number; 0 if the name has none."""
    page = _NUMBERED.fullmatch(name)
    if page is None or Path(name).exists():
        return Path(name), 0
    return Path(page[1]), int(page[2])


def _check_there(path: Path, count: int, parts: list[str], wanted: list[range]) -> None:
    """Name the pages that a file of *count* does not have.

    Args:
        path: The file.
        count: Its pages.
        parts: What was asked for, as it was written.
        wanted: The same as numbers.

    Raises:
        ImageError: If it has none of them.
    """
    beyond = [part for part, numbers in zip(parts, wanted, strict=True) if numbers.start > count]
    if not beyond:
        return
    message = f"{path}: there is no page {', '.join(beyond)}; it has {count}."
    if len(beyond) == len(wanted):
        raise ImageError(message)
    logger.warning(message)


def _frames(path: Path, chosen: Callable[[int], list[int]], max_pixels: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    page = None
    with images.open_file(path) as file:
        try:
            picture = formats.open_image(file, str(path), max_pixels)
            if picture.format not in ("GIF", "TIFF"):  # only called so
                if chosen(1):
                    yield str(path), images.read(path, max_pixels=max_pixels)
                return
            count = getattr(picture, "n_frames", 1)
            for number in chosen(count):
                page = number if count > 1 else None
                name = f"{path}#{number}" if count > 1 else str(path)
                picture.seek(number - 1)
                yield name, images.from_pil(picture, name, max_pixels)
        except ImageError as error:
            error.page = page
            raise
        except formats.DECODE_ERRORS as error:
            damaged = formats.undecodable(f"{path}#{page}" if page else str(path), error)
            damaged.page = page
            raise damaged from error


def is_pdf(path: Path) -> bool:
    """Say whether a file is read as a PDF: by its suffix, or if that is none that is known, by how it begins."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or not path.exists():
        return suffix == ".pdf"
    with images.open_file(path) as file:
        return _PDF_START in file.read(_PDF_START_WITHIN)


def _pdf_pages(path: Path, document: PDFReader, numbers: list[int]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for number in numbers:
        try:
            pixels = document.page(number)
        except ImageError as error:
            error.page = number
            raise
        yield f"{path}#{number}", pixels
