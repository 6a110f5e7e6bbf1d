"""Images as PDF pages that can be searched: their text lies over them, unseen.

The text is set in a font that is named and not there: nothing is drawn, so only the widths and the way from its codes
back to characters (``ToUnicode``) matter, and any script will do.

Source:
    ISO 32000-1:2008, sections 7.5 (file structure), 9.3 (text state), 9.7 (composite fonts), 9.10 (text extraction).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np

from ppocr_lite.io.pictures import UPRIGHT, Picture
from ppocr_lite.textline import TextLine, Word
from ppocr_lite.version import __version__

ADVANCE = 0.5  # of every character, in units of its height; each word is stretched to its place
BLOCK = 100  # most entries of one bfchar section
_UNSEEN = 3  # text rendering mode
_PAGES, _FONT, _DESCRIPTOR = 2, 3, 4  # objects that all pages share
_CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
_SYSTEM = "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
_METRICS = "/Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 1000 /Descent 0 /CapHeight 1000 /StemV 80"


class PageText(NamedTuple):
    """What was read on a page.

    Attributes:
        lines: In reading order.
        size: (height, width) of the image they were read on, pixels.
    """

    lines: Sequence[TextLine]
    size: tuple[int, int]


def searchable_pdf(picture: Picture, lines: Sequence[TextLine]) -> bytes:
    """Return a PDF of one page; arguments as for :meth:`PDFWriter.add`."""
    buffer = io.BytesIO()
    writer = PDFWriter(buffer)
    writer.add(picture, lines)
    writer.close()
    return buffer.getvalue()


def text_pdf(text: PageText, points: tuple[float, float]) -> bytes:
    """Return a PDF of one page, *points* = (width, height), that holds text alone, to lay over another."""
    buffer = io.BytesIO()
    writer = PDFWriter(buffer)
    writer.add_text(text, points)
    writer.close()
    return buffer.getvalue()


class PDFWriter:
    """Writes a PDF page by page; what is written is not kept.

    Args:
        file: Where to; at its beginning.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._at = file, 0
        self._places: dict[int, int] = {}
        self._pages: list[int] = []
        self._next = _DESCRIPTOR + 1
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._object(_CATALOGUE, 1)
        name = f"/Type /Font /Subtype /CIDFontType2 /BaseFont /Unseen /CIDSystemInfo {_SYSTEM}"
        self._object(f"<< {name} /FontDescriptor {_DESCRIPTOR} 0 R /DW {round(1000 * ADVANCE)} >>".encode(), _FONT)
        self._object(f"<< /Type /FontDescriptor /FontName /Unseen {_METRICS} >>".encode(), _DESCRIPTOR)

    def add(self, picture: Picture, lines: Sequence[TextLine]) -> None:
        """Add a page: a picture as large as its file says it is on paper, and the words of *lines* over it, unseen.

        Args:
            picture: The image.
            lines: In reading order, which is the order of the text in the file; pixels of the upright image.
        """
        across, down = picture.points
        sides = (across, down) * 3
        matrix = " ".join(f"{part * side:.3f}" for part, side in zip(UPRIGHT[picture.orientation], sides, strict=True))
        image = self._object(_stream(picture.data, picture.entries))
        shown = f"q {matrix} cm /Image Do Q"
        text = PageText(lines, picture.upright_size)
        self._page(text, picture.points, shown, f"/XObject << /Image {image} 0 R >>")

    def add_text(self, text: PageText, points: tuple[float, float]) -> None:
        """Add a page of text alone; arguments as for :func:`text_pdf`."""
        self._page(text, points, "", "")

    def close(self) -> None:
        """Write what stands at the end of the file."""
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._object(f"<< /Type /Pages /Kids [{kids}] /Count {len(self._pages)} >>".encode(), _PAGES)
        info = self._object(f"<< /Producer (ppocr_lite {__version__}) >>".encode())
        start, count = self._at, self._next
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        self._write(b"".join(b"%010d 00000 n \n" % self._places[number] for number in range(1, count)))
        end = b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        self._write(end % (count, info, start))

    def _page(self, page: PageText, points: tuple[float, float], shown: str, resources: str) -> None:
        words = [word for line in page.lines if line.text.strip() for word in line.placed_words()]
        characters = sorted({character for word in words for character in word.text})
        codes = {character: code for code, character in enumerate(characters, 1)}
        content = [shown, "BT", f"{_UNSEEN} Tr", "/Font 1 Tf"]
        for word in words:
            content += _show(word, codes, page.size, points)
        content.append("ET")
        text = self._object(_packed("\n".join(content).encode()))
        to_unicode = self._object(_packed(_to_unicode(codes).encode()))
        name = "/Type /Font /Subtype /Type0 /BaseFont /Unseen /Encoding /Identity-H"
        font = self._object(f"<< {name} /DescendantFonts [{_FONT} 0 R] /ToUnicode {to_unicode} 0 R >>".encode())
        box = f"[0 0 {points[0]:.3f} {points[1]:.3f}]"
        used = f"<< {resources} /Font << /Font {font} 0 R >> >>"
        leaf = f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox {box} /Resources {used} /Contents {text} 0 R >>"
        self._pages.append(self._object(leaf.encode()))

    def _object(self, body: bytes, number: int | None = None) -> int:
        """Write an object and return its number, the next free one if none is given."""
        if number is None:
            number, self._next = self._next, self._next + 1
        self._places[number] = self._at
        self._write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        return number

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._at += len(data)


def _show(word: Word, codes: Mapping[str, int], size: tuple[int, int], points: tuple[float, float]) -> list[str]:
    """Return what writes a word into its place; PDF counts upwards from the bottom of the page."""
    flipped = np.array([[1, -1]]) * np.array(word.polygon) + [[0, size[0]]]
    left_top, right_top, right_bottom, left_bottom = flipped * [points[0] / size[1], points[1] / size[0]]
    along = (right_bottom - left_bottom) / (len(word.text) * ADVANCE)  # what one unit of width is on the page
    up = left_top - left_bottom
    matrix = " ".join(f"{value:.3f}" for value in (*along, *up, *left_bottom))
    return [f"{matrix} Tm", f"<{''.join(f'{codes[character]:04X}' for character in word.text)}> Tj"]


def _to_unicode(codes: Mapping[str, int]) -> str:
    """Return the CMap from codes to characters."""
    entries = [f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>" for character, code in codes.items()]
    blocks = [entries[start : start + BLOCK] for start in range(0, len(entries), BLOCK)]
    body = [line for block in blocks for line in (f"{len(block)} beginbfchar", *block, "endbfchar")]
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <0000> <FFFF> endcodespacerange",
            *body,
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        ]
    )


def _stream(data: bytes, entries: Mapping[str, object]) -> bytes:
    listed = " ".join(f"/{key} {value}" for key, value in {**entries, "Length": len(data)}.items())
    return b"<< %s >>\nstream\n%s\nendstream" % (listed.encode(), data)


def _packed(data: bytes) -> bytes:
    return _stream(zlib.compress(data), {"Filter": "/FlateDecode"})
