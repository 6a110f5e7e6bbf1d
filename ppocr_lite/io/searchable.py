"""PDF files that can be searched, made of what was read on the pages of image files or of a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import PIL.Image

from ppocr_lite import files
from ppocr_lite.errors import ImageError
from ppocr_lite.io import images
from ppocr_lite.io.formats import MAX_PIXELS
from ppocr_lite.io.overlay import lay_over
from ppocr_lite.io.pages import file_and_page, is_pdf
from ppocr_lite.io.pdf import PageText, PDFWriter
from ppocr_lite.io.pictures import Picture, picture_of_file, picture_of_pil, picture_of_pixels


def save_searchable(path: Path, pages: Sequence[tuple[str, PageText]], password: str | None = None) -> None:
    """Write one PDF of the pages that were read, each as large as its source and with the picture of its source.

    Args:
        path: The file to write.
        pages: What each page is called, as :func:`~ppocr_lite.io.pages.read_pages` has it, and what was read on it;
            pages of image files, or of one PDF.
        password: Of an encrypted PDF.

    Raises:
        ImageError: If a source cannot be read, has changed, or pages of a PDF are not alone.
        OCRError: If they are of a PDF, and pikepdf is not installed.
    """
    sources = [file_and_page(name) for name, _ in pages]
    if any(is_pdf(file) for file, _ in sources):
        if len({file for file, _ in sources}) > 1:
            raise ImageError(f"{path}: pages of a PDF and of other files do not go into one PDF. Write one for each.")
        texts = {number or 1: text for (_, number), (_, text) in zip(sources, pages, strict=True)}
        lay_over(sources[0][0], texts, path, password)
        return
    read: tuple[Path | None, bytes] = (None, b"")
    with files.replacing(path) as draft, draft.open("wb") as file:
        writer = PDFWriter(file)
        for (source, number), (name, text) in zip(sources, pages, strict=True):
            most = max(MAX_PIXELS, text.size[0] * text.size[1])  # what was read before may be read again
            read = read if read[0] == source else (source, images.read_file(source, most))
            picture = picture_of_file(read[1], max(number - 1, 0), name, most)
            if picture.upright_size != text.size:
                raise ImageError(f"{name}: was {text.size} pixels when it was read, and is {picture.upright_size} now.")
            writer.add(picture, text.lines)
        writer.close()


def picture_of(source: images.ImageInput) -> Picture:
    """Return an image that was given by hand as a PDF holds it; see :func:`ppocr_lite.io.images.read`."""
    if isinstance(source, str | Path):
        return picture_of_file(images.read_file(Path(source)), name=str(source))
    if isinstance(source, bytes | bytearray | memoryview):
        return picture_of_file(bytes(source))
    if isinstance(source, PIL.Image.Image):
        return picture_of_pil(source)
    return picture_of_pixels(images.read(source))
