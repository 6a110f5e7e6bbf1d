"""Boxes and anchors against slow versions written out number by number, and against published anchors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppocr_lite import geometry
from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import AnchorGenerator, BalancedPositiveNegativeSampler, BoxCoder, Matcher

SEEDS = st.integers(0, 10_000)
# What the authors' code prints for stride 16, ratios 0.5, 1, 2 and scales 8, 16, 32: corners are pixels, both inside.
PUBLISHED = [
    [-84, -40, 99, 55], [-176, -88, 191, 103], [-360, -184, 375, 199],
    [-56, -56, 71, 71], [-120, -120, 135, 135], [-248, -248, 263, 263],
    [-36, -80, 51, 95], [-80, -168, 95, 183], [-168, -344, 183, 359],
]  # fmt: skip


def random_boxes(rng: np.random.Generator, count: int, span: float = 60.0) -> np.ndarray:
    corner = rng.uniform(0, span, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(0.5, span / 2, (count, 2))], axis=1).astype(np.float32)


def slow_iou(a: np.ndarray, b: np.ndarray) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    shared = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return float(shared / union)


def slow_nms(rects: np.ndarray, scores: np.ndarray, threshold: float) -> list[int]:
    kept: list[int] = []
    for index in sorted(range(len(rects)), key=lambda i: (-scores[i], i)):
        if all(slow_iou(rects[index], rects[other]) <= threshold for other in kept):
            kept.append(index)
    return kept


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_iou_is_that_of_each_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = random_boxes(rng, 5), random_boxes(rng, 7)
    expected = [[slow_iou(a.astype(float), b.astype(float)) for b in second] for a in first]
    np.testing.assert_allclose(geometry.box_iou(first, second), expected, atol=1e-5)


def test_boxes_without_an_area_overlap_nothing() -> None:
    rects = np.array([[5, 5, 5, 9], [9, 9, 2, 2]], np.float32)
    assert geometry.box_iou(rects, rects).tolist() == [[0, 0], [0, 0]]
    assert geometry.box_iou(rects, np.zeros((0, 4), np.float32)).shape == (2, 0)


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.floats(0.05, 0.95))
def test_suppression_is_the_greedy_one(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    rects, scores = random_boxes(rng, 25), rng.integers(0, 9, 25).astype(np.float32)
    assert geometry.nms(rects, scores, threshold).tolist() == slow_nms(rects, scores, threshold)
    assert geometry.nms(rects[:0], scores[:0], threshold).tolist() == []


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.sampled_from([(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)]))
def test_decoding_undoes_encoding(seed: int, weights: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(seed)
    rects, anchors = random_boxes(rng, 9), random_boxes(rng, 9)
    coder = BoxCoder(weights)
    np.testing.assert_allclose(coder.decode(coder.encode(rects, anchors), anchors), rects, atol=1e-2)


def test_the_offsets_are_those_of_the_paper() -> None:
    anchor, rect = np.array([[10, 20, 30, 60]], np.float32), np.array([[15, 10, 55, 30]], np.float32)
    # centres (20, 40) and (35, 20); sides 20 × 40 and 40 × 20
    expected = [15 / 20, -20 / 40, np.log(2), np.log(0.5)]
    np.testing.assert_allclose(BoxCoder().encode(rect, anchor)[0], expected, rtol=1e-6)


def test_no_offset_overflows() -> None:
    anchors = np.array([[0, 0, 16, 16]], np.float32)
    found = BoxCoder().decode(np.array([[0, 0, 1e9, 1e9]], np.float32), anchors)
    np.testing.assert_allclose(found[0, 2] - found[0, 0], 1000, rtol=1e-4)


def test_the_published_anchors_number_by_number() -> None:
    found = AnchorGenerator([16], [128, 256, 512], [0.5, 1, 2]).base[0]
    assert (found - np.array([0, 0, 1, 1])).tolist() == PUBLISHED


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([4, 8, 16, 32]), st.floats(8, 300), st.floats(0.1, 5))
def test_all_proportions_have_the_area_of_the_size(stride: int, size: float, ratio: float) -> None:
    (x0, y0, x1, y1) = AnchorGenerator([stride], [size], [ratio], round_base=False).base[0][0].tolist()
    assert (x1 - x0) * (y1 - y0) == pytest.approx(size**2, rel=1e-3)
    assert (y1 - y0) / (x1 - x0) == pytest.approx(ratio, rel=1e-3)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((stride / 2, stride / 2), abs=1e-3)


def test_the_grid_moves_every_anchor_to_every_place() -> None:
    generator = AnchorGenerator([4, 8], [16, 32], [0.5, 1], anchor_stride=[4, 6])
    grids = generator.grid([(3, 2), (2, 2)])
    for grid, base, step, (rows, columns) in zip(grids, generator.base, (4, 6), [(3, 2), (2, 2)], strict=True):
        expected = [
            [anchor[0] + step * x, anchor[1] + step * y, anchor[2] + step * x, anchor[3] + step * y]
            for y in range(rows)
            for x in range(columns)
            for anchor in base
        ]
        np.testing.assert_allclose(grid, expected)


@pytest.mark.parametrize(("thresh", "expected"), [(0, [1, 0, 0]), (2, [1, 1, 0]), (-1, [1, 1, 1])])
def test_visible_anchors_straddle_the_border_by_no_more(thresh: float, expected: list[int]) -> None:
    generator = AnchorGenerator([16], [32], [1], straddle_thresh=thresh)
    anchors = np.array([[0, 0, 40, 20], [-2, 0, 42, 20], [0, 0, 40, 23]], np.float32)
    assert generator.visible(anchors, (20, 40)).tolist() == [bool(value) for value in expected]


@pytest.mark.parametrize(
    "arguments", [([], [8], [1]), ([4, 8], [16], [1]), ([4], [0], [1]), ([4], [8], [1], 0.0, [4, 8])]
)
def test_anchors_that_cannot_be_are_refused(arguments: tuple) -> None:
    with pytest.raises(ConfigError, match="AnchorGenerator"):
        AnchorGenerator(*arguments)


def test_maps_that_are_not_as_many_as_strides_are_refused() -> None:
    with pytest.raises(ConfigError, match="2 strides"):
        AnchorGenerator([4, 8], [16, 32], [1]).grid([(3, 3)])


def slow_match(quality: np.ndarray, high: float, low: float, rescue: bool) -> list[int]:
    found = []
    for anchor in range(quality.shape[1]):
        column = quality[:, anchor]
        best = int(np.argmax(column))
        wanted = rescue and any(
            column[truth] > 0 and column[truth] == quality[truth].max() for truth in range(len(quality))
        )
        if column[best] >= high or wanted:
            found.append(best)
        else:
            found.append(Matcher.BELOW if column[best] < low else Matcher.BETWEEN)
    return found


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.booleans())
def test_matching_is_that_of_each_anchor(seed: int, rescue: bool) -> None:
    rng = np.random.default_rng(seed)
    truths, anchors = random_boxes(rng, 6), random_boxes(rng, 40)
    matcher = Matcher(0.5, 0.2, rescue)
    quality = geometry.box_iou(truths, anchors)
    expected = slow_match(quality, 0.5, 0.2, rescue)
    assert matcher(quality).tolist() == expected
    assert matcher.match(truths, anchors).tolist() == expected
    for truth in np.flatnonzero(quality.max(axis=1) > 0) if rescue else ():
        assert (np.array(expected)[quality[truth] == quality[truth].max()] >= 0).all()


def test_thousands_of_truths_are_matched_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    truths, anchors = random_boxes(rng, 50, 500), random_boxes(rng, 300, 500)
    whole = Matcher().match(truths, anchors)
    monkeypatch.setattr("ppocr_lite.geometry.anchors._BLOCK_VALUES", 1000)  # three truths at a time
    assert Matcher().match(truths, anchors).tolist() == whole.tolist()


def test_without_truth_all_is_background() -> None:
    matched = Matcher().match(np.zeros((0, 4), np.float32), random_boxes(np.random.default_rng(0), 5))
    assert matched.tolist() == [Matcher.BELOW] * 5
    assert Matcher.labels(np.array([3, Matcher.BELOW, Matcher.BETWEEN])).tolist() == [1, 0, -1]


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 30), st.floats(0, 1))
def test_a_sample_is_filled_with_negatives(seed: int, size: int, share: float) -> None:
    labels = np.random.default_rng(seed).integers(-1, 2, 40)
    sampler = BalancedPositiveNegativeSampler(size, share)
    positive, negative = sampler(labels, np.random.default_rng(5))
    assert (labels[positive] == 1).all()
    assert (labels[negative] == 0).all()
    assert len(positive) == min((labels == 1).sum(), int(size * share))
    assert len(negative) == min((labels == 0).sum(), size - len(positive))
    assert len(set(positive)) == len(positive)
    assert len(set(negative)) == len(negative)
    again = sampler(labels, np.random.default_rng(5))
    assert positive.tolist() == again[0].tolist()
    assert negative.tolist() == again[1].tolist()


def test_background_in_an_ignored_region_is_not_learnt() -> None:
    rects = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [8, 0, 18, 10]], np.float32)
    ignored = np.array([[0, 0, 12, 10]], np.float32)
    assert geometry.without_ignored(np.array([0, 1, 0]), rects, ignored).tolist() == [-1, 1, 0]


def slow_paste(mask: np.ndarray, rect: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the page (H, W): each pixel interpolated between the four cells around it, 0 beyond."""
    page = np.zeros(size)
    side = len(mask)
    for y in range(size[0]):
        for x in range(size[1]):
            v = (y + 0.5 - rect[1]) / (rect[3] - rect[1]) * side - 0.5
            u = (x + 0.5 - rect[0]) / (rect[2] - rect[0]) * side - 0.5
            for row in (int(np.floor(v)), int(np.floor(v)) + 1):
                for column in (int(np.floor(u)), int(np.floor(u)) + 1):
                    if 0 <= row < side and 0 <= column < side:
                        page[y, x] += mask[row, column] * (1 - abs(v - row)) * (1 - abs(u - column))
    return page


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_pasting_interpolates_between_the_cells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask, rect = rng.random((4, 4), np.float32), random_boxes(rng, 1, 20)[0] - np.float32(4)
    part, (left, top) = geometry.paste_mask(mask, rect, (18, 21))
    page = slow_paste(mask, rect.astype(float), (18, 21))
    np.testing.assert_allclose(part, page[top : top + part.shape[0], left : left + part.shape[1]], atol=1e-4)


def test_nothing_is_left_of_a_mask_outside_the_page() -> None:
    mask = np.ones((4, 4), np.float32)
    assert geometry.paste_mask(mask, np.array([30, 2, 40, 9], np.float32), (20, 25))[0].size == 0
    assert geometry.largest_outline(np.zeros((3, 3), bool)) is None


def test_the_mask_of_a_box_is_the_text_in_it_cell_by_cell() -> None:
    outline = np.array([[10, 10], [30, 10], [30, 20], [10, 20]], np.float32)
    mask = geometry.mask_in_box(outline, np.array([0, 0, 40, 40], np.float32), 8)  # cells of 5 pixels
    expected = np.zeros((8, 8))
    expected[2:4, 2:6] = 1
    assert mask.tolist() == expected.tolist()
    far = geometry.mask_in_box(outline, np.array([100, 100, 140, 140], np.float32), 8)
    assert not far.any()
