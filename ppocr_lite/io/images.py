"""Any image input → BGR uint8 (H, W, 3), as a reader would see it; and back to a file.

EXIF orientation is applied, transparency is laid over white, or over black where only that shows what is drawn, 16-bit
values are scaled to 8 bits, of an animation or a multi-page file the first frame is taken, of a TIFF with a warning.
Ordinary 8-bit JPEG and PNG are decoded by OpenCV, the rest by Pillow;
which formats there are, and how large an image may be, stands in :mod:`ppocr_lite.io.formats`.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
from numpy.typing import NDArray

from ppocr_lite import files
from ppocr_lite.errors import ImageError, suggest
from ppocr_lite.io import formats
from ppocr_lite.io.formats import MAX_PIXELS

ImageInput: TypeAlias = str | Path | bytes | bytearray | memoryview | BinaryIO | PIL.Image.Image | NDArray[Any]
Image: TypeAlias = NDArray[np.uint8]

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")  # what write() knows
_PNG_START = b"\x89PNG\r\n\x1a\n"
_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_SCALE_16 = 257  # 65535 / 255
_ORIENTATION = 0x0112  # the tag of EXIF
_BAND = 1_000_000  # pixels that are converted at once, where a conversion takes more room than its result


def read(source: ImageInput, name: str | None = None, max_pixels: int = MAX_PIXELS) -> Image:
    """Return *source* as BGR pixels.

    Args:
        source: Path, encoded bytes, open binary file, Pillow image, or array: uint8 or uint16, gray (H, W) or
            (H, W, 1), BGR (H, W, 3) or BGRA (H, W, 4).
        name: What to call the input in messages; by default its path, or a description.
        max_pixels: Most pixels that a file may declare; arrays are as large as they are.

    Returns:
        uint8 (H, W, 3), C-contiguous. For such an array as input this is the array itself, not a copy.

    Raises:
        ImageError: If there is no such file, or it is empty, truncated, too large or not an image, or an array has
            another dtype or shape. Names the input.
        TypeError: If *source* is none of the types above.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, name or f"array {source.shape} {source.dtype}")
    if isinstance(source, PIL.Image.Image):
        return from_pil(source, name or f"Pillow image {source.mode} {source.size}", max_pixels)
    if isinstance(source, bytes | bytearray | memoryview):
        return decode(bytes(source), name or f"{len(source)} bytes", max_pixels)
    if isinstance(source, str | os.PathLike):
        return decode(read_file(Path(source), max_pixels), name or str(source), max_pixels)
    if hasattr(source, "read"):
        data = source.read()
        name = name or str(getattr(source, "name", "file object"))
        if not isinstance(data, bytes):
            raise ImageError(f"{name}: the file must be open in binary mode. It gave {type(data).__name__}.")
        if not data:
            raise ImageError(f"{name}: nothing is left to read. If it was read before, set it back with seek(0).")
        return decode(data, name, max_pixels)
    raise TypeError(f"An image is a path, bytes, a binary file, a Pillow image or an array. Received: {type(source)}")


# What is drawn on transparency is light if all but a few of its opaque pixels are as bright as this.
_OPAQUE, _LIGHT, _SPECKS = 128, 160, 0.005


def decode(data: bytes, name: str = "image", max_pixels: int = MAX_PIXELS) -> Image:
    """Return the BGR pixels, uint8 (H, W, 3), of an encoded image.

    Raises:
        ImageError: If *data* is empty, truncated, not an image, or declares more than *max_pixels* pixels; starts with
            *name*.
    """
    with formats.open_bytes(data, name, max_pixels) as picture:
        if is_plain(data):
            try:
                image: Image | None = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
            except cv2.error as error:
                raise ImageError(f"{name}: cannot be decoded: {error}") from error
            if image is not None:
                return image
        pages = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
        if pages > 1:
            text = f"{name}: only the first of {pages} pages is read. Read all with OCR.stream() or ppocr-lite ocr."
            warnings.warn(text, UserWarning, stacklevel=2)
        return from_pil(picture, name, max_pixels)


