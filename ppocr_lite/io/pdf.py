"""An image as a PDF page that can be searched: its text lies over it, unseen.

The text is set in a font that is named and not there: nothing is drawn, so only the widths and the way from its codes
back to characters (``ToUnicode``) matter, and any script will do.

Source:
    ISO 32000-1:2008, sections 7.5 (file structure), 9.3 (text state), 9.7 (composite fonts), 9.10 (text extraction).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.io import images
from ppocr_lite.textline import TextLine, Word
from ppocr_lite.version import __version__

DPI = 150  # of the page, for an image does not say how large it is on paper
POINTS_PER_INCH = 72
ADVANCE = 0.5  # of every character, in units of its height; each word is stretched to its place
BLOCK = 100  # most entries of one bfchar section
_UNSEEN = 3  # text rendering mode


def searchable_pdf(image: NDArray[np.uint8], lines: Sequence[TextLine]) -> bytes:
    """Return a PDF of one page: *image* as JPEG at 150 dots an inch, and over it the words of *lines*, unseen.

    Args:
        image: BGR uint8 (H, W, 3).
        lines: In reading order, which is the order of the text in the file.
    """
    height, width = image.shape[:2]
    scale = POINTS_PER_INCH / DPI
    words = [word for line in lines if line.text.strip() for word in line.placed_words()]
    characters = sorted({character for word in words for character in word.text})
    codes = {character: code for code, character in enumerate(characters, 1)}
    content = [
        f"q {width * scale:.3f} 0 0 {height * scale:.3f} 0 0 cm /Image Do Q",
        "BT",
        f"{_UNSEEN} Tr",
        "/Font 1 Tf",
    ]
    for word in words:
        content += _show(word, codes, height, scale)
    content.append("ET")
    box = f"[0 0 {width * scale:.3f} {height * scale:.3f}]"
    resources = "<< /XObject << /Image 5 0 R >> /Font << /Font 6 0 R >> >>"
    picture = {"Type": "/XObject", "Subtype": "/Image", "Width": width, "Height": height, "BitsPerComponent": 8}
    font = "/Type /Font /Subtype /Type0 /BaseFont /Unseen /Encoding /Identity-H /DescendantFonts [7 0 R]"
    system = "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
    descendant = f"/Type /Font /Subtype /CIDFontType2 /BaseFont /Unseen /CIDSystemInfo {system} /FontDescriptor 8 0 R"
    metrics = "/Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 1000 /Descent 0 /CapHeight 1000 /StemV 80"
    return _file(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources {resources} /Contents 4 0 R >>".encode(),
        _packed("\n".join(content).encode()),
        _stream(images.encode(image, ".jpg"), picture | {"ColorSpace": "/DeviceRGB", "Filter": "/DCTDecode"}),
        f"<< {font} /ToUnicode 9 0 R >>".encode(),
        f"<< {descendant} /DW {round(1000 * ADVANCE)} >>".encode(),
        f"<< /Type /FontDescriptor /FontName /Unseen {metrics} >>".encode(),
        _packed(_to_unicode(codes).encode()),
        f"<< /Producer (ppocr_lite {__version__}) >>".encode(),
    )


def _show(word: Word, codes: Mapping[str, int], height: int, scale: float) -> list[str]:
    """Return what writes a word into its place; PDF counts upwards from the bottom of the page."""
    flipped = np.array([[1, -1]]) * np.array(word.polygon) + [[0, height]]
    left_top, right_top, right_bottom, left_bottom = flipped * scale
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


def _file(*objects: bytes) -> bytes:
    """Return a file of *objects*, numbered from 1: the catalogue first, the document's information last."""
    data = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, count = len(data), len(objects) + 1
    data += b"xref\n0 %d\n0000000000 65535 f \n" % count
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(objects), start)
    return bytes(data)
