"""What prediction returns: values that are frozen, comparable and small, and hold no image."""

from __future__ import annotations

import base64
import html
import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import files, visualize
from ppocr_lite.errors import DataError, ImageError, OCRError, suggest
from ppocr_lite.geometry.crops import crop_lines, turn
from ppocr_lite.install import need
from ppocr_lite.io import documents, images, markdown, pages, pdf, searchable
from ppocr_lite.io.images import ImageInput
from ppocr_lite.textline import Points, TextLine, split_blocks

RESULT_VERSION = 1
DRAWING_SUFFIXES = (".jpeg", ".jpg", ".png")
MARKUP = {".hocr": documents.hocr, ".xml": documents.alto}


class Detections(NamedTuple):
    """Text regions of one image.

    Attributes:
        polygons: Each (P, 2) float32, (x, y) pixels, clockwise; P = 4 for quads.
        scores: One number in [0, 1] per polygon.
    """

    polygons: list[Points]
    scores: list[float]


class _TextAndScore(NamedTuple):
    text: str
    score: float


class Recognition(_TextAndScore):
    """The text of one line image and how sure the network is: a pair, as PaddleOCR 2.x returns it.

    Attributes:
        text: What was read.
        score: Confidence in [0, 1]; no text scores 0.
        positions: Where each character has its middle, from 0 at the left edge of the image to 1 at its right; does
            not count when two are compared.
    """

    positions: tuple[float, ...]

    def __new__(cls, text: str, score: float, positions: Sequence[float] = ()) -> Recognition:
        """Return the pair, with the positions beside it."""
        self = super().__new__(cls, text, score)
        self.positions = tuple(positions)
        return self


class Orientation(NamedTuple):
    """How a line image is turned, 0 or 180 degrees, and how sure the network is, in [0, 1]."""

    angle: int
    score: float


