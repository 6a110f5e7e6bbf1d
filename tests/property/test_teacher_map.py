"""A map of the page goes exactly where the pixels of its image go, and keeps its values when colours change."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppocr_lite.transforms.augment_page import EastRandomCropData, IaaAugment
from ppocr_lite.transforms.copy_paste import CopyPaste

MOVES: list[dict[str, Any]] = [
    {"type": "Fliplr", "args": {"p": 0.5}},
    {"type": "Flipud", "args": {"p": 0.5}},
    {"type": "Affine", "args": {"rotate": [-10, 10]}},
    {"type": "PerspectiveTransform", "args": {"scale": [0.0, 0.1]}},
    {"type": "Resize", "args": {"size": [0.5, 3]}},
]
COLOURS: list[dict[str, Any]] = [
    {"type": "Multiply", "args": {"mul": [0.3, 0.6]}},
    {"type": "GaussianBlur", "args": {"sigma": [1, 2]}},
    {"type": "Dropout", "args": {"p": 0.3}},
    {"type": "AdditiveGaussianNoise", "args": {"scale": 20}},
]
SEEDS = st.integers(0, 2**32 - 1)


def page(seed: int) -> dict[str, Any]:
    """A page whose map is what its image shows."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(40, 90)), int(rng.integers(40, 90))
    rough = rng.integers(0, 256, (size[0] // 8, size[1] // 8), np.uint8)
    gray = cv2.resize(rough, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    x, y = (int(rng.integers(2, side - 24)) for side in (size[1], size[0]))
    quad = np.float32([[x, y], [x + 20, y], [x + 20, y + 9], [x, y + 9]])
    labels = {"polys": [quad], "texts": ["a"], "ignore_tags": np.array([False])}
    return {"image": np.repeat(gray[:, :, None], 3, axis=2), "teacher_map": gray, **labels}


def check(sample: dict[str, Any]) -> None:
    assert sample["teacher_map"].dtype == np.uint8
    np.testing.assert_array_equal(sample["image"], np.repeat(sample["teacher_map"][:, :, None], 3, axis=2))


@given(SEEDS)
@settings(max_examples=25)
def test_augmenters_that_move_take_the_map_along(seed: int) -> None:
    check(IaaAugment(MOVES)(page(seed) | {"rng": np.random.default_rng(seed)}))


@given(SEEDS)
@settings(max_examples=15)
def test_augmenters_of_colours_leave_the_map_alone(seed: int) -> None:
    moved, both = (
        IaaAugment(steps)(page(seed) | {"rng": np.random.default_rng(seed)})
        for steps in (MOVES[:1], MOVES[:1] + COLOURS)
    )
    np.testing.assert_array_equal(both["teacher_map"], moved["teacher_map"])
    assert not np.array_equal(both["image"], moved["image"])


@pytest.mark.parametrize("keep_ratio", [True, False])
@given(SEEDS)
@settings(max_examples=40)
def test_a_crop_takes_the_map_along(keep_ratio: bool, seed: int) -> None:
    crop = EastRandomCropData(size=(64, 48), keep_ratio=keep_ratio)
    check(crop(page(seed) | {"rng": np.random.default_rng(seed)}))


@given(SEEDS)
@settings(max_examples=40)
def test_a_pasted_text_brings_its_part_of_the_map(seed: int) -> None:
    sample = page(seed)
    before = sample["teacher_map"].copy()
    paste = CopyPaste(objects_paste_ratio=1.0, scale_ratio=(0.5, 1.0))
    changed = paste(sample | {"ext_data": [page(seed + 1)], "rng": np.random.default_rng(seed)})
    check(changed)
    np.testing.assert_array_equal(sample["teacher_map"], before)
    assert (len(changed["polys"]) > 1) == (not np.array_equal(changed["teacher_map"], before))
