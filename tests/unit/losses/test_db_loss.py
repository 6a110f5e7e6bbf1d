from __future__ import annotations

import numpy as np
import paddle
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import DBLoss, functional

KINDS = ["DiceLoss", "SoftIoULoss", "WeightedBCELoss", "BCELoss", "FocalLoss", "Euclidean", "MaskL1Loss"]


def batch(*, text: bool = True, known: bool = True, side: int = 16) -> dict[str, paddle.Tensor]:
    shrink = paddle.zeros([2, side, side])
    if text:
        shrink[:, 4:9, 3:12] = 1.0
    mask = paddle.full([2, side, side], float(known))
    return {"shrink_map": shrink, "shrink_mask": mask, "threshold_map": 0.3 + 0.4 * shrink, "threshold_mask": shrink}


def maps(seed: int = 0, side: int = 16) -> tuple[paddle.Tensor, paddle.Tensor]:
    paddle.seed(seed)
    logits = paddle.randn([2, 3, side, side]) * 2
    logits.stop_gradient = False
    return logits, paddle.nn.functional.sigmoid(logits)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("balance", [True, False])
@pytest.mark.parametrize(("text", "known"), [(True, True), (False, True), (True, False)])
def test_loss_and_gradient_are_finite(kind: str, balance: bool, text: bool, known: bool) -> None:
    logits, prediction = maps()
    loss = DBLoss(balance, kind)({"maps": prediction}, batch(text=text, known=known))["loss"]
    loss.backward()
    assert loss.dtype == paddle.float32
    assert np.isfinite(loss.item())
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("kind", ["WeightedBCELoss", "BCELoss", "FocalLoss", "Euclidean", "MaskL1Loss"])
def test_a_batch_without_text_teaches_background(kind: str) -> None:
    logits, prediction = maps()
    DBLoss(main_loss_type=kind)({"maps": prediction}, batch(text=False))["loss"].backward()
    assert (logits.grad[:, 0] > 0).all()  # a step against the gradient lowers every probability


@pytest.mark.parametrize("kind", KINDS)
def test_perfect_maps_cost_nothing(kind: str) -> None:
    truth = batch()
    perfect = paddle.stack([truth["shrink_map"], truth["threshold_map"], truth["shrink_map"]], axis=1)
    assert DBLoss(main_loss_type=kind)({"maps": perfect}, truth)["loss"].item() == pytest.approx(0, abs=1e-4)


def test_terms_carry_their_weights_and_add_up() -> None:
    _, prediction = maps()
    truth = batch()
    terms = {k: v.item() for k, v in DBLoss(main_loss_type="BCELoss")({"maps": prediction}, truth).items()}
    l1 = functional.masked_l1(prediction[:, 1], truth["threshold_map"], truth["threshold_mask"]).item()
    assert terms["loss_threshold_maps"] == pytest.approx(10 * l1, rel=1e-5)
    total = terms.pop("loss")
    assert set(terms) == {"loss_shrink_maps", "loss_threshold_maps", "loss_binary_maps"}
    assert total == pytest.approx(sum(terms.values()), rel=1e-5)


def test_balancing_leaves_easy_negatives_out() -> None:
    truth = batch()
    prediction = paddle.full([2, 3, 16, 16], 0.01)
    prediction[:, :, 0, :] = 0.99  # 32 hard negatives
    losses = [DBLoss(balance, "BCELoss")({"maps": prediction}, truth)["loss_shrink_maps"].item() for balance in (1, 0)]
    assert losses[0] > losses[1]


@pytest.mark.parametrize("kind", ["DiceLoss", "SoftIoULoss", "WeightedBCELoss"])
def test_losses_of_the_whole_map_are_not_changed_by_balancing(kind: str) -> None:
    _, prediction = maps()
    losses = [DBLoss(balance, kind)({"maps": prediction}, batch())["loss"].item() for balance in (True, False)]
    assert losses[0] == losses[1]


def test_half_precision_maps_are_compared_in_single_precision() -> None:
    _, prediction = maps()
    assert DBLoss()({"maps": prediction.astype("float16")}, batch())["loss"].dtype == paddle.float32


def test_equal_inputs_give_equal_gradients_bit_for_bit() -> None:
    gradients = []
    for _ in range(2):
        logits, prediction = maps()
        DBLoss(main_loss_type="BCELoss")({"maps": prediction}, batch())["loss"].backward()
        gradients.append(logits.grad.numpy())
    assert (gradients[0] == gradients[1]).all()


@pytest.mark.parametrize("values", [{"alpha": -1.0}, {"ohem_ratio": 0.0}, {"eps": 0.0}])
def test_senseless_weight_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="DBLoss needs"):
        DBLoss(**values)


def test_one_map_is_taught_alone() -> None:
    _, prediction = maps()
    truth = batch()
    whole, one = (DBLoss()({"maps": given}, truth) for given in (prediction, prediction[:, :1]))
    assert set(one) == {"loss", "loss_shrink_maps"}
    assert one["loss"].item() == pytest.approx(whole["loss_shrink_maps"].item())
