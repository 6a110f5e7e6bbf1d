from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.transforms.normalize import KeepKeys, NormalizeImage, ToCHWImage

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
IMAGE = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
EXPECTED = (IMAGE / 255.0 - np.array(MEAN)) / np.array(STD)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_channels_last(dtype: type) -> None:
    result = NormalizeImage(1 / 255, MEAN, STD, "hwc")({"image": IMAGE.astype(dtype)})["image"]
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, EXPECTED, atol=1e-5)


def test_channels_first() -> None:
    result = NormalizeImage(1 / 255, MEAN, STD, "chw")({"image": IMAGE.transpose(2, 0, 1)})["image"]
    np.testing.assert_allclose(result, EXPECTED.transpose(2, 0, 1), atol=1e-5)


@pytest.mark.parametrize("std", [(0.2, 0.0, 0.2), (0.2,)])
def test_impossible_deviation_is_refused(std: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="three non-zero"):
        NormalizeImage(std=std)


def test_to_chw_is_contiguous() -> None:
    result = ToCHWImage()({"image": IMAGE})["image"]
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, IMAGE.transpose(2, 0, 1))


def test_keep_keys_drops_the_rest_whatever_the_order() -> None:
    sample = {"image": 1, "label": 2, "rng": 3}
    assert KeepKeys(["label", "image"])(sample) == KeepKeys(["image", "label"])(sample) == {"image": 1, "label": 2}


def test_keep_keys_names_what_is_missing() -> None:
    with pytest.raises(DataError, match=r"\['lenght'\].*\['image', 'length'\]"):
        KeepKeys(["image", "lenght"])({"image": 1, "length": 2})
