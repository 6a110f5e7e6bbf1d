"""The boxes and outlines that a two-stage detector learns."""

from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.data.loader import Collate
from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.region_truth import MakeRegionTruth


def sample(*polys: list[list[float]], ignore: tuple[int, ...] = ()) -> dict:
    return {
        "image": np.zeros((50, 80, 3), np.uint8),
        "polys": [np.array(polygon, np.float32) for polygon in polys],
        "ignore_tags": np.array([index in ignore for index in range(len(polys))], bool),
        "rng": np.random.default_rng(1),
    }


def quad(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def test_truth_outside_or_without_an_area_is_left_out() -> None:
    polys = [quad(5, 5, 40, 20), quad(90, 5, 99, 20), quad(10, 10, 10, 10), quad(10, 30, 60, 30)]
    truth = MakeRegionTruth()(sample(*polys))["truth"]
    assert truth.rects.tolist() == [[5, 5, 40, 20]]
    assert truth.ignored.shape == (0, 4)
    assert truth.size == (50, 80)


def test_truth_is_cut_off_at_the_border() -> None:
    truth = MakeRegionTruth()(sample(quad(60, 30, 100, 70)))["truth"]
    assert truth.rects.tolist() == [[60, 30, 80, 50]]
    assert truth.outlines[0].max(axis=0).tolist() == [80, 50]


def test_small_and_unreadable_text_is_ignored() -> None:
    truth = MakeRegionTruth(min_size=4)(sample(quad(5, 5, 40, 8), quad(5, 20, 40, 40), ignore=(1,)))["truth"]
    assert truth.rects.shape == (0, 4)
    assert truth.ignored.tolist() == [[5, 5, 40, 8], [5, 20, 40, 40]]


def test_a_size_below_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match="min_size"):
        MakeRegionTruth(min_size=-1)


def test_images_of_several_sizes_are_padded_on_the_right_and_below() -> None:
    images = [np.full((3, 40, 70), 1, np.float32), np.full((3, 64, 20), 2, np.float32)]
    truths = [MakeRegionTruth()(sample(quad(5, 5, 40, 20)))["truth"] for _ in images]
    batch = Collate(size_divisibility=32)(
        [{"image": image, "truth": truth} for image, truth in zip(images, truths, strict=True)]
    )
    assert batch["image"].shape == (2, 3, 64, 96)
    for place, image in zip(batch["image"], images, strict=True):
        height, width = image.shape[1:]
        assert (place[:, :height, :width] == image).all()
        assert place.sum() == image.sum()
    assert batch["truth"] == truths
