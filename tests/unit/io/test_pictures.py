"""Pictures in a PDF: the same pixels, the file's own bytes where they can be kept, and its size on paper."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest

from ppocr_lite.errors import ImageError
from ppocr_lite.io import images
from ppocr_lite.io.pdf import searchable_pdf
from ppocr_lite.io.pictures import Picture, picture_of_file, picture_of_pil, picture_of_pixels

pdfium = pytest.importorskip("pypdfium2", reason="the extra pdf is not installed")

SIZE = (60, 90)  # width and height


def photo(mode: str) -> PIL.Image.Image:
    """A picture that looks different every way up, with no edges that a JPEG would blur."""
    x, y = np.meshgrid(np.linspace(0, 1, SIZE[0]), np.linspace(0, 1, SIZE[1]))
    pixels = np.stack([255 * x, 255 * y, 128 * (x + y)], axis=2).astype(np.uint8)
    picture = PIL.Image.fromarray(pixels).convert("RGB" if mode == "RGB" else "L")
    return picture.point(lambda value: 255 * (value > 128)).convert("1") if mode == "1" else picture.convert(mode)


def encoded(picture: PIL.Image.Image, suffix: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, suffix, **options)
    return buffer.getvalue()


def shown(picture: Picture) -> np.ndarray:
    """The page as PDFium draws it, a pixel a pixel, BGR."""
    page = pdfium.PdfDocument(searchable_pdf(picture._replace(dpi=(72, 72)), []))[0]
    return np.asarray(page.render(scale=1).to_numpy())[:, :, :3]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("suffix", ["PNG", "TIFF"])
def test_what_loses_nothing_is_shown_to_the_pixel(mode: str, suffix: str) -> None:
    data = encoded(photo("L").convert("I;16") if mode == "I;16" else photo(mode), suffix)
    np.testing.assert_array_equal(shown(picture_of_file(data)), images.decode(data))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_stays_the_file_it_is(mode: str) -> None:
    data = encoded(photo(mode), "JPEG")
    picture = picture_of_file(data)
    assert picture.data == data
    assert np.abs(shown(picture).astype(int) - images.decode(data)).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["JPEG", "TIFF"])
def test_a_picture_stands_upright_however_it_is_stored(orientation: int, suffix: str) -> None:
    exif = PIL.Image.Exif()
    exif[274] = orientation
    data = encoded(photo("RGB"), suffix, exif=exif, dpi=(100, 200))
    picture = picture_of_file(data)
    expected = images.decode(data)
    assert picture.upright_size == expected.shape[:2]
    width, height = picture.points
    assert sorted((width, height)) == pytest.approx([90 * 72 / 200, 60 * 72 / 100])
    assert (height > width) == (orientation > 4)
    assert np.abs(shown(picture).astype(int) - expected).mean() <= 3


@pytest.mark.parametrize("mode", ["CMYK", "RGB"])
def test_what_a_pdf_cannot_hold_becomes_a_jpeg(mode: str) -> None:
    data = encoded(photo("RGB").convert(mode), "JPEG" if mode == "CMYK" else "WEBP")
    picture = picture_of_file(data)
    assert picture.entries["Filter"] == "/DCTDecode"
    assert picture.data != data
    assert np.abs(shown(picture).astype(int) - images.decode(data)).mean() <= 3


def test_black_and_white_stays_small() -> None:
    rng = np.random.default_rng(0)
    page = np.full((1600, 1200), 255, np.uint8)
    for y in range(100, 1500, 40):
        for x in range(100, 1100, 20):
            page[y : y + int(rng.integers(8, 20)), x : x + int(rng.integers(4, 14))] = 0
    data = encoded(PIL.Image.fromarray(page).convert("1"), "TIFF", compression="group4")
    assert len(picture_of_file(data).data) <= len(data)


def test_each_frame_is_a_picture() -> None:
    gray = [PIL.Image.new("L", (20, 10), value) for value in (10, 200)]
    data = encoded(gray[0], "TIFF", save_all=True, append_images=gray[1:])
    assert shown(picture_of_file(data, 1))[0, 0].tolist() == [200, 200, 200]


@pytest.mark.parametrize("suffix", ["PNG", "JPEG", "TIFF"])
def test_the_page_is_as_large_as_the_file_says(suffix: str) -> None:
    data = encoded(photo("L"), suffix, dpi=(300, 300))
    assert picture_of_file(data).points == pytest.approx((60 * 72 / 300, 90 * 72 / 300), rel=1e-3)


@pytest.mark.parametrize("dpi", [None, (1, 1), (0, 0), (300, 1e9)])
def test_without_a_size_that_can_be_meant_it_is_150_dots_an_inch(dpi: tuple[float, float] | None) -> None:
    picture = photo("L")
    if dpi is not None:
        picture.info["dpi"] = dpi
    assert picture_of_pil(picture).points == pytest.approx((60 * 72 / 150, 90 * 72 / 150))
    assert picture_of_pixels(np.zeros((90, 60, 3), np.uint8)).points == pytest.approx((60 * 72 / 150, 90 * 72 / 150))


def test_a_page_is_never_larger_than_a_reader_shows() -> None:
    picture = picture_of_pixels(np.zeros((10, 40_000, 3), np.uint8))
    assert picture.points == pytest.approx((14_400, 3.6))


def test_what_is_no_image_is_named() -> None:
    with pytest.raises(ImageError, match=r"a\.png"):
        picture_of_file(b"just words", name="a.png")
