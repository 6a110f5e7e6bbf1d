from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms import augment_line, rand_augment, tia
from ppocr_lite.transforms.augment_line import RecAug
from ppocr_lite.transforms.rand_augment import OPERATIONS, RandAugment
from ppocr_lite.transforms.resize import RecResizeImg

CHANGES = [
    tia.distort, tia.stretch, tia.perspective, augment_line.bend, augment_line.crop, augment_line.rotate,
    augment_line.blur, augment_line.jitter, augment_line.change_colour, augment_line.add_noise, augment_line.reverse,
]  # fmt: skip
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def draw_line(height: int = 32, width: int = 320) -> np.ndarray:
    image = np.full((height, width, 3), 230, np.uint8)
    cv2.putText(image, "Hello World 12345", (8, height - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 120), 2)
    return image


@pytest.mark.parametrize("change", CHANGES)
def test_change_does_something_and_keeps_its_input(change: Change) -> None:
    image = draw_line()
    results = [change(image, np.random.default_rng(seed)) for seed in range(5)]
    np.testing.assert_array_equal(image, draw_line())
    assert all(r.dtype == np.uint8 and r.ndim == 3 for r in results)
    assert any(r.shape != image.shape or (r != image).any() for r in results)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (40, 2), (8, 8), (16, 20), (600, 12)])
def test_rec_aug_survives_any_size(size: tuple[int, int]) -> None:
    always = RecAug(True, *[1.0] * 8)
    for seed in range(8):
        image = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
        result = always({"image": image, "rng": np.random.default_rng(seed)})["image"]
        assert min(result.shape) >= 1


def test_rec_aug_with_no_probability_returns_the_line() -> None:
    never = RecAug(True, *[0.0] * 8)
    np.testing.assert_array_equal(never({"image": draw_line(), "rng": np.random.default_rng(0)})["image"], draw_line())


def test_rec_aug_without_tia_never_bends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tia, "warp", None)
    monkeypatch.setattr(tia, "perspective", None)
    for seed in range(30):
        RecAug(use_tia=False)({"image": draw_line(), "rng": np.random.default_rng(seed)})


def test_rec_aug_shrinks_a_high_line_first() -> None:
    never = RecAug(True, *[0.0] * 8, max_height=64)
    assert never({"image": draw_line(128, 1280), "rng": np.random.default_rng(0)})["image"].shape == (64, 640, 3)


@pytest.mark.parametrize("arguments", [{"blur_prob": 1.5}, {"noise_prob": -0.1}, {"max_height": 4}])
def test_rec_aug_refuses_impossible_arguments(arguments: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="probabilities"):
        RecAug(**arguments)


def test_line_pipeline_takes_less_than_milliseconds() -> None:
    # 0.3 ms on an idle core.
    augment, resize, image = RecAug(), RecResizeImg(), draw_line()

    def hundred_lines() -> float:
        start = time.thread_time()
        for seed in range(100):
            resize(augment({"image": image, "rng": np.random.default_rng(seed)}))
        return (time.thread_time() - start) / 100

    assert min(hundred_lines() for _ in range(3)) < 0.003


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.__name__)
@pytest.mark.parametrize("level", [-1.0, -0.5, 0.5, 1.0])
def test_operation_keeps_size_type_and_input(operation: rand_augment.Operation, level: float) -> None:
    image = draw_line(48, 192)
    result = operation(image, level)
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(image, draw_line(48, 192))


CONTINUOUS = [o for o in OPERATIONS if o.__name__ not in ("autocontrast", "equalize", "invert", "solarize")]


@pytest.mark.parametrize("operation", CONTINUOUS, ids=lambda o: o.__name__)
def test_operation_of_level_zero_changes_nothing(operation: rand_augment.Operation) -> None:
    image = draw_line(48, 192)
    assert np.abs(operation(image, 0.0).astype(int) - image).max() <= 1


def test_rand_augment_without_layers_returns_the_image() -> None:
    result = RandAugment(num_layers=0)({"image": draw_line(), "rng": np.random.default_rng(0)})
    np.testing.assert_array_equal(result["image"], draw_line())


@pytest.mark.parametrize("arguments", [{"num_layers": -1}, {"magnitude": 11}])
def test_rand_augment_refuses_impossible_arguments(arguments: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="RandAugment needs"):
        RandAugment(**arguments)
