from __future__ import annotations

import numpy as np
import paddle
import pytest

from ppocr_lite.losses import functional

ONES = paddle.ones([1, 2, 2])


def tensor(values: object) -> paddle.Tensor:
    return paddle.to_tensor(np.asarray(values, np.float32))


def test_dice_of_equal_maps_is_zero_and_of_disjoint_ones_one() -> None:
    truth = tensor([[[1, 0], [0, 1]]])
    assert functional.dice(truth, truth, ONES).item() == pytest.approx(0, abs=1e-6)
    assert functional.dice(1 - truth, truth, ONES).item() == pytest.approx(1, abs=1e-6)


def test_dice_and_iou_of_half_an_overlap() -> None:
    prediction, truth = tensor([[[1, 1], [0, 0]]]), tensor([[[1, 0], [1, 0]]])
    assert functional.dice(prediction, truth, ONES).item() == pytest.approx(1 - 2 * 1 / 4, abs=1e-6)
    assert functional.soft_iou(prediction, truth, ONES).item() == pytest.approx(1 - 1 / 3, abs=1e-6)


def test_masked_pixels_do_not_count() -> None:
    truth, mask = tensor([[[1, 0], [0, 0]]]), tensor([[[1, 1], [1, 0]]])
    wrong = tensor([[[1, 0], [0, 1]]])  # wrong only where masked
    assert functional.dice(wrong, truth, mask).item() == pytest.approx(0, abs=1e-6)
    assert functional.masked_l1(wrong, truth, mask).item() == 0
    assert functional.hard_negative_mean(wrong, truth, mask * (1 - truth), 3.0).item() == 0


def test_empty_prediction_of_an_empty_truth_costs_nothing() -> None:
    nothing = paddle.zeros([1, 2, 2])
    assert functional.dice(nothing, nothing, ONES).item() == 0
    assert functional.soft_iou(nothing, nothing, ONES).item() == 0


def test_l1_is_the_mean_where_the_mask_is_one() -> None:
    mask = tensor([[[1, 1], [0, 0]]])
    assert functional.masked_l1(tensor([[[0.5, 0.1], [9, 9]]]), paddle.zeros([1, 2, 2]), mask).item() == pytest.approx(
        0.3, abs=1e-5
    )


def test_hard_negatives_are_the_worst_three_per_positive() -> None:
    values = tensor([[[1.0, 0.1, 0.9, 0.2], [0.8, 0.3, 0.4, 0.05]]])
    truth = tensor([[[1, 0, 0, 0], [0, 0, 0, 0]]])
    mean = functional.hard_negative_mean(values, truth, paddle.ones_like(truth), 3.0).item()
    assert mean == pytest.approx((1.0 + 0.9 + 0.8 + 0.4) / 4, rel=1e-5)


def test_all_negatives_count_without_a_positive() -> None:
    values = tensor([[[0.2, 0.4]]])
    mean = functional.hard_negative_mean(values, paddle.zeros([1, 1, 2]), paddle.ones([1, 1, 2]), 3.0).item()
    assert mean == pytest.approx(0.3, rel=1e-4)


def test_hard_negatives_match_a_full_sort_on_a_large_map() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((2, 64, 64), np.float32)
    truth, mask = (rng.random((2, 64, 64)) < 0.05).astype("f4"), (rng.random((2, 64, 64)) < 0.9).astype("f4")
    positives = int((truth * mask).sum())
    hardest = np.sort((values * (1 - truth) * mask).ravel())[::-1][: 3 * positives]
    expected = ((values * truth * mask).sum() + hardest.sum()) / (4 * positives)
    mean = functional.hard_negative_mean(tensor(values), tensor(truth), tensor(mask), 3.0).item()
    assert mean == pytest.approx(expected, rel=1e-4)


def test_focal_loss_of_a_pixel_follows_its_formula() -> None:
    values = functional.pixel_focal(tensor([0.8, 0.8]), tensor([1.0, 0.0])).numpy()
    assert values == pytest.approx([-0.25 * 0.2**2 * np.log(0.8), -0.75 * 0.8**2 * np.log(0.2)], rel=1e-4)


def test_rare_text_weighs_as_much_as_the_background() -> None:
    prediction, truth = tensor([[[0.9, 0.2], [0.3, 0.5]]]), tensor([[[1, 0], [0, 1]]])
    mask = tensor([[[1, 1], [1, 0]]])  # one positive pixel and two negative ones are known
    expected = -(2 * np.log(0.9) + np.log(0.8) + np.log(0.7)) / 3
    assert functional.weighted_bce(prediction, truth, mask).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_one_kind_of_pixel_alone_has_no_weight(truth: float) -> None:
    prediction = paddle.full([1, 2, 2], 0.8)
    found = functional.weighted_bce(prediction, paddle.full([1, 2, 2], truth), ONES).item()
    assert found == pytest.approx(-np.log(0.8 if truth else 0.2), rel=1e-5)


def test_saturated_probabilities_stay_finite() -> None:
    prediction = tensor([0.0, 1.0, 0.0, 1.0])
    prediction.stop_gradient = False
    loss = functional.pixel_bce(prediction, tensor([1.0, 0.0, 0.0, 1.0])).sum()
    loss.backward()
    assert np.isfinite(loss.item())
    assert prediction.grad.isfinite().all()


def test_divergence_of_maps_is_symmetric_and_zero_only_where_equal() -> None:
    p, q = tensor([0.2, 0.7]), tensor([0.3, 0.7])
    forward, backward = (functional.bernoulli_divergence(*pair).item() for pair in ((p, q), (q, p)))
    kl = [a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b)) for a, b in ((0.2, 0.3), (0.3, 0.2))]
    assert forward == pytest.approx(backward, rel=1e-5) == pytest.approx(sum(kl) / 2 / 2, rel=1e-3)
    assert functional.bernoulli_divergence(p, p).item() == 0


def test_divergence_of_distributions_matches_its_definition() -> None:
    p, q = np.float32([[0.2, 0.5, 0.3]]), np.float32([[0.4, 0.4, 0.2]])
    expected = ((p * np.log(p / q)).sum() + (q * np.log(q / p)).sum()) / 2
    found = functional.categorical_divergence(tensor(np.log(p)), tensor(np.log(q))).item()
    assert found == pytest.approx(expected, rel=1e-5)
