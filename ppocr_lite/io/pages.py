"""The pages of folders, patterns, PDF files and image files with several frames, one at a time."""

from __future__ import annotations

import glob
import importlib
import re
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from ppocr_lite.errors import ImageError, OCRError
from ppocr_lite.install import install_command
from ppocr_lite.io import images

SUFFIXES = frozenset({*images.SUFFIXES, ".gif", ".pdf"})
SEVERAL_FRAMES = (".gif", ".tif", ".tiff")
PDF_DPI = 200  # a 10 point line becomes 28 pixels high, near what recognisers are trained on
POINTS_PER_INCH = 72
_NUMBERED = re.compile(r"(.+)#([1-9][0-9]*)", re.DOTALL)
# PDFium must not be called by two threads at once, whatever the documents. Re-entrant, because the collector may close
# a document that nobody finished reading in the middle of another's page.
_PDFIUM = threading.RLock()


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
    path: Path, pages: str | None = None, after: int = 0
) -> Generator[tuple[str, NDArray[np.uint8]], None, None]:
    """Yield the name and the pixels, BGR uint8 (H, W, 3), of each page of a file.

    Args:
        path: An image, a TIFF or GIF with several frames, or a PDF, with what is filled into its forms.
        pages: Which pages, counted from 1; None for all. A file of one page has page 1.
        after: Leave out the pages up to this one.

    Yields:
        ``("scan.pdf#2", pixels)``; the plain path for a file of one page.

    Raises:
        ImageError: If there is no such file, or it is not an image or is damaged; its ``page`` says which page is.
        OCRError: If it is a PDF and pypdfium2 is not installed.
    """
    wanted = page_numbers(pages)
    if after:
        wanted = [range(max(part.start, after + 1), part.stop) for part in wanted or [range(1, 2**31)]]
    suffix = path.suffix.lower()
    if path.is_dir():
        raise ImageError(f"{path}: a folder without images.")
    if not path.exists() or suffix not in (".pdf", *SEVERAL_FRAMES):
        if _is_wanted(1, wanted):
            yield str(path), images.read(path)
    elif suffix == ".pdf":
        yield from _pdf_pages(path, wanted)
    else:
        yield from _frames(path, wanted)


def read_every_page(
    path: Path, pages: str | None = None
) -> Generator[tuple[str, NDArray[np.uint8] | OCRError], None, None]:
    """Yield what :func:`read_pages` does, and for what cannot be read its name and the error.

    After a damaged page those that follow it are still read.
    """
    after: int | None = 0
    while after is not None:
        try:
            yield from read_pages(path, pages, after)
            return
        except OCRError as error:
            after = getattr(error, "page", None)
            yield f"{path}#{after}" if after else str(path), error


def read_page(name: str) -> NDArray[np.uint8]:
    """Return the pixels, BGR uint8 (H, W, 3), of the page that :func:`read_pages` calls *name*.

    Raises:
        ImageError, OCRError: As for :func:`read_pages`, or if the file has no such page.
    """
    page = _NUMBERED.fullmatch(name)
    if page is None or Path(name).exists():
        return images.read(name)
    with closing(read_pages(Path(page[1]), page[2])) as found:
        for _, pixels in found:
            return pixels
    raise ImageError(f"{page[1]}: there is no page {page[2]}.")


def _is_wanted(number: int, wanted: list[range] | None) -> bool:
    return wanted is None or any(number in numbers for numbers in wanted)


def _frames(path: Path, wanted: list[range] | None) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    page = None
    try:
        with PIL.Image.open(path) as picture:
            count = getattr(picture, "n_frames", 1)
            for number in (n for n in range(1, count + 1) if _is_wanted(n, wanted)):
                page = number if count > 1 else None
                name = f"{path}#{number}" if count > 1 else str(path)
                picture.seek(number - 1)
                yield name, images.from_pil(picture.copy(), name)
    except ImageError as error:
        error.page = page
        raise
    except images.DECODE_ERRORS as error:
        damaged = images.undecodable(f"{path}#{page}" if page else str(path), error)
        damaged.page = page
        raise damaged from error


def _pdf_pages(path: Path, wanted: list[range] | None) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    pdfium = _pdfium(path)
    with _PDFIUM:
        try:
            document = pdfium.PdfDocument(path)
            document.init_forms()
        except (pdfium.PdfiumError, OSError) as error:
            raise ImageError(f"{path}: not a readable PDF: {error}") from error
        count = len(document)
    try:
        for number in (n for n in range(1, count + 1) if _is_wanted(n, wanted)):
            name = f"{path}#{number}"
            with _PDFIUM:
                try:
                    pixels = _render(document, number - 1)
                except pdfium.PdfiumError as error:
                    damaged = ImageError(f"{name}: the page is damaged: {error}")
                    damaged.page = number
                    raise damaged from error
            yield name, pixels
    finally:
        with _PDFIUM:
            document.close()


def _render(document: Any, index: int) -> NDArray[np.uint8]:
    with closing(document[index]) as page, closing(page.render(scale=PDF_DPI / POINTS_PER_INCH)) as bitmap:
        return np.array(bitmap.to_numpy()[:, :, :3])


def _pdfium(path: Path) -> Any:
    try:
        return importlib.import_module("pypdfium2")
    except ModuleNotFoundError as error:
        raise OCRError(f"{path}: reading PDF needs the package pypdfium2. {install_command('pypdfium2')}") from error
