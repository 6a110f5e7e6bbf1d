"""An image as a PDF page holds it: its own bytes where that can be, else without a loss where the file had none.

A JPEG is taken as it is, whichever way up it is stored; black and white becomes Group 4 fax, as scanners write it;
other files that lose nothing become the rows of a PNG. The rest, and what has no file, becomes a JPEG.

Source:
    ISO 32000-1:2008, sections 7.4 (filters) and 8.9 (images); TIFF 6.0, tag 274 (orientation).
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import PIL.features
import PIL.Image
import PIL.ImageOps

from ppocr_lite.errors import ImageError
from ppocr_lite.io import formats, images
from ppocr_lite.io.formats import MAX_PIXELS
from ppocr_lite.io.images import Image

DPI = 150.0  # of what does not say how large it is on paper
LEAST_DPI, MOST_DPI = 10.0, 10_000.0  # what is beyond was not meant
LARGEST = 14_400  # points of a side that PDF readers show (ISO 32000-1, annex C)
POINTS_PER_INCH = 72
LOSSY = ("JPEG", "WEBP", "AVIF", "HEIF")
_ORIENTATION = 274  # tag of EXIF and TIFF
# Orientation → where the unit square of the stored image comes to lie when it stands upright: a, b, c, d, e, f of a PDF
# matrix.
UPRIGHT = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}


class Picture(NamedTuple):
    """An image as a PDF holds it.

    Attributes:
        data: Encoded pixels.
        entries: What the PDF says of them: size, colours, filter.
        size: (height, width) of the image as it is stored, pixels.
        dpi: Dots an inch, across and down, as it is stored.
        orientation: How it is stored, 1 to 8, as EXIF counts.
    """

    data: bytes
    entries: Mapping[str, object]
    size: tuple[int, int]
    dpi: tuple[float, float] = (DPI, DPI)
    orientation: int = 1

    @property
    def upright_size(self) -> tuple[int, int]:
        """(height, width) of the image as it is seen."""
        return self.size if self.orientation < 5 else (self.size[1], self.size[0])

    @property
    def points(self) -> tuple[float, float]:
        """Width and height of the page, upright, in points."""
        height, width = self.size
        sides = (width * POINTS_PER_INCH / self.dpi[0], height * POINTS_PER_INCH / self.dpi[1])
        if max(sides) > LARGEST:
            shrink = LARGEST / max(sides)
            sides = sides[0] * shrink, sides[1] * shrink
        return sides if self.orientation < 5 else (sides[1], sides[0])


def picture_of_pixels(image: Image) -> Picture:
    """Return a BGR image (H, W, 3) without a file as a JPEG."""
    return Picture(images.encode(image, ".jpg"), _entries(image.shape[:2], "RGB", "/DCTDecode"), image.shape[:2])


def picture_of_file(data: bytes, frame: int = 0, name: str = "image", max_pixels: int = MAX_PIXELS) -> Picture:
    """Return an encoded image as a PDF holds it.

    Args:
        data: The file.
        frame: Which of several, counted from 0.
        name: What to call it in messages.
        max_pixels: Most pixels it may declare.

    Raises:
        ImageError: If it is not an image, damaged, or too large.
    """
    with formats.open_bytes(data, name, max_pixels) as opened:
        try:
            opened.seek(frame)
            return _picture(opened, data, name)
        except ImageError:
            raise
        except formats.DECODE_ERRORS as error:
            raise formats.undecodable(name, error) from error


def picture_of_pil(picture: PIL.Image.Image, name: str = "Pillow image") -> Picture:
    """Return a Pillow image as a PDF holds it; errors as for :func:`picture_of_file`."""
    try:
        return _picture(picture, b"", name)
    except ImageError:
        raise
    except formats.DECODE_ERRORS as error:
        raise formats.undecodable(name, error) from error


def _picture(picture: PIL.Image.Image, data: bytes, name: str) -> Picture:
    dpi = _dpi(picture)
    orientation = picture.getexif().get(_ORIENTATION, 1)
    orientation = orientation if orientation in UPRIGHT else 1
    size = picture.height, picture.width
    if picture.format == "JPEG" and picture.mode in ("L", "RGB") and images.is_plain(data):
        return Picture(data, _entries(size, picture.mode, "/DCTDecode"), size, dpi, orientation)
    if orientation > 4:
        dpi = dpi[1], dpi[0]
    upright = PIL.ImageOps.exif_transpose(picture)
    if picture.mode == "1" and PIL.features.check("libtiff"):
        return _fax(upright)._replace(dpi=dpi)
    lossy = picture.format in LOSSY or str(picture.info.get("compression")).endswith("jpeg")
    pixels = images.from_pil(upright, name)
    if lossy:
        return picture_of_pixels(pixels)._replace(dpi=dpi)
    is_gray = upright.mode in ("1", "L") or upright.mode.startswith("I")
    return _rows(np.ascontiguousarray(pixels[:, :, 0] if is_gray else pixels[:, :, ::-1]))._replace(dpi=dpi)


def _dpi(picture: PIL.Image.Image) -> tuple[float, float]:
    """Return how many dots an inch a file says it has, across and down."""
    said: Any = picture.info.get("dpi")
    try:
        across, down = (float(number) for number in said)
    except (TypeError, ValueError, ZeroDivisionError):
        return DPI, DPI
    good = all(math.isfinite(number) and LEAST_DPI <= number <= MOST_DPI for number in (across, down))
    return (across, down) if good else (DPI, DPI)


def _fax(picture: PIL.Image.Image) -> Picture:
    """Return a black and white image, compressed as Group 4 fax in one strip."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.asarray(picture)).save(buffer, "TIFF", compression="group4", tiffinfo={278: picture.height})
    with PIL.Image.open(buffer) as written:
        tags: Any = written.tag_v2  # type: ignore[attr-defined]
        (start,), (length,), ink_is_zero = tags[273], tags[279], tags[262] == 1
    size = picture.height, picture.width
    parameters = f"<< /K -1 /Columns {size[1]} /Rows {size[0]} /BlackIs1 {str(ink_is_zero).lower()} >>"
    entries = _entries(size, "L", "/CCITTFaxDecode", 1) | {"DecodeParms": parameters}
    return Picture(buffer.getvalue()[start : start + length], entries, size)


def _rows(pixels: Image) -> Picture:
    """Return a gray (H, W) or RGB (H, W, 3) image, its rows filtered and packed as in a PNG."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    size, colours = (pixels.shape[0], pixels.shape[1]), 1 if pixels.ndim == 2 else 3
    parameters = f"<< /Predictor 15 /Colors {colours} /BitsPerComponent 8 /Columns {size[1]} >>"
    entries = _entries(size, "L" if colours == 1 else "RGB", "/FlateDecode") | {"DecodeParms": parameters}
    return Picture(_png_rows(buffer.getvalue()), entries, size)


def _png_rows(png: bytes) -> bytes:
    """Return the packed rows of a PNG that is not interlaced."""
    rows, place = [], 8
    while place < len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        if kind == b"IDAT":
            rows.append(png[place + 8 : place + 8 + length])
        place += length + 12
    return b"".join(rows)


def _entries(size: tuple[int, int], mode: str, packed: str, bits: int = 8) -> dict[str, object]:
    kind = {"Type": "/XObject", "Subtype": "/Image", "Height": size[0], "Width": size[1]}
    colours = "/DeviceGray" if mode == "L" else "/DeviceRGB"
    return {**kind, "BitsPerComponent": bits, "ColorSpace": colours, "Filter": packed}
