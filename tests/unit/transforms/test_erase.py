"""What the four ways to hide parts of a line hide, and how much of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.erase import GRAY, CutOut, GridMask, HideAndSeek, RandErasing

KINDS = (CutOut, RandErasing, HideAndSeek, GridMask)


def hidden(transform: Any, seed: int, size: tuple[int, int] = (48, 192)) -> np.ndarray:
    """Return where *transform* changed a white picture, (H, W) bool."""
    image = np.full((*size, 3), 255, np.uint8)
    result = transform({"image": image, "rng": np.random.default_rng(seed)})["image"]
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert (image == 255).all()
    return (result != 255).any(axis=2)


def box(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_with_probability_zero_the_sample_is_untouched(kind: Any) -> None:
    sample = {"image": np.full((20, 30, 3), 9, np.uint8), "rng": np.random.default_rng(0)}
    assert kind(prob=0.0)(sample)["image"] is sample["image"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_applied_as_often_as_asked(kind: Any) -> None:
    arguments = {"rows": (2,)} if kind is HideAndSeek else {}
    applied = sum(hidden(kind(prob=0.3, **arguments), seed).any() for seed in range(300))
    assert 60 <= applied <= 120


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (2, 50), (40, 3), (48, 192)])
def test_any_size_survives(kind: Any, size: tuple[int, int]) -> None:
    for seed in range(20):
        hidden(kind(prob=1.0), seed, size)


def test_cut_out_hides_one_gray_square_that_the_border_may_cut() -> None:
    whole = cut = 0
    for seed in range(200):
        mask = hidden(CutOut(length=0.5, prob=1.0), seed)
        top, bottom, left, right = box(mask)
        assert mask[top:bottom, left:right].all()
        assert mask.sum() == (bottom - top) * (right - left)
        inside = top > 0 and bottom < 48 and left > 0 and right < 192
        whole, cut = whole + inside, cut + (not inside)
        assert (bottom - top, right - left) == (24, 24) if inside else max(bottom - top, right - left) <= 24
    assert whole > 20
    assert cut > 20


def test_cut_out_hides_as_many_squares_as_asked() -> None:
    one = np.mean([hidden(CutOut(0.25, 1, 1.0), seed, (64, 640)).sum() for seed in range(50)])
    three = np.mean([hidden(CutOut(0.25, 3, 1.0), seed, (64, 640)).sum() for seed in range(50)])
    assert three == pytest.approx(3 * one, rel=0.1)


def test_what_is_cut_out_becomes_gray() -> None:
    image = np.full((48, 192, 3), 255, np.uint8)
    result = CutOut(prob=1.0)({"image": image, "rng": np.random.default_rng(0)})["image"]
    assert set(np.unique(result)) == {GRAY, 255}


def test_random_erasing_keeps_to_its_ranges() -> None:
    shares, aspects = [], []
    for seed in range(300):
        top, bottom, left, right = box(hidden(RandErasing((0.05, 0.2), (0.5, 2.0), "gray", 1.0), seed))
        shares.append((bottom - top) * (right - left) / (48 * 192))
        aspects.append((bottom - top) / (right - left))
    assert 0.04 < min(shares) < 0.06 and 0.17 < max(shares) < 0.21
    assert min(aspects) > 0.45 and max(aspects) < 2.2
    assert np.median(aspects) == pytest.approx(1.0, abs=0.15)  # a ratio and its inverse are equally likely


def test_random_erasing_fills_with_noise() -> None:
    image = np.full((48, 192, 3), 255, np.uint8)
    result = RandErasing((0.2, 0.2), (1.0, 1.0), prob=1.0)({"image": image, "rng": np.random.default_rng(0)})["image"]
    changed = result[(result != 255).any(axis=2)]
    assert len(np.unique(changed)) > 200
    assert (changed[:, 0] != changed[:, 1]).mean() > 0.9  # each value its own


def test_a_rectangle_that_fits_nowhere_is_left_out() -> None:
    assert not hidden(RandErasing((0.9, 1.0), (1.0, 1.0), "gray", 1.0), 0, (10, 100)).any()


def test_hide_and_seek_hides_whole_cells_and_half_of_them() -> None:
    total = 0.0
    for seed in range(100):
        mask = hidden(HideAndSeek((4,), 0.5, 1.0), seed)
        cells = mask.reshape(4, 12, 16, 12).transpose(0, 2, 1, 3).reshape(64, -1)
        assert (cells.all(axis=1) | ~cells.any(axis=1)).all()
        total += cells[:, 0].mean()
    assert total / 100 == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("probability, expected", [(0.0, 0.0), (1.0, 1.0)])
def test_hide_and_seek_at_the_ends_of_its_probability(probability: float, expected: float) -> None:
    assert hidden(HideAndSeek((3,), probability, 1.0), 0, (50, 130)).mean() == expected


def test_hide_and_seek_without_rows_hides_nothing() -> None:
    assert not hidden(HideAndSeek((0,), 1.0, 1.0), 0).any()


def test_grid_mask_is_periodic_and_keeps_the_share_of_its_formula() -> None:
    for seed in range(20):
        mask = hidden(GridMask((0.5, 0.5), 0.5, 1.0), seed, (80, 240))  # units of 40, strips of 20
        assert (mask[:40] == mask[40:]).all()
        assert (mask[:, :40] == mask[:, 40:80]).all()
        assert mask.mean() == pytest.approx((1 - 0.5) ** 2)
        squares = mask[:, mask.any(axis=0)][mask.any(axis=1)]
        assert squares.all()  # where a row and a column meet that both hide


def test_grid_mask_moves_and_changes_its_unit() -> None:
    masks = {hidden(GridMask((0.4, 1.0), 0.6, 1.0), seed).tobytes() for seed in range(20)}
    assert len(masks) >= 19


@pytest.mark.parametrize(
    "kind, arguments",
    [
        (CutOut, {"length": 0.0}), (CutOut, {"holes": 0}), (CutOut, {"prob": 1.1}),
        (RandErasing, {"area": (0.5, 0.2)}), (RandErasing, {"aspect": (0.0, 1.0)}), (RandErasing, {"area": (0.5, 2)}),
        (HideAndSeek, {"rows": ()}), (HideAndSeek, {"rows": (-1,)}), (HideAndSeek, {"hide_prob": 2}),
        (GridMask, {"ratio": 1.0}), (GridMask, {"unit": (0.0, 1.0)}), (GridMask, {"prob": -1}),
    ],
)  # fmt: skip
def test_senseless_arguments_are_refused(kind: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{kind.__name__} needs"):
        kind(**arguments)
