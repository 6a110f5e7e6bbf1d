from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.transforms import tia

SOURCE = np.array([[0, 0], [60, 0], [119, 0], [0, 39], [60, 39], [119, 39]], dtype=np.float64)


def ramp() -> np.ndarray:
    """An image whose red is 2x and whose green is 4y, so that a pixel tells where it comes from."""
    y, x = np.mgrid[0:40, 0:120]
    return np.stack([np.zeros_like(x), y * 4, x * 2], axis=-1).astype(np.uint8)


def test_unmoved_points_leave_the_image() -> None:
    assert np.abs(tia.warp(ramp(), SOURCE, SOURCE).astype(int) - ramp()).max() <= 1


def test_points_moved_alike_shift_the_image() -> None:
    shifted = tia.warp(ramp(), SOURCE, SOURCE + [5, 3])
    assert np.abs(shifted[3:, 5:].astype(int) - ramp()[:-3, :-5]).max() <= 1


def test_moved_point_takes_its_pixel_along() -> None:
    target = SOURCE.copy()
    target[1] = [66, 6]
    warped = tia.warp(ramp(), SOURCE, target)
    assert np.abs(warped[6, 66].astype(int) - ramp()[0, 60]).max() <= 8


def test_moving_least_squares_maps_control_points_exactly() -> None:
    before = SOURCE[:, 0] + 1j * SOURCE[:, 1]
    after = before + np.random.default_rng(0).uniform(-5, 5, 6)
    np.testing.assert_allclose(tia.rigid_moving_least_squares(before, before, after), after, atol=1e-3)


def test_moving_least_squares_finds_a_rotation() -> None:
    before = SOURCE[:, 0] + 1j * SOURCE[:, 1]
    points = np.array([10 + 10j, 50 + 20j])
    turn = np.exp(0.3j)
    np.testing.assert_allclose(tia.rigid_moving_least_squares(points, before, before * turn), points * turn, atol=1e-6)


def test_coarse_grid_is_close_to_the_exact_warp() -> None:
    target = SOURCE + np.random.default_rng(1).uniform(-6, 6, SOURCE.shape)
    y, x = np.mgrid[0:40, 0:120]
    grid = (x + 1j * y).ravel().astype(np.complex128)
    exact = tia.rigid_moving_least_squares(grid, target @ [1, 1j], SOURCE @ [1, 1j]).reshape(40, 120)
    inside = (exact.real > 1) & (exact.real < 118) & (exact.imag > 1) & (exact.imag < 38)
    warped = tia.warp(ramp(), SOURCE, target)
    assert np.abs(warped[..., 2] / 2 - exact.real)[inside].mean() < 0.5
    assert np.abs(warped[..., 1] / 4 - exact.imag)[inside].mean() < 0.5


@pytest.mark.parametrize("change", [tia.distort, tia.stretch, tia.perspective])
@pytest.mark.parametrize("size", [(32, 320), (48, 60), (33, 97)])
def test_size_is_kept(change: object, size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    assert change(image, np.random.default_rng(0)).shape == image.shape


def test_stretch_moves_columns_and_no_rows() -> None:
    stretched = tia.stretch(ramp(), np.random.default_rng(3), segments=3)
    assert np.abs(stretched[8:32, 8:-8, 1].astype(int) - ramp()[8:32, 8:-8, 1]).max() <= 24
    assert np.abs(stretched[20, :, 2].astype(int) - ramp()[20, :, 2]).max() > 6


@pytest.mark.parametrize("change", [tia.distort, tia.stretch, tia.perspective])
@pytest.mark.parametrize("seed", range(20))
def test_the_corners_stay_in_the_picture(change: object, seed: int) -> None:
    bent = change(ramp(), np.random.default_rng(seed)).astype(int)
    shown_x, shown_y = bent[..., 2] / 2, bent[..., 1] / 4  # where each pixel comes from
    for x, y in ((0, 0), (119, 0), (119, 39), (0, 39)):
        assert np.hypot(shown_x - x, shown_y - y).min() <= 2.0
