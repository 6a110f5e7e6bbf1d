"""What is read is known before any decoder runs: the format, and how many pixels there will be."""

from __future__ import annotations

import io
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import PIL.features
import PIL.Image
import pytest

from ppocr_lite.errors import ImageError
from ppocr_lite.io import formats, images, pages
from ppocr_lite.io.pages import read_pages

RAMP = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[:, None, None], (1, 80, 3))


def encoded(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(RAMP).save(buffer, kind, **options)
    return buffer.getvalue()


def png_that_declares(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def jpeg_that_declares(width: int, height: int) -> bytes:
    data = bytearray(encoded("JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_that_declares(width: int, height: int, kind: bytes) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    bits = (width - 1) | (height - 1) << 14
    body = {
        b"VP8X": b"\x02\0\0\0" + sides,
        b"VP8L": b"\x2f" + struct.pack("<I", bits) + bytes(5),
        b"VP8 ": b"\x30\x01\x00\x9d\x01\x2a" + struct.pack("<HH", width, height),
    }[kind]
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def bmp_that_declares(width: int, height: int) -> bytes:
    data = bytearray(encoded("BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def gif_that_declares(width: int, height: int) -> bytes:
    data = bytearray(encoded("GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


BOMBS = {
    "png": png_that_declares(30_000, 40_000),
    "jpg": jpeg_that_declares(60_000, 60_000),
    "webp": webp_that_declares(16_384, 16_384, b"VP8X"),
    "lossless.webp": webp_that_declares(16_384, 16_384, b"VP8L"),
    "lossy.webp": webp_that_declares(16_383, 16_383, b"VP8 "),
    "bmp": bmp_that_declares(20_000, 20_000),
    "gif": gif_that_declares(60_000, 60_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_image_that_declares_too_many_pixels_is_refused_before_it_is_decoded(name: str) -> None:
    tracemalloc.start()
    with pytest.raises(ImageError, match=rf"bomb\.{name}: \d+ x \d+ pixels are more than max_pixels allows"):
        images.read(BOMBS[name], name=f"bomb.{name}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF"])
def test_the_limit_is_the_number_of_pixels(kind: str) -> None:
    data = encoded(kind)
    assert images.read(data, max_pixels=60 * 80).shape == (60, 80, 3)
    with pytest.raises(ImageError, match="80 x 60 pixels are more than max_pixels allows"):
        images.read(data, max_pixels=60 * 80 - 1)


def test_a_pillow_image_is_held_to_the_limit() -> None:
    with pytest.raises(ImageError, match="max_pixels"):
        images.read(PIL.Image.new("L", (100, 100)), max_pixels=9_999)


def test_a_jpeg_that_is_gone_over_too_often_is_refused() -> None:
    data = encoded("JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    often = data[:scan] + data[scan:-2] * 200 + data[-2:]
    assert images.read(data, max_pixels=60 * 80).shape == (60, 80, 3)
    with pytest.raises(ImageError, match="a JPEG of 2[0-9][0-9] scans over 4,800 pixels .* max_pixels"):
        images.read(often, max_pixels=60 * 80)


@pytest.mark.parametrize("kind", ["EPS", "TGA", "PCX", "ICNS", "PPM", "ICO", "JPEG2000"])
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_a_format_that_is_not_in_the_list_is_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(encoded(kind))
    monkeypatch.setitem(PIL.Image.OPEN, kind, (pytest.fail, lambda start: True))
    with pytest.raises(ImageError, match=rf"a\.{suffix}: not an image file, or of an unknown format.*Give a JPEG, PNG"):
        list(read_pages(path))


def test_every_suffix_of_the_list_is_looked_for_in_folders() -> None:
    assert set(formats.SUFFIXES) | {".pdf"} == pages.SUFFIXES
    assert set(images.SUFFIXES) <= set(formats.SUFFIXES)


def test_the_list_is_documented() -> None:
    said = str(formats.__doc__)
    assert all(known.name in said and all(suffix in said for suffix in known.suffixes) for known in formats.FORMATS)


@pytest.mark.skipif(not PIL.features.check("avif"), reason="this Pillow has no AVIF decoder")
def test_avif_is_read() -> None:
    data = encoded("AVIF", quality=90)
    assert np.abs(images.read(data).astype(int) - RAMP).mean() < 3
    with pytest.raises(ImageError, match="80 x 60 pixels"):
        images.read(data, max_pixels=4_799)


def test_heic_is_read() -> None:
    heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    heif.from_pillow(PIL.Image.fromarray(RAMP)).save(buffer, quality=90)
    assert np.abs(images.read(buffer.getvalue()).astype(int) - RAMP).mean() < 3
    with pytest.raises(ImageError, match="80 x 60 pixels"):
        images.read(buffer.getvalue(), max_pixels=4_799)


def test_heic_without_its_decoder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    start = struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic"
    with pytest.raises(ImageError, match=r"photo\.heic: this format needs pillow-heif\. pip install"):
        images.read(start + bytes(40), name="photo.heic")


def test_a_device_is_not_read() -> None:
    with pytest.raises(ImageError, match="/dev/zero: a device"):
        images.read("/dev/zero")


def test_a_file_that_no_image_needs_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.png"
    path.write_bytes(encoded("PNG") + bytes(2_000))
    monkeypatch.setattr(formats, "BYTES_BESIDE", 1_000)
    assert images.read(path, max_pixels=60 * 80).shape == (60, 80, 3)
    with path.open("r+b") as file:
        file.truncate(60 * 80 * 8 + 1_001)
    with pytest.raises(ImageError, match=r"long\.png: more than 39,400 bytes, which no image of max_pixels"):
        images.read(path, max_pixels=60 * 80)


def test_transparency_takes_little_more_room_than_its_result() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2000, 2000, 4), dtype=np.uint8)
    alpha = pixels[:, :, 3:].astype(int)
    expected = (pixels[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
    tracemalloc.start()
    laid = images.read(pixels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(laid, expected)
    assert peak < 9 * 2000 * 2000


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "I;16", "L", "CMYK", "1"])
def test_bands_meet(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    picture = PIL.Image.fromarray(cv2.resize(RAMP, (90, 70))).convert("L" if mode == "I;16" else "RGB").convert(mode)
    whole = images.read(picture)
    monkeypatch.setattr(images, "_BAND", 1_000)
    assert np.array_equal(images.read(picture), whole)
