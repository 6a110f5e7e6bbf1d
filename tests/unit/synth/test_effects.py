from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.synth import effects, ink


@pytest.fixture
def picture() -> np.ndarray:
    image = np.full((40, 200, 3), 240, np.uint8)
    image[10:30, 20:180:8] = 20
    return image


@pytest.mark.parametrize("size", [(24, 8), (40, 300), (300, 400)])
def test_effects_keep_shape_and_type(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    for i in range(40):
        for degrade in (effects.degrade_line, effects.degrade_page):
            out = degrade(image, np.random.default_rng(i), 2.0)
            assert out.shape == image.shape and out.dtype == np.uint8


def test_strength_0_changes_nothing(picture: np.ndarray) -> None:
    assert all(np.array_equal(effects.degrade_line(picture, np.random.default_rng(i), 0.0), picture) for i in range(20))


def test_effects_leave_their_input_alone(picture: np.ndarray) -> None:
    before = picture.copy()
    for i in range(30):
        effects.degrade_line(picture, np.random.default_rng(i), 3.0)
    assert np.array_equal(picture, before)


def test_a_fax_has_two_tones(picture: np.ndarray) -> None:
    assert len(np.unique(effects.fax(picture, np.random.default_rng(0)))) == 2


def test_noise_has_the_wanted_deviation() -> None:
    grey = np.full((256, 256, 3), 128, np.uint8)
    assert effects.noise(grey, np.random.default_rng(0), 10).std() == pytest.approx(10, abs=1)


@pytest.mark.parametrize("form", ["dot_matrix", "thermal", "worn"])
def test_printers_keep_the_shape_and_most_of_the_ink(form: str) -> None:
    mask = np.zeros((30, 120), np.uint8)
    mask[:, 10:110:20] = 255
    mask[:, 14:110:20] = 255
    mask = np.maximum(mask, np.roll(mask, 1, 1))
    for i in range(20):
        rng = np.random.default_rng(i)
        out = ink.dot_matrix(mask, 24, rng) if form == "dot_matrix" else getattr(ink, form)(mask, rng)
        assert out.shape == mask.shape and out.dtype == np.uint8
        assert out.sum() > 0.2 * mask.sum()


def test_an_arc_moves_each_column_by_the_reported_shift() -> None:
    mask = np.zeros((20, 101), np.uint8)
    mask[9:11] = 255
    bent, shift = ink.arc(mask, 0.8)
    for x in (0, 25, 50, 100):
        centre = np.average(np.arange(len(bent)), weights=bent[:, x].astype(float) + 1e-9)
        assert centre == pytest.approx(9.5 + shift[x], abs=0.6)
