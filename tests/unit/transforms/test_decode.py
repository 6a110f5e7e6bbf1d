from __future__ import annotations

import cv2
import numpy as np
import pytest

from ppocr_lite.errors import ImageError
from ppocr_lite.transforms.decode import DecodeImage

PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
ENCODED = cv2.imencode(".png", PIXELS)[1].tobytes()


def test_bytes_become_bgr_pixels() -> None:
    np.testing.assert_array_equal(DecodeImage()({"image": ENCODED})["image"], PIXELS)


def test_array_passes_through() -> None:
    assert DecodeImage()({"image": PIXELS})["image"] is PIXELS


def test_rgb_reverses_the_channels() -> None:
    np.testing.assert_array_equal(DecodeImage("RGB")({"image": ENCODED})["image"], PIXELS[:, :, ::-1])


def test_gray_repeats_one_channel() -> None:
    image = DecodeImage("GRAY")({"image": ENCODED})["image"]
    assert image.shape == PIXELS.shape
    assert (image == image[:, :, :1]).all()


def test_channel_first_moves_the_channels() -> None:
    image = DecodeImage(channel_first=True)({"image": ENCODED})["image"]
    np.testing.assert_array_equal(image, PIXELS.transpose(2, 0, 1))


def test_path_of_the_sample_is_named() -> None:
    with pytest.raises(ImageError, match=r"train/7\.jpg: not an image"):
        DecodeImage()({"image": b"text", "path": "train/7.jpg"})