def from_pil(picture: PIL.Image.Image, name: str = "Pillow image", max_pixels: int = MAX_PIXELS) -> Image:
    """Return the current frame of a Pillow image as BGR pixels, uint8 (H, W, 3).

    Raises:
        ImageError: If its data is truncated, empty, or floating point, or it has more than *max_pixels* pixels.
    """
    formats.check_pixels(picture.size, name, max_pixels)
    try:
        picture.load()
        turned = picture.getexif().get(_ORIENTATION, 1) != 1
        return _to_bgr(PIL.ImageOps.exif_transpose(picture) if turned else picture, name)
    except ImageError:
        raise
    except formats.DECODE_ERRORS as error:
        raise formats.undecodable(name, error) from error


def read_file(path: Path, max_pixels: int = MAX_PIXELS) -> bytes:
    """Return what a file holds.

    Args:
        path: A file or a pipe.
        max_pixels: Bounds the file, too: not much more than so many pixels of 8 bytes each are read.

    Raises:
        ImageError: If there is no such file, it cannot be read, it is too large, or it is a device.
    """
    most = formats.BYTES_A_PIXEL * max_pixels + formats.BYTES_BESIDE
    with open_file(path) as file:
        try:
            known = os.fstat(file.fileno()).st_size <= most
            data = file.read() if known and not _is_pipe(file) else file.read(most + 1)
        except OSError as error:
            raise ImageError(f"{path}: cannot be read: {error.strerror}.") from error
    if len(data) > most:
        raise ImageError(f"{path}: more than {most:,} bytes, which no image of max_pixels ({max_pixels:,}) needs.")
    return data


def open_file(path: Path) -> BinaryIO:
    """Return a file or a pipe, open for reading.

    Raises:
        ImageError: If there is no such file, it cannot be opened, or it is a device.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise ImageError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror}.") from error
    except ValueError as error:  # a NUL in the path
        raise ImageError(f"{str(path)!r}: cannot be a path: {error}.") from error
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode) or _is_pipe(file):
        return file
    file.close()
    raise ImageError(f"{path}: a device, not a file.")


def _is_pipe(file: BinaryIO) -> bool:
    return stat.S_ISFIFO(os.fstat(file.fileno()).st_mode)


def encode(image: NDArray[np.uint8], suffix: str, name: str = "image") -> bytes:
    """Return *image*, uint8 gray, BGR or BGRA, in the format that *suffix* names; *name* is used in messages.

    Raises:
        ImageError: If the suffix is unknown, the array is not an image, or the format cannot hold it.
    """
    if suffix.lower() not in SUFFIXES:
        raise ImageError(f"{name}: no image format has that suffix.{suggest(suffix.lower(), SUFFIXES)}")
    _check_array(image, name)
    try:
        done, data = cv2.imencode(suffix.lower(), image)
    except cv2.error as error:
        raise ImageError(f"{name}: cannot be encoded: {error}") from error
    if not done:
        raise ImageError(f"{name}: cannot be encoded as {suffix}.")
    return bytes(data.tobytes())


def write(path: str | Path, image: NDArray[np.uint8]) -> None:
    """Write *image*, uint8 gray, BGR or BGRA, in the format that the suffix of *path* names.

    Raises:
        ImageError: If the suffix is unknown, the array is not an image, or the file cannot be written.
    """
    path = Path(path)
    data = encode(image, path.suffix, str(path))
    try:
        files.write_bytes(path, data)  # not cv2.imwrite, which fails in silence and on some non-ASCII paths
    except OSError as error:
        raise ImageError(f"{path}: cannot be written: {error.strerror}.") from error


def is_plain(data: bytes) -> bool:
    """Say whether OpenCV decodes *data* as Pillow would, and in silence: whole, 8-bit, 1 or 3 channels, no alpha.

    Of a colour profile, which neither applies, OpenCV's libpng may print a warning.
    """
    if data.startswith(_JPEG_START):
        return data.rstrip(b"\x00\r\n").endswith(_JPEG_END) and _jpeg_channels(data) in (1, 3)
    if data.startswith(_PNG_START) and len(data) > 33:
        depth, colour = data[24], data[25]
        before_pixels = data[: data.find(b"IDAT")]
        special = any(chunk in before_pixels for chunk in (b"tRNS", b"eXIf", b"acTL", b"iCCP"))
        return depth == 8 and colour in (0, 2) and not special and b"IEND" in data[-16:] and b"eXIf" not in data
    return False


def _jpeg_channels(data: bytes) -> int:
    """Return the number of components that the frame header of a JPEG declares; 0 if there is none."""
    position = 2
    while position + 10 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return data[position + 9] if data[position + 4] == 8 else 0
        if marker == 0xDA:
            return 0
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return 0


def _to_bgr(picture: PIL.Image.Image, name: str) -> Image:
    if picture.mode == "F":
        raise ImageError(f"{name}: floating-point images are not supported. Convert it to 8 or 16 bits.")
    width, height = picture.size
    if width * height == 0:
        raise ImageError(f"{name}: the image has no pixels.")
    image: Image = np.empty((height, width, 3), np.uint8)
    for top, bottom in _bands(height, width):
        whole = bottom - top == height
        image[top:bottom] = _to_rgb(picture if whole else picture.crop((0, top, width, bottom)))[:, :, ::-1]
    return image


def _bands(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Yield the first row, and the row after the last, of bands of an image, from the top."""
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        yield top, min(top + rows, height)


