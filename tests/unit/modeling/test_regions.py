"""The parts of the two-stage detector, in the engine of this process, against what they should compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr_lite import geometry, nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import AnchorGenerator, BoxCoder, RegionTruth
from ppocr_lite.losses import LOSSES
from ppocr_lite.modeling import build_model
from ppocr_lite.modeling.regions import RegionSampler, RoIAlign, RPNPostProcess, boxes
from ppocr_lite.modeling.regions.proposals import by_anchor
from tests.engine import array, tensor
from tests.property.test_boxes import random_boxes

STRIDES = [4, 8, 16, 32, 64]
NOTHING = np.zeros((0, 4), np.float32)


def architecture(**head: Any) -> dict[str, Any]:
    anchors = {"strides": STRIDES, "sizes": [8, 16, 32, 64, 128], "aspect_ratios": [0.5, 1.0], "straddle_thresh": -1}
    given = {
        "anchors": anchors,
        "proposals": {"pre_nms_top_n": 60, "post_nms_top_n": 30},
        "sampler": {"batch_size_per_image": 16},
        "box": {"channels": 16},
        "detections": {"max_detections": 8},
        "mask": {"channels": 8, "convs": 1},
    }
    return {
        "model_type": "det",
        "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small", "disable_se": True},
        "Neck": {"name": "FPN", "out_channels": 16},
        "Head": {"name": "MaskRCNNHead"} | given | head,
    }


def truth_of(rects: np.ndarray, size: tuple[int, int] = (96, 128), seed: int = 3) -> RegionTruth:
    outlines = tuple(np.array([[a, b], [c, b], [c, d], [a, d]], np.float32) for a, b, c, d in rects)
    return RegionTruth(rects, outlines, NOTHING, size, seed)


def losses_on(truths: list[RegionTruth], model: Any = None) -> dict[str, float]:
    model = build_model(architecture()) if model is None else model
    model.train()
    image = tensor(np.random.default_rng(0).standard_normal((len(truths), 3, 96, 128)).astype(np.float32))
    batch = {"image": image, "truth": truths}
    terms = LOSSES.build({"name": "MaskRCNNLoss"})(model(image, batch), batch)
    terms["loss"].backward()
    return {name: float(array(value)) for name, value in terms.items()}


def slow_align(plane: np.ndarray, rect: np.ndarray, size: int, scale: float) -> np.ndarray:
    """Return (size, size): the mean of 2 × 2 interpolated places in each cell; outside, the nearest pixel counts."""
    x0, y0, x1, y1 = rect * scale - 0.5
    found = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            for a in (0.25, 0.75):
                for b in (0.25, 0.75):
                    y, x = y0 + (i + a) * (y1 - y0) / size, x0 + (j + b) * (x1 - x0) / size
                    if y < -1 or y > plane.shape[0] or x < -1 or x > plane.shape[1]:
                        continue
                    y, x = (min(max(v, 0.0), n - 1.0) for v, n in zip((y, x), plane.shape, strict=True))
                    top, left = int(y), int(x)
                    below, right = min(top + 1, plane.shape[0] - 1), min(left + 1, plane.shape[1] - 1)
                    upper = plane[top, left] * (1 - x + left) + plane[top, right] * (x - left)
                    lower = plane[below, left] * (1 - x + left) + plane[below, right] * (x - left)
                    found[i, j] += (upper * (1 - y + top) + lower * (y - top)) / 4
    return found


def test_roi_align_takes_the_mean_of_four_places_a_cell(engine: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 9, 11)).astype(np.float32)
    rects = random_boxes(rng, 5, 70)
    rects[4] = [-3, -2, 95, 80]  # beyond the map on every side
    counts = np.array([2, 3], np.int32)
    found = array(nn.roi_align(tensor(x), tensor(rects), tensor(counts), 3, 0.125))
    for index, rect in enumerate(rects.astype(float)):
        for channel in range(3):
            expected = slow_align(x[index // 2 if index < 4 else 1, channel], rect, 3, 0.125)
            np.testing.assert_allclose(found[index, channel], expected, atol=1e-5)


def test_a_box_is_cut_from_the_level_of_its_size(engine: str) -> None:
    rng = np.random.default_rng(1)
    levels = [tensor(rng.standard_normal((2, 4, 512 // s, 512 // s)).astype(np.float32)) for s in (4, 8, 16, 32)]
    sides = np.array([20, 111, 113, 223, 225, 447, 449, 500], np.float32)
    rects = np.stack([np.zeros(8), np.zeros(8), sides, sides], axis=1).astype(np.float32)
    counts, align = np.array([3, 5], np.int32), RoIAlign(2, (4, 8, 16, 32))
    found = array(align(levels, tensor(rects), tensor(counts)))
    for index, level in enumerate([0, 0, 1, 1, 2, 2, 3, 3]):
        image = 0 if index < 3 else 1
        plane = array(levels[level])[image, 2]
        expected = slow_align(plane, rects[index].astype(float), 2, 0.25 / 2**level)
        np.testing.assert_allclose(found[index, 2], expected, atol=1e-4)
    order = rng.permutation(8)
    order = np.concatenate([order[order < 3], order[order >= 3]])
    np.testing.assert_allclose(array(align.cut(levels, rects[order], counts)), found[order], atol=1e-5)


THIN = ([10, 5, 90, 5.5], [10, 5, 10.1, 60], [20, 20, 20, 20], [0, 63.9, 128, 64])


@pytest.mark.parametrize("rect", THIN)
def test_a_box_thinner_than_a_place_has_the_gradient_of_its_features(engine: str, rect: list[float]) -> None:
    rng = np.random.default_rng(2)
    weights, plane = rng.standard_normal((1, 1, 3, 3)).astype(np.float32), np.zeros((1, 1, 16, 32), np.float32)
    rects, counts, align = np.array([rect], np.float32), np.array([1], np.int32), RoIAlign(3, (4,))
    level = tensor(plane, learned=True)
    for cut in (align.cut([level], rects, counts), align([level], tensor(rects), tensor(counts))):
        (cut * tensor(weights)).sum().backward()
    found = level.grad.numpy()[0, 0] / 2
    expected = np.zeros_like(found)  # features are linear in the level, so each place can be asked by itself
    for place in np.ndindex(*found.shape):
        plane[0, 0][place] = 1
        expected[place] = (array(align.cut([tensor(plane)], rects, counts)) * weights).sum()
        plane[0, 0][place] = 0
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_boxes_decode_as_in_numpy(engine: str) -> None:
    rng = np.random.default_rng(2)
    anchors, deltas = random_boxes(rng, 20), rng.normal(0, 2, (20, 4)).astype(np.float32)
    coder = BoxCoder((10, 10, 5, 5), clip=1.0)
    found = boxes.decode(tensor(deltas[None] * 10), tensor(anchors[None]), coder)
    np.testing.assert_allclose(array(found)[0], coder.decode(deltas * 10, anchors), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.7])
def test_rounds_of_suppression_are_the_greedy_one(engine: str, threshold: float) -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        rects = random_boxes(rng, 60)
        scores = np.sort(rng.uniform(0.1, 1, 60).astype(np.float32))[::-1].copy()
        scores[50:] = 0  # no boxes
        kept = array(boxes.suppress(tensor(rects[None]), tensor(scores[None]), threshold))[0]
        expected = geometry.nms(rects[:50], scores[:50], threshold)
        assert np.flatnonzero(kept).tolist() == sorted(expected.tolist())


def test_proposals_are_those_of_numpy(engine: str) -> None:
    """Decoded, clipped, the small dropped, the best of each level suppressed, the best of all kept."""
    generator = AnchorGenerator([8, 16], [16, 32], [0.5, 1.0])
    rng = np.random.default_rng(3)
    shapes = [(6, 8), (3, 4)]
    logits = [rng.permutation(np.linspace(-3, 3, 2 * h * w)).astype(np.float32) for h, w in shapes]
    maps = [tensor(x.reshape(1, 2, h, w)) for x, (h, w) in zip(logits, shapes, strict=True)]
    offsets = [rng.normal(0, 0.2, (1, 8, h, w)).astype(np.float32) for h, w in shapes]
    process = RPNPostProcess(generator, pre_nms_top_n=20, post_nms_top_n=15, nms_thresh=0.5, min_size=6)
    limits = tensor(np.array([[[60, 44, 60, 44]]], np.float32))
    rects, scores = process(maps, [tensor(x) for x in offsets], limits)
    pool: list[tuple[float, np.ndarray]] = []
    for level, grid in enumerate(generator.grid(shapes)):
        score = array(by_anchor(maps[level], 1)).ravel()
        deltas = array(by_anchor(tensor(offsets[level]), 4))[0]
        top = np.argsort(-score)[:20]
        found = geometry.clip_boxes(BoxCoder().decode(deltas[top], grid[top]), (44, 60))
        large = (found[:, 2:] - found[:, :2]).min(axis=1) > 6
        found, kept = found[large], score[top][large]
        pool += [(float(kept[i]), found[i]) for i in geometry.nms(found, kept, 0.5)]
    pool.sort(key=lambda item: -item[0])
    expected = pool[:15]
    valid = array(scores)[0] > 0
    assert valid.sum() == len(expected)
    np.testing.assert_allclose(array(scores)[0][valid], 1 / (1 + np.exp([-score for score, _ in expected])), rtol=1e-4)
    np.testing.assert_allclose(array(rects)[0][valid], [rect for _, rect in expected], atol=1e-3)


def test_a_map_smaller_than_what_is_asked_for_gives_what_it_has(engine: str) -> None:
    generator = AnchorGenerator([32], [40], [1.0])
    process = RPNPostProcess(generator, pre_nms_top_n=50, post_nms_top_n=20)
    limits = tensor(np.array([[[64, 64, 64, 64]]], np.float32))
    zeros = np.zeros((1, 1, 2, 2), np.float32)
    rects, scores = process([tensor(zeros)], [tensor(zeros.repeat(4, 1))], limits)
    assert rects.shape[1] == 20
    assert (array(scores) > 0).sum() == 4
    assert array(rects).max() <= 64


def test_shapes_of_what_the_network_returns(engine: str) -> None:
    model = build_model(architecture())
    image = tensor(np.zeros((2, 3, 96, 128), np.float32))
    found = model.predict(image)
    assert list(found) == ["regions"]
    assert tuple(found["regions"].shape) == (2, 8, 5 + 28**2)
    model.eval()
    seen = model(image)
    assert tuple(seen["proposals"].shape) == (2, 30, 5)
    np.testing.assert_array_equal(array(seen["regions"]), array(model.predict(image)["regions"]))
    model.train()
    outputs = model(image, {"image": image, "truth": [truth_of(NOTHING)] * 2})
    assert [tuple(x.shape) for x in outputs["objectness"]][:2] == [(2, 2, 24, 32), (2, 2, 12, 16)]
    assert [tuple(x.shape) for x in outputs["regression"]][-1:] == [(2, 8, 2, 2)]
    assert tuple(outputs["logits"].shape) == (len(outputs["samples"].rects), 2)


def test_an_image_without_text_teaches_background_alone(engine: str) -> None:
    model = build_model(architecture())
    terms = losses_on([truth_of(NOTHING), truth_of(NOTHING, (90, 100))], model)
    assert all(np.isfinite(value) for value in terms.values())
    assert terms["loss_rpn_box"] == terms["loss_box"] == terms["loss_mask"] == 0
    assert terms["loss_rpn_objectness"] > 0
    assert terms["loss_class"] > 0
    learned = [p for p in model.parameters() if (p.requires_grad if engine == "torch" else not p.stop_gradient)]
    assert all(p.grad is not None for p in learned)


def test_two_thousand_truths_are_learnt(engine: str) -> None:
    rng = np.random.default_rng(4)
    corner = rng.uniform(0, [120, 88], (2000, 2))
    rects = np.concatenate([corner, corner + 6], axis=1).astype(np.float32)
    terms = losses_on([truth_of(rects)])
    assert all(np.isfinite(value) for value in terms.values())
    assert terms["loss_mask"] > 0


def test_an_image_of_ignored_text_alone_is_finite(engine: str) -> None:
    covered = RegionTruth(NOTHING, (), np.array([[0, 0, 128, 96]], np.float32), (96, 128), 1)
    terms = losses_on([covered, covered])
    assert all(np.isfinite(value) for value in terms.values())


def test_strides_of_another_backbone_are_named(engine: str) -> None:
    anchors = architecture()["Head"]["anchors"] | {"strides": [8, 16, 32, 64, 128]}
    with pytest.raises(ConfigError, match="strides: a level of stride 8"):
        losses_on([truth_of(NOTHING)], build_model(architecture(anchors=anchors)))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"anchors": {"strides": [4, 8], "sizes": [8, 16], "aspect_ratios": [1.0]}}, "one stride for each level"),
        ({"box_levels": 6}, "box_levels"),
        ({"mask": {"chanels": 8}}, r"Head\.mask\.chanels.*Did you mean 'channels'"),
        ({"sampler": {"coder": None}}, "computed by the code"),
        ({"detections": {"score_thresh": 2.0}}, "BoxPostProcess"),
    ],
)
def test_a_head_that_cannot_be_is_refused(engine: str, head: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_model(architecture(**head))


def test_the_truth_is_a_proposal_and_what_is_drawn_follows_from_the_seed() -> None:
    rects = np.array([[10, 10, 50, 30], [60, 40, 100, 60]], np.float32)
    rng = np.random.default_rng(5)
    proposals = [random_boxes(rng, 30, 90)]
    sampler = RegionSampler(BoxCoder((10, 10, 5, 5)), 28, batch_size_per_image=12)
    first, again = (sampler(proposals, [truth_of(rects)]) for _ in range(2))
    other = sampler(proposals, [truth_of(rects, seed=4)])
    assert first.rects.tolist() == again.rects.tolist() != other.rects.tolist()
    assert len(first.rects) == first.counts.sum() == 12
    assert first.labels.sum() == len(first.mask_rects) == 2
    text = first.rects[first.labels == 1]
    decoded = sampler.coder.decode(first.deltas[first.labels == 1], text)
    assert all(np.abs(rects - rect).sum(axis=1).min() < 0.1 for rect in decoded)
    assert first.masks.shape == (2, 28, 28)
    assert first.mask_weights.tolist() == [1, 1]


def test_the_loss_falls_on_one_batch(engine: str) -> None:
    """What the heads say is taken for free parameters, as every loss is tested."""
    rects = np.array([[10, 10, 50, 30], [60, 40, 100, 60]], np.float32)
    model = build_model(architecture())
    first = losses_on([truth_of(rects)], model)
    for _ in range(5):
        for parameter in model.parameters():
            if parameter.grad is not None:
                nn.set_value(parameter, array(parameter) - 0.02 * array(parameter.grad))
        model.zero_grad() if engine == "torch" else model.clear_gradients()
        last = losses_on([truth_of(rects)], model)
    assert last["loss"] < first["loss"]
