from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry.columns import COLUMN_HEIGHTS
from ppocr_lite.transforms.ctpn_targets import MakeCTPNTargets

Points = list[list[float]]


def box(x0: float, y0: float, x1: float, y1: float) -> Points:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def make(*texts: Points, ignored: tuple[int, ...] = (), size: tuple[int, int] = (96, 160), **options: Any) -> Any:
    sample = {
        "image": np.zeros((*size, 3), np.uint8),
        "polys": [np.float32(points) for points in texts],
        "ignore_tags": np.isin(np.arange(len(texts)), ignored),
        "rng": np.random.default_rng(0),
    }
    return MakeCTPNTargets(**options)(sample)


def test_the_published_anchors_grow_from_11_to_273_pixels() -> None:
    assert [round(11 / 0.7**i) for i in range(10)] == pytest.approx(COLUMN_HEIGHTS, abs=1)
    assert (COLUMN_HEIGHTS[0], COLUMN_HEIGHTS[-1]) == (11, 273)


def test_an_anchor_says_where_its_text_is_and_ends() -> None:
    truth = make(
        box(20, 30, 84, 46), samples=1000
    )  # columns 1 to 4; the second anchor is 16 high, and row 2 is centred at 40
    place = (1, 2)
    assert truth["anchor_labels"][place].tolist() == [0, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert truth["anchor_vertical"][(0, *place, 1)] == pytest.approx((38 - 40) / 16)
    assert truth["anchor_vertical"][(1, *place, 1)] == pytest.approx(math.log(16 / 16))
    # Centres are at 24, 40, 56 and 72; the ends at 20 and 84; the third is as near to the one as to the other.
    assert truth["anchor_sides"][place][1:5].tolist() == pytest.approx([-4 / 16, -20 / 16, 28 / 16, 12 / 16])
    assert truth["anchor_side_mask"][place][1:5].tolist() == [1, 1, 1, 1]


def test_only_anchors_near_an_end_learn_where_it_is() -> None:
    truth = make(box(0, 30, 160, 46), samples=1000)
    assert truth["anchor_side_mask"][1, 2].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 1, 1]


def test_slanted_text_is_as_high_in_every_column() -> None:
    truth = make([[16, 20], [144, 40], [144, 56], [16, 36]], samples=1000)
    text = truth["anchor_labels"] == 1
    heights = np.exp(truth["anchor_vertical"][1]) * np.float32(COLUMN_HEIGHTS)[:, None, None]
    np.testing.assert_allclose(heights[text], 16, rtol=1e-5)


def test_a_draw_has_the_asked_size_and_is_filled_with_background() -> None:
    labels = make(box(20, 30, 84, 46), samples=40)["anchor_labels"]
    assert ((labels >= 0).sum(), 4 <= (labels == 1).sum() <= 20) == (40, True)
    crowded = make(*(box(0, y, 160, y + 14) for y in range(0, 96, 16)), samples=40)["anchor_labels"]
    assert ((crowded == 1).sum(), (crowded == 0).sum()) == (20, 20)


def test_a_page_without_text_is_all_background() -> None:
    truth = make()
    assert ((truth["anchor_labels"] == 0).sum(), (truth["anchor_labels"] == 1).sum()) == (128, 0)
    assert not truth["anchor_side_mask"].any()


def test_near_ignored_text_nothing_is_learnt() -> None:
    labels = make(box(20, 30, 84, 46), ignored=(0,), samples=1000)["anchor_labels"]
    assert (labels[1, 2].tolist(), labels.max()) == ([0, -1, -1, -1, -1, 0, 0, 0, 0, 0], 0)


@pytest.mark.parametrize(
    "text",
    [
        box(-300, -90, -200, -60),
        box(400, 30, 500, 46),
        box(20, 300, 84, 330),
        box(50, 30, 50, 30),
        box(20, 30, 84, 30),
        box(20, 30, 84, 32),
        [[20, 30], [84, 46], [84, 30], [20, 46]],
    ],
    ids=["left above", "right", "below", "a point", "no height", "too low", "crossed"],
)
def test_text_that_cannot_be_learnt_does_no_harm(text: Points) -> None:
    truth = make(text, box(20, 64, 84, 80), samples=1000)
    alone = make(box(20, 64, 84, 80), samples=1000)
    assert (truth["anchor_labels"][1, 4] == 1).any()
    assert all(np.isfinite(truth[name]).all() for name in MakeCTPNTargets.provides)
    assert (truth["anchor_labels"] == 1).sum() >= (alone["anchor_labels"] == 1).sum()


def test_text_across_the_border_is_learnt_where_it_is_in_the_image() -> None:
    labels = make(box(120, 30, 400, 46), samples=1000)["anchor_labels"]
    assert labels[1, 2].tolist() == [0] * 7 + [1, 1, 1]


def test_a_text_of_many_points_counts_as_the_rectangle_around_it() -> None:
    outline = [[20, 30], [50, 30], [84, 30], [84, 46], [50, 46], [20, 46]]
    assert np.array_equal(make(outline)["anchor_labels"], make(box(20, 30, 84, 46))["anchor_labels"])


def test_two_thousand_texts_are_matched() -> None:
    texts = [box(x, y, x + 15, y + 9) for x in range(0, 800, 16) for y in range(0, 800, 20)]
    truth = make(*texts, size=(800, 800), samples=100_000)
    assert len(texts) == 2000
    assert ((truth["anchor_labels"] == 1).sum(axis=(0, 1)) >= 30).all()  # in each column 40 texts, rows of 16 pixels


def test_an_image_that_the_stride_does_not_divide_is_refused() -> None:
    with pytest.raises(ConfigError, match="multiples of the stride 16. Received: 100 x 160"):
        make(size=(100, 160))


@pytest.mark.parametrize("options", [{"heights": []}, {"heights": [0.0]}, {"stride": 0}, {"low": 0.8}, {"samples": 0}])
def test_arguments_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        MakeCTPNTargets(**options)