def _to_rgb(picture: PIL.Image.Image) -> NDArray[np.uint8]:
    if picture.mode.startswith("I"):  # 16 bits, in 16 or 32
        wide = np.asarray(picture).astype(np.int64)
        gray = (np.clip(wide, 0, 65535) // _SCALE_16).astype(np.uint8)
        return np.repeat(gray[:, :, None], 3, axis=2)
    if picture.has_transparency_data:
        return _over_ground(np.asarray(picture.convert("RGBA")))
    return np.asarray(picture.convert("RGB"))


def _over_ground(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay (H, W, 4) with alpha last over white, or over black where only that shows what is drawn; (H, W, 3)."""
    ground = 0 if _is_light(pixels) else 255
    laid = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top, bottom in _bands(*pixels.shape[:2]):
        colour = pixels[top:bottom, :, :3].astype(np.uint16)
        alpha = pixels[top:bottom, :, 3:].astype(np.uint16)
        laid[top:bottom] = (colour * alpha + ground * (255 - alpha) + 127) // 255
    return laid


def _is_light(pixels: NDArray[np.uint8]) -> bool:
    """Say whether all that is drawn on a transparent ground, (H, W, 4), would vanish on white."""
    drawn = dark = 0
    for top, bottom in _bands(*pixels.shape[:2]):
        colour, opaque = pixels[top:bottom, :, :3], pixels[top:bottom, :, 3] >= _OPAQUE
        gray = (colour[:, :, 0].astype(np.uint16) + 2 * colour[:, :, 1].astype(np.uint16) + colour[:, :, 2]) // 4
        drawn += int(np.count_nonzero(opaque))
        dark += int(np.count_nonzero(opaque & (gray < _LIGHT)))
    return drawn < pixels.shape[0] * pixels.shape[1] and dark <= _SPECKS * drawn and drawn > 0


def _from_array(array: NDArray[Any], name: str) -> Image:
    if array.dtype == np.uint16:
        array = (array // _SCALE_16).astype(np.uint8)
    _check_array(array, name)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.shape[2] == 1:
        return np.repeat(array, 3, axis=2)
    if array.shape[2] == 4:
        return _over_ground(array)
    return np.ascontiguousarray(array)


def _check_array(array: NDArray[Any], name: str) -> None:
    if array.dtype != np.uint8:
        hint = "Scale it to 0..255 and convert it with astype('uint8')."
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            hint = "It also holds NaN or infinity. " + hint
        raise ImageError(f"{name}: an array must be uint8. Received: {array.dtype}. {hint}")
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4):
        hint = " Move the channels to the end." if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
        raise ImageError(
            f"{name}: an array must be gray (H, W), BGR (H, W, 3) or BGRA (H, W, 4). Received: {array.shape}.{hint}"
        )
    if array.size == 0:
        raise ImageError(f"{name}: the image has no pixels. Received: {array.shape}.")
