"""Mixup and CutMix: pixels and shares follow one λ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppocr_lite.data import RAW_KEYS, TRAINING_KEYS, Collate, SimpleDataSet
from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.transforms.base import Compose, Sample
from ppocr_lite.transforms.decode import DecodeImage
from ppocr_lite.transforms.labels import ClsLabelEncode
from ppocr_lite.transforms.mix import CutMix, Mixup
from ppocr_lite.transforms.normalize import KeepKeys
from ppocr_lite.transforms.resize import ClsResizeImg

BOTH = (Mixup, CutMix)


def make_sample(seed: int, first: float = 1.0, second: float = 0.0, size: tuple[int, int] = (48, 192)) -> Sample:
    """A sample of class 1 whose pixels are *first*, and another of class 0 whose pixels are *second*."""
    other = {"image": np.full((3, *size), second, np.float32), "label": np.int64(0)}
    image = np.full((3, *size), first, np.float32)
    return {"image": image, "label": np.int64(1), "ext_data": [other], "rng": np.random.default_rng(seed)}


@pytest.mark.parametrize("kind", BOTH)
def test_shares_add_up_to_one_and_are_those_of_the_pixels(kind: Any) -> None:
    for seed in range(50):
        result = kind(prob=1.0)(make_sample(seed))
        assert result["label"].dtype == np.float32
        assert result["label"].sum() == pytest.approx(1.0)
        assert result["image"].dtype == np.float32
        assert result["image"].mean() == pytest.approx(result["label"][1], abs=1e-5)
        assert "ext_data" not in result


def test_mixup_adds_every_pixel_with_one_share() -> None:
    result = Mixup(alpha=1.0, prob=1.0)(make_sample(3, first=0.8, second=-0.4))
    share = result["label"][1]
    assert 0.05 < share < 0.95
    np.testing.assert_allclose(result["image"], share * 0.8 + (1 - share) * -0.4, atol=1e-6)


def test_cut_mix_replaces_one_rectangle_of_the_shape_of_the_picture() -> None:
    inside = 0
    for seed in range(100):
        result = CutMix(prob=1.0)(make_sample(seed))
        mask = (result["image"] == 0).all(axis=0)
        assert ((result["image"] == 0) == mask).all()
        if not mask.any():
            continue
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        if rows[0] > 0 and rows[-1] < 47 and columns[0] > 0 and columns[-1] < 191:
            inside += 1
            assert len(rows) / 48 == pytest.approx(len(columns) / 192, abs=1 / 48 + 1e-9)
    assert inside > 10


def test_cut_mix_of_pictures_with_channels_last() -> None:
    image, other = np.full((20, 30, 3), 200, np.uint8), np.full((20, 30, 3), 100, np.uint8)
    sample = {"image": image, "label": np.int64(1), "ext_data": [{"image": other, "label": np.int64(1)}]}
    result = CutMix(prob=1.0)(sample | {"rng": np.random.default_rng(1)})
    assert set(np.unique(result["image"])) == {100, 200}
    assert result["label"].tolist() == [0.0, 1.0]  # both are of class 1


def test_mixed_bytes_stay_bytes() -> None:
    image, other = np.full((4, 6, 3), 200, np.uint8), np.full((4, 6, 3), 100, np.uint8)
    sample = {"image": image, "label": np.int64(1), "ext_data": [{"image": other, "label": np.int64(0)}]}
    result = Mixup(1.0, prob=1.0)(sample | {"rng": np.random.default_rng(1)})
    assert result["image"].dtype == np.uint8
    assert result["image"][0, 0, 0] == round(100 + 100 * float(result["label"][1]))


@pytest.mark.parametrize("kind", BOTH)
def test_without_mixing_the_label_is_all_of_one_class(kind: Any) -> None:
    result = kind(class_num=3, prob=0.0)(make_sample(0))
    assert result["label"].tolist() == [0.0, 1.0, 0.0]
    assert (result["image"] == 1.0).all()


def test_share_follows_the_beta_distribution() -> None:
    shares = [Mixup(0.2, prob=1.0)(make_sample(seed, size=(1, 1)))["label"][1] for seed in range(2000)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)
    assert np.var(shares) == pytest.approx(1 / (4 * (2 * 0.2 + 1)), rel=0.08)  # variance of Beta(α, α)


def test_two_mixtures_may_follow_one_another() -> None:
    sample = Mixup(1.0, prob=1.0)(make_sample(0))
    other = Mixup(1.0, prob=1.0)(make_sample(1))
    label = CutMix(prob=1.0)(sample | {"ext_data": [other], "rng": np.random.default_rng(2)})["label"]
    assert label.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("kind", BOTH)
def test_two_sizes_are_refused(kind: Any) -> None:
    sample = make_sample(0)
    sample["ext_data"][0]["image"] = np.zeros((3, 48, 100), np.float32)
    with pytest.raises(DataError, match="put it after ClsResizeImg"):
        kind()(sample)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("arguments", [{"alpha": 0.0}, {"class_num": 1}, {"prob": 2.0}])
def test_senseless_arguments_are_refused(kind: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{kind.__name__} needs"):
        kind(**arguments)


@pytest.mark.parametrize("kind", BOTH)
def test_a_batch_of_a_data_set_has_shares(cls_label_file: Path, kind: Any) -> None:
    steps = [DecodeImage(), ClsLabelEncode(), ClsResizeImg((3, 48, 96)), kind(prob=0.5), KeepKeys(["image", "label"])]
    chain = Compose(steps, (*RAW_KEYS, *TRAINING_KEYS))
    dataset = SimpleDataSet(str(cls_label_file.parent), str(cls_label_file), transforms=chain, training=True)
    batch = Collate()([dataset[0, index] for index in range(8)])
    assert batch["errors"] == {}
    assert batch["image"].shape == (8, 3, 48, 96)
    assert batch["label"].shape == (8, 2)
    assert ((batch["label"] > 0) & (batch["label"] < 1)).any()
    again = Collate()([dataset[0, index] for index in range(8)])
    np.testing.assert_array_equal(again["label"], batch["label"])


def test_a_broken_partner_is_replaced(cls_label_file: Path) -> None:
    (cls_label_file.parent / "line_2.png").write_bytes(b"broken")
    steps = [DecodeImage(), ClsLabelEncode(), ClsResizeImg((3, 48, 96)), Mixup(prob=1.0)]
    chain = Compose(steps, (*RAW_KEYS, *TRAINING_KEYS))
    dataset = SimpleDataSet(str(cls_label_file.parent), str(cls_label_file), transforms=chain, training=True)
    keys = [(epoch, index) for epoch in range(6) for index in range(8)]
    assert {dataset[key].get("source") for key in keys} == {None, f"{cls_label_file}:3"}
    assert all(("error" in dataset[key]) == (key[1] == 2) for key in keys)


def test_where_nothing_can_be_mixed_with_the_sample_is_unusable() -> None:
    steps = [DecodeImage(), Mixup()]
    sample = {"image": np.zeros((4, 4, 3), np.uint8), "label": 0, "path": "a", "rng": np.random.default_rng(0)}
    chain = Compose(steps, (*RAW_KEYS, *TRAINING_KEYS))
    with pytest.raises(DataError, match="None of 10 samples drawn to mix with is usable. The last one: .*not an image"):
        chain(sample | {"another": lambda rng: {"image": b"broken", "label": 0, "path": "b"}})


def test_evaluation_cannot_mix(cls_label_file: Path) -> None:
    assert cv2.imread(str(cls_label_file.parent / "line_0.png")) is not None
    with pytest.raises(ConfigError, match="Mixup needs"):
        Compose([DecodeImage(), ClsLabelEncode(), ClsResizeImg(), Mixup()], RAW_KEYS)
