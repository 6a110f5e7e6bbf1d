"""The image formats that are read, and how large an image may be: both are known before any decoder runs.

==========  =======================  ==========================
format      suffixes                 decoder
==========  =======================  ==========================
JPEG        ``.jpg .jpeg``           OpenCV or Pillow
PNG         ``.png``                 OpenCV or Pillow
TIFF        ``.tif .tiff``           Pillow; frames are pages
BMP         ``.bmp``                 Pillow
WebP        ``.webp``                Pillow
GIF         ``.gif``                 Pillow; frames are pages
AVIF        ``.avif``                Pillow, if it was built so
HEIC        ``.heic .heif``          the package pillow-heif
==========  =======================  ==========================

A file is what its first bytes say, whatever it is called. Nothing else that Pillow knows is tried: some of its formats
start other programs, as EPS does.
"""

from __future__ import annotations

import importlib
import io
import struct
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import PIL.Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ppocr_lite.errors import ImageError
from ppocr_lite.install import install_command

MAX_PIXELS = 100_000_000  # of one image or page: A0 at 240 dots an inch
BYTES_A_PIXEL = 8  # of a file without compression, with 16 bits in each of four channels
BYTES_BESIDE = 2**26  # and what it may hold beside them
_LOOK = 64  # first bytes that tell a format
_SCANS = 20  # times that a progressive JPEG of max_pixels may be gone over; cameras and programs use about ten
# What decoders raise on damaged files; there is no common base class.
DECODE_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, OverflowError, MemoryError,
    RuntimeError, struct.error, PIL.Image.DecompressionBombError,
)  # fmt: skip


class Format(NamedTuple):
    """An image format.

    Attributes:
        name: What people call it.
        suffixes: What its files end with.
        begins: Says whether a file with these first bytes is one.
        decoder: Takes an open file, reads its header and returns an image that decodes when it is loaded.
    """

    name: str
    suffixes: tuple[str, ...]
    begins: Callable[[bytes], bool]
    decoder: Callable[[BinaryIO], ImageFile]


def open_image(file: BinaryIO, name: str, max_pixels: int = MAX_PIXELS) -> ImageFile:
    """Return the image of an open file, its header read and its pixels not.

    Args:
        file: At its beginning; seekable. It must stay open until the pixels are loaded.
        name: What to call it in messages.
        max_pixels: Most pixels it may declare.

    Raises:
        ImageError: If it is of no format above, its header is damaged, its decoder is not installed, or it declares
            more pixels than allowed.
    """
    start = file.read(_LOOK)
    file.seek(0)
    if not start:
        raise ImageError(f"{name}: the file is empty (0 bytes). Write or copy it again.")
    if start.startswith(b"%PDF-"):
        raise ImageError(f"{name}: a PDF, which has pages. Read it with OCR.stream() or ppocr-lite ocr.")
    found = next((known for known in FORMATS if known.begins(start)), None)
    if found is None:
        raise ImageError(
            f"{name}: not an image file, or of an unknown format. Its first bytes are {start[:16]!r}. "
            f"Give a {', '.join(known.name for known in FORMATS[:-1])} or {FORMATS[-1].name} file."
        )
    if found.name == "WebP":  # whose decoder makes room for the pixels before it says how many there are
        check_pixels(_webp_size(start), name, max_pixels)
    try:
        picture = found.decoder(file)
    except ImageError as error:  # the decoder is not installed
        raise ImageError(f"{name}: {error}") from error
    except DECODE_ERRORS as error:
        raise undecodable(name, error) from error
    check_pixels(picture.size, name, max_pixels)
    return picture


