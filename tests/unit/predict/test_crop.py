from __future__ import annotations

import cv2
import numpy as np
import pytest

from ppocr_lite.predict.crop import crop_line, turn


def gradient() -> np.ndarray:
    """(100, 200, 3): blue grows to the right, green downwards."""
    y, x = np.mgrid[:100, :200]
    return np.stack([x, y, np.zeros_like(x)], axis=2).astype(np.uint8)


def test_an_upright_rectangle_is_cut_as_it_is() -> None:
    crop = crop_line(gradient(), np.float32([[20, 30], [80, 30], [80, 50], [20, 50]]))
    np.testing.assert_allclose(crop.astype(int), gradient()[30:50, 20:80].astype(int), atol=1)


def test_a_turned_line_is_straightened() -> None:
    image = np.full((200, 200, 3), 255, np.uint8)
    quad = cv2.boxPoints(((100, 100), (120, 30), 25))  # bottom left first
    cv2.fillPoly(image, [quad.astype(np.int32)], (0, 0, 0))
    crop = crop_line(image, np.roll(quad, -1, axis=0))
    assert crop.shape == (30, 120, 3)
    assert crop[3:-3, 3:-3].max() < 60


def test_a_tall_region_is_turned_a_quarter_anticlockwise() -> None:
    crop = crop_line(gradient(), np.float32([[50, 10], [70, 10], [70, 70], [50, 70]]))
    assert crop.shape == (20, 60, 3)
    assert crop[-1, 0, 0] < crop[0, 0, 0]  # what was on the right is now on top
    assert crop[0, 0, 1] < crop[0, -1, 1]  # what was on top is now on the left


def test_a_region_somewhat_taller_than_wide_stays_upright() -> None:
    assert crop_line(gradient(), np.float32([[50, 10], [70, 10], [70, 38], [50, 38]])).shape == (28, 20, 3)


def test_an_outline_is_cut_by_its_enclosing_quad() -> None:
    outline = np.float32([[20, 30], [50, 30], [80, 30], [80, 50], [50, 50], [20, 50]])
    assert crop_line(gradient(), outline).shape == (20, 60, 3)


@pytest.mark.parametrize(
    "quad", [[[5, 5]] * 4, [[5, 5], [9, 5], [9, 5], [5, 5]], [[-50, -50], [-20, -50], [-20, -40], [-50, -40]]]
)
def test_any_quad_gives_an_image(quad: list[list[float]]) -> None:
    crop = crop_line(gradient(), np.float32(quad))
    assert min(crop.shape[:2]) >= 1


def test_a_half_turn_twice_is_nothing() -> None:
    image = gradient()
    np.testing.assert_array_equal(turn(turn(image, 180), 180), image)
    assert turn(image, 0) is image


@pytest.mark.parametrize("angle", [0, 20, -40])
def test_a_margin_is_cut_beyond_both_ends(angle: float) -> None:
    page = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    line = np.array([[100, 140], [200, 140], [200, 160], [100, 160]], np.float32)
    longer = line + np.float32([[-2, 0], [2, 0], [2, 0], [-2, 0]])
    turn_about = cv2.getRotationMatrix2D((150.0, 150.0), angle, 1.0)
    turned, grown = (cv2.transform(quad[None], turn_about)[0] for quad in (line, longer))
    loose = crop_line(page, turned, margin=0.1)
    assert loose.shape == (20, 104, 3)
    np.testing.assert_allclose(loose, crop_line(page, grown), atol=3)


def test_the_ends_of_a_line_that_is_written_downwards_are_above_and_below() -> None:
    crop = crop_line(gradient(), np.float32([[50, 20], [60, 20], [60, 80], [50, 80]]), margin=0.2)
    assert crop.shape == (10, 64, 3)
