from __future__ import annotations

import time

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.det_targets import MakeBorderMap, MakeShrinkMap

BOX = np.array([[10, 10], [50, 10], [50, 30], [10, 30]], dtype=np.float32)  # D = 800 * 0.84 / 120 = 5.6


def make_sample(*polys: np.ndarray, ignore: tuple[int, ...] = ()) -> dict[str, object]:
    tags = np.array([index in ignore for index in range(len(polys))], dtype=bool)
    return {"image": np.zeros((48, 64, 3), np.uint8), "polys": list(polys), "ignore_tags": tags}


def test_core_is_one_and_the_rim_of_the_text_is_zero() -> None:
    shrink_map = MakeShrinkMap()(make_sample(BOX))["shrink_map"]
    assert shrink_map[20, 30] == 1
    assert shrink_map[20, 16:45].all()
    assert not shrink_map[20, :15].any()
    assert not shrink_map[:15].any()


@pytest.mark.parametrize("transform", [MakeShrinkMap(), MakeBorderMap()])
def test_maps_are_float32_of_the_size_of_the_image(transform: MakeShrinkMap | MakeBorderMap) -> None:
    result = transform(make_sample(BOX))
    for key in transform.provides:
        assert result[key].shape == (48, 64)
        assert result[key].dtype == np.float32


def test_ignored_text_is_masked_and_not_drawn() -> None:
    result = MakeShrinkMap()(make_sample(BOX, ignore=(0,)))
    assert not result["shrink_map"].any()
    assert not result["shrink_mask"][10:31, 10:51].any()
    assert result["shrink_mask"].sum() == 48 * 64 - 21 * 41


def test_small_text_is_masked() -> None:
    result = MakeShrinkMap(min_text_size=8)(make_sample(BOX * np.float32([1, 0.3])))
    assert not result["shrink_map"].any()
    assert not result["shrink_mask"].all()


def test_text_of_which_nothing_is_left_is_masked() -> None:
    flat = np.array([[5, 5], [45, 40], [45, 40], [5, 5]], dtype=np.float32)
    result = MakeShrinkMap()(make_sample(flat))
    assert not result["shrink_map"].any()
    assert result["shrink_mask"][5, 5] == 0


def test_mask_is_one_where_nothing_is_ignored() -> None:
    assert MakeShrinkMap()(make_sample(BOX))["shrink_mask"].all()


def test_threshold_is_highest_on_the_outline_and_falls_to_both_sides() -> None:
    row = MakeBorderMap()(make_sample(BOX))["threshold_map"][20]
    np.testing.assert_allclose(row[10], 0.7, atol=1e-6)
    np.testing.assert_allclose(row[[8, 12]], 0.7 - 0.4 * 2 / 5.6, atol=1e-5)
    np.testing.assert_allclose(row[[0, 3, 30]], 0.3, atol=1e-6)


def test_threshold_mask_is_the_text_grown_by_the_offset() -> None:
    row = MakeBorderMap()(make_sample(BOX))["threshold_mask"][20]
    assert np.flatnonzero(row).tolist() == list(range(5, 56))


def test_overlapping_texts_give_the_larger_threshold() -> None:
    moved = BOX + np.float32([8, 4])
    both = MakeBorderMap()(make_sample(BOX, moved))["threshold_map"]
    alone = [MakeBorderMap()(make_sample(p))["threshold_map"] for p in (BOX, moved)]
    np.testing.assert_allclose(both, np.maximum(*alone))


def test_ignored_text_has_no_threshold() -> None:
    result = MakeBorderMap()(make_sample(BOX, ignore=(0,)))
    assert not result["threshold_mask"].any()
    np.testing.assert_allclose(result["threshold_map"], 0.3)


@pytest.mark.parametrize("shift", [[-500, 0], [0, 900], [-30, -20], [40, 30]])
def test_text_outside_or_across_the_edge_is_cut_off(shift: list[int]) -> None:
    sample = make_sample(BOX + np.float32(shift))
    whole = make_sample(BOX + np.float32(shift) + np.float32(600)) | {"image": np.zeros((1800, 1400, 3), np.uint8)}
    expected = MakeBorderMap()(whole)["threshold_map"][600:648, 600:664]
    np.testing.assert_allclose(MakeBorderMap()(sample)["threshold_map"], expected, atol=1e-4)
    MakeShrinkMap()(sample)


@pytest.mark.parametrize("points", [np.zeros((4, 2)), np.array([[0, 0], [9, 9], [9, 9], [0, 0]])])
def test_polygon_without_area_does_no_harm(points: np.ndarray) -> None:
    sample = make_sample(points.astype(np.float32), ignore=(0,))
    assert np.isfinite(MakeBorderMap()(sample)["threshold_map"]).all()
    assert not MakeShrinkMap()(sample)["shrink_map"].any()
    sample = make_sample(points.astype(np.float32))
    assert np.isfinite(MakeBorderMap()(sample)["threshold_map"]).all()


@pytest.mark.parametrize("transform", [MakeShrinkMap, MakeBorderMap])
def test_ratio_outside_zero_and_one_is_refused(transform: type) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        transform(shrink_ratio=1.0)


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ConfigError, match="thresh_min < thresh_max"):
        MakeBorderMap(thresh_min=0.7, thresh_max=0.3)


def test_fifty_words_take_milliseconds_not_tenths_of_seconds() -> None:
    # Both together take 12 ms on an idle core; work on the whole map for each polygon would take over 100.
    rng = np.random.default_rng(0)
    polys = []
    for _ in range(50):
        angle, half = rng.uniform(-0.3, 0.3), rng.uniform([15, 6], [60, 15])
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        polys.append((corners @ turn + rng.uniform(40, 600, 2)).astype(np.float32))
    sample = make_sample(*polys) | {"image": np.zeros((640, 640, 3), np.uint8)}
    transforms = [MakeShrinkMap(), MakeBorderMap()]
    assert min(_seconds(transforms, sample) for _ in range(15)) < 0.040


def _seconds(transforms: list[MakeShrinkMap | MakeBorderMap], sample: dict[str, object]) -> float:
    start = time.thread_time()
    for transform in transforms:
        transform(sample)
    return time.thread_time() - start