@dataclass(frozen=True)
class OCRResult:
    """What was read on one image, in reading order.

    Attributes:
        lines: The lines; none if the image has no text.
        size: (height, width) of the image, pixels.
        source: Path of the image, with ``#number`` behind it for one page of several; None if it had none.
        error: Why the image could not be read, if it was to be skipped then; None of one that was read.
        angle: How far the page stands turned clockwise, degrees from 0 to 359; it was turned back before its lines
            were found. Polygons are pixels of the image as it was given.
        block_sizes: How many lines each block has, in order; empty if blocks are not known. See :attr:`blocks`.
    """

    lines: tuple[TextLine, ...] = ()
    size: tuple[int, int] = (0, 0)
    source: str | None = None
    error: str | None = None
    angle: int = 0
    block_sizes: tuple[int, ...] = ()

    def __iter__(self) -> Iterator[TextLine]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: int) -> TextLine:
        return self.lines[index]

    @property
    def text(self) -> str:
        """The lines joined with newlines."""
        return "\n".join(line.text for line in self.lines)

    @property
    def blocks(self) -> tuple[tuple[TextLine, ...], ...]:
        """The lines by blocks, such as paragraphs, columns and tables, in reading order.

        One block of all lines if blocks are not known, or do not count as many lines as there are.
        """
        return tuple(split_blocks(self.lines, self.block_sizes))

    def to_dict(self) -> dict[str, Any]:
        """Return plain types; :meth:`from_dict` reads them back."""
        return {
            "version": RESULT_VERSION,
            "source": self.source,
            "size": list(self.size),
            **({} if self.error is None else {"error": self.error}),
            "angle": self.angle,
            "blocks": list(self.block_sizes),
            "lines": [line.to_dict() for line in self.lines],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> OCRResult:
        """Return the result that :meth:`to_dict` described.

        Raises:
            DataError: If *data* is from a newer release, or something in it is missing, unknown or of the wrong type.
        """
        version = data.get("version")
        if version != RESULT_VERSION:
            raise DataError(f"A result of version {RESULT_VERSION} is expected. Received: version {version!r}")
        try:
            lines = tuple(TextLine.from_dict(line) for line in data["lines"])
            height, width = (int(side) for side in data["size"])
            angle = int(data.get("angle", 0))
            blocks = tuple(int(count) for count in data.get("blocks", ()))
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise DataError(f"Not a result as OCRResult.to_dict() writes it: {error!r}") from error
        return cls(lines, (height, width), data.get("source"), error=data.get("error"), angle=angle, block_sizes=blocks)

    def to_json(self, path: Path | str | None = None) -> str:
        """Return JSON, characters as they are, each line of text in a row of its own; write it to *path* if given.

        Raises:
            DataError: If a number is not finite, which JSON cannot say.
        """
        data = self.to_dict()
        try:
            rows = ",\n".join(f"    {_dumps(line)}" for line in data.pop("lines"))
        except ValueError as error:
            raise DataError(f"{self.source or 'a result'}: a number is not finite.") from error
        head = "".join(f'  "{key}": {_dumps(value)},\n' for key, value in data.items())
        text = f'{{\n{head}  "lines": [' + (f"\n{rows}\n  " if rows else "") + "]\n}"
        if path is not None:
            # A file name need not be UTF-8; its other bytes become escapes, which JSON reads back.
            files.write_text(path, text + "\n", errors="backslashreplace")
        return text

    def to_markdown(self) -> str:
        """Return Markdown: blocks as paragraphs, larger lines as headings, cells in rows and columns as tables."""
        return markdown.markdown(self.lines, self.block_sizes)

    def to_dataframe(self) -> Any:
        """Return a pandas DataFrame of a row a line.

        Its columns: ``text``, ``score``, ``det_score``, ``angle``, ``block``, the bounds ``left``, ``top``, ``right``
        and ``bottom`` in pixels, and ``polygon``, (P, 2) float32.

        Raises:
            OCRError: If pandas is not installed.
        """
        need("pandas")
        numbers = [number for number, block in enumerate(self.blocks) for _ in block]
        rows = [
            (line.text, line.score, line.det_score, line.angle, number)
            + (*line.polygon.min(axis=0).tolist(), *line.polygon.max(axis=0).tolist(), line.polygon)
            for line, number in zip(self.lines, numbers, strict=True)
        ]
        columns = ("text", "score", "det_score", "angle", "block", "left", "top", "right", "bottom", "polygon")
        return importlib.import_module("pandas").DataFrame(rows, columns=columns)

    def _repr_html_(self) -> str:
        """Return what Jupyter shows: the picture with its boxes, if its source can be read, and the text."""
        text = f"<pre>{html.escape(self.text)}</pre>"
        try:
            picture = images.encode(self.draw(), ".jpg")
        except OCRError as error:
            return f"<p>{html.escape(str(self.error or error))}</p>{text}"
        return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(picture).decode()}">'

    def to_legacy(self) -> list[list[Any]]:
        """Return ``[[quad, (text, score)], ...]`` as PaddleOCR 2.x returns a page; *quad* is a list of [x, y]."""
        return [[line.polygon.tolist(), (line.text, line.score)] for line in self.lines]

    def draw(self, image: ImageInput | None = None) -> NDArray[np.uint8]:
        """Return a BGR picture, (H, 2 W, 3): the image with its boxes, and beside it the text that was read.

        Args:
            image: The image; None to read the source again.

        Raises:
            ImageError: If there is no image and no source to read.
        """
        pixels = self._pixels(image)
        return visualize.draw_page(pixels, [line.polygon for line in self], [line.text for line in self])

    def crops(self, image: ImageInput | None = None, margin: float = 0.0) -> list[NDArray[np.uint8]]:
        """Return the straightened picture of each line, in the order of the lines, as the recogniser is given it.

        Args:
            image: The image; None to read the source again.
            margin: What is cut beyond both ends of a line, as a share of its height; a released recogniser reads with
                0.05.

        Returns:
            For each line BGR uint8 (h, w, 3), upright: what stood on its head is turned, what is written downwards lies
            on its side.

        Raises:
            ImageError: If there is no image and no source to read.
        """
        found = crop_lines(self._pixels(image), [line.polygon for line in self], margin=margin)
        return [turn(crop, line.angle) for crop, line in zip(found, self, strict=True)]

    def save(self, path: Path | str, image: ImageInput | None = None) -> None:
        """Write the result in the format that the suffix of *path* names.

        Args:
            path: ``.json``, ``.txt`` (the text), ``.md``, ``.hocr``, ``.xml`` (ALTO 4), ``.pdf`` (the page, with its
                text to search), or ``.png``, ``.jpg`` (a drawing).
            image: For a drawing or PDF: the image; None to read the source again. A PDF keeps the picture and the size
                of the source; an array becomes a JPEG of 150 dots an inch.

        Raises:
            DataError: If no format has that suffix.
            ImageError: If the image is needed, and there is none and no source to read.
            OSError: If the file cannot be written; then it is as it was before.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix == ".json":
            self.to_json(path)
        elif suffix == ".txt":
            files.write_text(path, self.text + "\n" if self.lines else "", errors="replace")
        elif suffix == ".md":
            files.write_text(path, self.to_markdown(), errors="replace")
        elif suffix in MARKUP:
            files.write_text(
                path, MARKUP[suffix](self.lines, self.size, self.source, self.block_sizes), errors="replace"
            )
        elif suffix == ".pdf":
            self._save_pdf(path, image)
        elif suffix in DRAWING_SUFFIXES:
            images.write(path, self.draw(image))
        else:
            known = (".json", ".txt", ".md", ".pdf", *MARKUP, *DRAWING_SUFFIXES)
            raise DataError(f"{path}: no result format has the suffix {suffix!r}.{suggest(suffix, known)}")

    def _save_pdf(self, path: Path, image: ImageInput | None) -> None:
        if image is None:
            save_pages([self], path)
        else:
            files.write_bytes(path, pdf.searchable_pdf(searchable.picture_of(image), self.lines))

    def _pixels(self, image: ImageInput | None) -> NDArray[np.uint8]:
        return pages.read_page(_source(self)) if image is None else images.read(image)


def save_pages(results: Sequence[OCRResult], path: Path | str, password: str | None = None) -> None:
    """Write several pages into one file, in the format that the suffix of *path* names.

    Args:
        results: The pages, in order; at least one.
        path: ``.json`` (``{"version": 1, "pages": […]}``, each page as :meth:`OCRResult.to_dict` has it), ``.txt``
            (form feeds between the pages), ``.md`` (rules between them), ``.hocr``, ``.xml`` (ALTO 4) or ``.pdf``,
            which keeps the pictures and sizes of the sources, or, if they are the pages of a PDF, the PDF itself, and
            has the text over them.
        password: Of an encrypted PDF whose pages they are; what is written wants it, too.

    Raises:
        DataError: If no format of several pages has that suffix.
        ImageError: For a PDF: if a source is not there, cannot be read, or is not an image file or a page of the same
            PDF as the others.
        OCRError: For a PDF of a PDF: if pikepdf is not installed.
        OSError: If the file cannot be written; then it is as it was before.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".pdf":
        read = [(_source(result), pdf.PageText(result.lines, result.size)) for result in results]
        searchable.save_searchable(path, read, password)
    elif suffix in _JOINERS:
        files.write_text(path, _JOINERS[suffix](results), errors="backslashreplace")
    else:
        raise DataError(f"{path}: no format of several pages has that suffix.{suggest(suffix, ('.pdf', *_JOINERS))}")


def _source(result: OCRResult) -> str:
    if result.source is None:
        raise ImageError("This result has no source file to read. Give the image: draw(image), save(path, image).")
    return result.source


def _json(results: Sequence[OCRResult]) -> str:
    pages_of_json = ",\n".join(result.to_json() for result in results)
    return f'{{"version": {RESULT_VERSION}, "pages": [\n{pages_of_json}\n]}}\n'


def _text(results: Sequence[OCRResult]) -> str:
    return "\f".join(result.text + "\n" if len(result) else "" for result in results)


def _markdown(results: Sequence[OCRResult]) -> str:
    return "\n---\n\n".join(result.to_markdown() for result in results)


def _hocr(results: Sequence[OCRResult]) -> str:
    return documents.join_hocr(
        [documents.hocr(page.lines, page.size, page.source, page.block_sizes) for page in results]
    )


def _alto(results: Sequence[OCRResult]) -> str:
    source = str(pages.file_and_page(results[0].source)[0]) if results[0].source else None
    return documents.join_alto(
        [documents.alto(page.lines, page.size, page.source, page.block_sizes) for page in results], source
    )


_JOINERS = {".json": _json, ".txt": _text, ".md": _markdown, ".hocr": _hocr, ".xml": _alto}


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
