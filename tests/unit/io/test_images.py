from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from ppocr_lite.errors import ImageError
from ppocr_lite.io import images


@pytest.fixture
def pixels() -> np.ndarray:
    """A smooth colour ramp, BGR, whose four corners differ."""
    y, x = np.mgrid[0:24, 0:40]
    return np.stack([x * 6, y * 10, 255 - x * 3 - y * 2], axis=-1).astype(np.uint8)


def encode(picture: PIL.Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def to_pil(pixels: np.ndarray) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp", ".jpg"])
def test_written_image_is_read_again(tmp_path: Path, pixels: np.ndarray, suffix: str) -> None:
    images.write(tmp_path / f"画像{suffix}", pixels)
    again = images.read(tmp_path / f"画像{suffix}")
    assert np.abs(again.astype(int) - pixels).mean() < (6 if suffix in (".jpg", ".webp") else 0.01)


def test_path_text_bytes_file_and_pillow_give_the_same(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "a.png"
    images.write(path, pixels)
    with path.open("rb") as file:
        inputs = [path, str(path), path.read_bytes(), bytearray(path.read_bytes()), file, to_pil(pixels)]
        for source in inputs:
            np.testing.assert_array_equal(images.read(source), pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(pixels: np.ndarray, kind: str, orientation: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    stored = encode(to_pil(pixels), kind, exif=exif, **({"quality": 98} if kind == "JPEG" else {}))
    turned = {
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, -1), 7: pixels[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(pixels),
    }  # fmt: skip
    read = images.read(stored)
    assert read.shape == turned[orientation].shape
    assert np.abs(read.astype(int) - turned[orientation]).mean() < 5


def test_sixteen_bit_gray_is_scaled() -> None:
    wide = np.array([[0, 257 * 100, 65535]], dtype=np.uint16)
    data = cv2.imencode(".png", wide)[1].tobytes()
    assert images.read(data)[0, :, 0].tolist() == [0, 100, 255]
    assert images.read(wide)[0, :, 0].tolist() == [0, 100, 255]


def test_sixteen_bit_colour_is_scaled() -> None:
    wide = np.array([[[0, 257 * 100, 65535]]], dtype=np.uint16)
    assert images.read(cv2.imencode(".png", wide)[1].tobytes())[0, 0].tolist() == [0, 100, 255]


def test_palette_with_a_transparent_colour_shows_white() -> None:
    picture = PIL.Image.new("P", (4, 4), 1)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((0, 0), 0)
    read = images.read(encode(picture, "PNG", transparency=0))
    assert read[0, 0].tolist() == [255, 255, 255]
    assert read[1, 1].tolist() == [255, 0, 0]


def test_cmyk_jpeg_keeps_its_colours() -> None:
    picture = PIL.Image.new("RGB", (16, 16), (200, 40, 40)).convert("CMYK")
    read = images.read(encode(picture, "JPEG", quality=95))
    assert np.abs(read[8, 8].astype(int) - [40, 40, 200]).max() < 12


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA", "YCbCr", "HSV", "LAB", "I;16", "I"])
def test_pillow_modes_give_three_channels(mode: str) -> None:
    assert images.read(PIL.Image.new(mode, (5, 4))).shape == (4, 5, 3)


def test_alpha_is_laid_over_white() -> None:
    half = np.array([[[0, 0, 0, 0], [0, 0, 0, 255], [0, 0, 0, 128]]], dtype=np.uint8)
    expected = [255, 0, 127]
    assert images.read(half)[0, :, 0].tolist() == expected
    assert images.read(cv2.imencode(".png", half)[1].tobytes())[0, :, 0].tolist() == expected


def drawn(colour: tuple[int, int, int], around: int = 0) -> np.ndarray:
    """A bar of a colour in the middle of what is transparent, or opaque if *around* is 255."""
    image = np.full((9, 9, 4), (0, 0, 0, around), np.uint8)
    image[3:6, 2:7] = (*colour, 255)
    return image


@pytest.mark.parametrize("colour", [(255, 255, 255), (200, 200, 200), (0, 255, 255)], ids=["white", "gray", "yellow"])
def test_what_would_vanish_on_white_is_laid_over_black(colour: tuple[int, int, int]) -> None:
    read = images.read(drawn(colour))
    assert (read[0, 0].tolist(), read[4, 4].tolist()) == ([0, 0, 0], list(colour))


@pytest.mark.parametrize("colour", [(0, 0, 0), (90, 90, 90), (255, 0, 0), (0, 0, 255)], ids=str)
def test_what_shows_on_white_is_laid_over_white(colour: tuple[int, int, int]) -> None:
    read = images.read(drawn(colour))
    assert (read[0, 0].tolist(), read[4, 4].tolist()) == ([255, 255, 255], list(colour))


def test_a_light_picture_with_dark_letters_keeps_its_white_ground() -> None:
    image = drawn((255, 255, 255))
    image[4, 3:6, :3] = 0
    assert images.read(image)[0, 0].tolist() == [255, 255, 255]


def test_the_first_page_of_several_is_read_with_a_warning() -> None:
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    data = encode(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match=r"scan: only the first of 3 pages is read. Read all with OCR.stream\(\)"):
        assert images.read(data, "scan")[0, 0].tolist() == [0, 0, 255]
    assert images.read(encode(frames[0], "TIFF"))[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 1)])
def test_gray_array_gets_three_channels(shape: tuple[int, ...]) -> None:
    assert images.read(np.full(shape, 9, np.uint8)).tolist() == np.full((6, 7, 3), 9).tolist()


def test_first_frame_of_an_animation_is_taken() -> None:
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert images.read(data)[0, 0].tolist() == [0, 0, 255]


def test_contiguous_bgr_array_is_passed_through(pixels: np.ndarray) -> None:
    assert images.read(pixels) is pixels


def test_mirrored_view_becomes_contiguous(pixels: np.ndarray) -> None:
    assert images.read(pixels[:, ::-1]).flags.c_contiguous


def test_text_file_named_jpg_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "fake.jpg"
    path.write_text("this is no picture")
    with pytest.raises(ImageError, match=r"fake\.jpg: not an image file.*this is no pict"):
        images.read(path)


def test_empty_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError, match=r"empty\.png: the file is empty"):
        images.read(tmp_path / "empty.png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_file_is_refused(kind: str, share: float) -> None:
    noisy = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encode(to_pil(noisy), kind)
    with pytest.raises(ImageError, match=r"scan: .*(truncated|not an image)"):
        images.read(data[: int(len(data) * share)], name="scan")


def test_bytes_after_the_end_of_a_jpeg_do_no_harm(pixels: np.ndarray) -> None:
    assert images.read(encode(to_pil(pixels), "JPEG") + b"trailing bytes").shape == pixels.shape


@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf")])
def test_float_array_is_refused(value: float) -> None:
    with pytest.raises(ImageError, match="must be uint8. Received: float32"):
        images.read(np.full((4, 4, 3), value, np.float32))


def test_message_says_so_if_a_float_array_is_not_finite() -> None:
    with pytest.raises(ImageError, match="NaN or infinity"):
        images.read(np.full((4, 4), np.nan))


@pytest.mark.parametrize("shape", [(4,), (4, 4, 2), (4, 4, 5), (1, 4, 4, 3), ()])
def test_array_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="must be gray"):
        images.read(np.zeros(shape, np.uint8))


def test_channels_in_front_get_a_hint() -> None:
    with pytest.raises(ImageError, match="Move the channels to the end"):
        images.read(np.zeros((3, 40, 50), np.uint8))


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 0), (0, 0, 4)])
def test_array_without_pixels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="no pixels"):
        images.read(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("source", ["nowhere.png", Path("no/where.png"), "a\0b"])
def test_missing_file_is_named(source: str | Path) -> None:
    with pytest.raises(ImageError, match="where|b"):
        images.read(source)


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        images.read(tmp_path)


def test_file_open_as_text_is_refused() -> None:
    with pytest.raises(ImageError, match="binary mode"):
        images.read(io.StringIO("text"))


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="Received: <class 'int'>"):
        images.read(3)


def test_floating_point_file_is_refused() -> None:
    with pytest.raises(ImageError, match="floating-point"):
        images.read(encode(PIL.Image.new("F", (4, 4)), "TIFF"), name="depth.tif")


def test_write_refuses_an_unknown_suffix_and_names_the_known(tmp_path: Path, pixels: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"Did you mean '.png'"):
        images.write(tmp_path / "a.pngg", pixels)


def test_write_names_a_folder_that_does_not_exist(tmp_path: Path, pixels: np.ndarray) -> None:
    with pytest.raises(ImageError, match="cannot be written"):
        images.write(tmp_path / "none" / "a.png", pixels)