def open_bytes(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> ImageFile:
    """Return the image of an encoded file; arguments and errors as for :func:`open_image`."""
    picture = open_image(io.BytesIO(data), name, max_pixels)
    if isinstance(picture, JpegImageFile):
        scans, pixels = data.count(b"\xff\xda"), picture.size[0] * picture.size[1]
        if scans * pixels > _SCANS * max_pixels:
            raise ImageError(
                f"{name}: a JPEG of {scans} scans over {pixels:,} pixels takes longer to decode than max_pixels allows "
                f"({max_pixels:,}). Write it again as a plain JPEG."
            )
    return picture


def check_pixels(size: tuple[int, int], name: str, max_pixels: int) -> None:
    """Refuse an image that declares too many pixels.

    Args:
        size: (width, height).
        name: What to call it in messages.
        max_pixels: Most pixels it may have.

    Raises:
        ImageError: If it has more.
    """
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: {width} x {height} pixels are more than max_pixels allows ({max_pixels:,}). Scale it down, or "
            "allow more: OCR(max_pixels=...), --max-pixels."
        )


def undecodable(name: str, error: BaseException) -> ImageError:
    """Return what to raise when a decoder failed on an image with one of :data:`DECODE_ERRORS`."""
    if isinstance(error, PIL.Image.DecompressionBombError):  # Pillow has a limit of its own for parts of an image
        return ImageError(f"{name}: too many pixels for Pillow: {error} Scale it down.")
    if isinstance(error, MemoryError):
        return ImageError(f"{name}: there is not enough memory to decode it. Scale it down, or lower max_pixels.")
    return ImageError(f"{name}: the image is truncated or damaged: {str(error)[:200]}. Write or copy it again.")


def _webp_size(start: bytes) -> tuple[int, int]:
    """Return (width, height) that the first bytes of a WebP file declare, (0, 0) if they do not.

    Source:
        RFC 9649, sections 2.5 to 2.7.
    """
    kind, body = start[12:16], start[20:30]
    if len(body) < 10:
        return 0, 0
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", body[6:10])
    return width & 0x3FFF, height & 0x3FFF


def _brands(start: bytes) -> frozenset[bytes]:
    """Return what the first box of an ISO media file says it is compatible with; nothing of another file."""
    if start[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(start[:4], "big"), len(start))
    return frozenset(start[place : place + 4] for place in (8, *range(16, end - 3, 4)))


def _is_avif(start: bytes) -> bool:
    return bool(_brands(start) & {b"avif", b"avis"})


def _is_heic(start: bytes) -> bool:
    return bool(_brands(start) & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def _optional(module: str, kind: str, package: str) -> Callable[[BinaryIO], ImageFile]:
    """Return a decoder of Pillow, or of a package beside it, that is imported when it is needed."""

    def decode(file: BinaryIO) -> ImageFile:
        try:
            found: Any = getattr(importlib.import_module(module), kind)
        except ModuleNotFoundError as error:
            raise ImageError(f"this format needs {package}. {install_command(package)}") from error
        return found(file)

    return decode


FORMATS = (
    Format("JPEG", (".jpg", ".jpeg"), lambda start: start.startswith(b"\xff\xd8\xff"), JpegImageFile),
    Format("PNG", (".png",), lambda start: start.startswith(b"\x89PNG\r\n\x1a\n"), PngImageFile),
    Format(
        "TIFF",
        (".tif", ".tiff"),
        lambda start: start.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")),
        TiffImageFile,
    ),
    Format("BMP", (".bmp",), lambda start: start.startswith(b"BM"), BmpImageFile),
    Format("WebP", (".webp",), lambda start: start[:4] == b"RIFF" and start[8:12] == b"WEBP", WebPImageFile),
    Format("GIF", (".gif",), lambda start: start.startswith((b"GIF87a", b"GIF89a")), GifImageFile),
    Format("AVIF", (".avif",), _is_avif, _optional("PIL.AvifImagePlugin", "AvifImageFile", "pillow>=11.3")),
    Format("HEIC", (".heic", ".heif"), _is_heic, _optional("pillow_heif", "HeifImageFile", "pillow-heif")),
)
SUFFIXES = tuple(sorted(suffix for known in FORMATS for suffix in known.suffixes))
