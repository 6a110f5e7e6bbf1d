from __future__ import annotations

from typing import Any

import paddle
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import ClsLoss, CombinedLoss, CTCLoss

CLS = ({"logits": paddle.to_tensor([[2.0, 1.0]])}, {"label": paddle.to_tensor([1])})


def test_parts_are_weighted_and_added() -> None:
    alone = ClsLoss()(*CLS)["loss"].item()
    found = CombinedLoss([{"ClsLoss": {"weight": 0.5}}, {"ClsLoss": {"weight": 2}}])(*CLS)
    assert {key: round(value.item() / alone, 4) for key, value in found.items()} == {
        "loss": 2.5,
        "loss_ClsLoss_0": 0.5,
        "loss_ClsLoss_1": 2.0,
    }


def test_number_of_infeasible_texts_is_not_weighted() -> None:
    batch = {"label": paddle.to_tensor([[1, 1]], "int32"), "length": paddle.to_tensor([2])}
    outputs = {"logits": paddle.zeros([1, 2, 3])}
    assert CTCLoss()(outputs, batch)["ctc_infeasible"].item() == 1
    found = CombinedLoss([{"CTCLoss": {"weight": 0.1, "use_focal_loss": False}}])(outputs, batch)
    assert found["ctc_infeasible"].item() == 1


def test_terms_of_one_name_are_told_apart() -> None:
    part = {"weight": 1.0, "model_name_pairs": ["A", "B"], "key": "x"}
    outputs = {"A": {"x": paddle.ones([2, 2])}, "B": {"x": paddle.zeros([2, 2])}}
    found = CombinedLoss([{"DistillationDistanceLoss": part}, {"DistillationDistanceLoss": part}])(outputs, {})
    assert set(found) == {"loss", "loss_distance_l2_A_B_0", "loss_distance_l2_A_B_0_1"}


def test_list_is_not_changed() -> None:
    given = [{"ClsLoss": {"weight": 1.0}}]
    CombinedLoss(given)
    assert given == [{"ClsLoss": {"weight": 1.0}}]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "at least one loss"),
        ([{"ClsLoss": None}], r"\[0\]\.ClsLoss\.weight must be a number"),
        ([{"ClsLoss": {"weight": 1.0}, "DBLoss": {"weight": 1.0}}], r"\[0\] must be"),
        ([{"ClsLos": {"weight": 1.0}}], "Did you mean 'ClsLoss'"),
        ([{"DBLoss": {"weight": 1.0, "alfa": 5}}], "Did you mean 'alpha'"),
    ],
)
def test_wrong_entry_is_refused(given: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CombinedLoss(given)
