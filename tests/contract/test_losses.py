"""What every loss promises: a finite scalar that falls when its own gradient is followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import paddle
import pytest

from ppocr_lite.config.check import check_component
from ppocr_lite.losses import LOSSES

NETWORKS = ("Student", "Teacher")
# Arguments that a loss cannot do without.
REQUIRED: dict[str, dict[str, Any]] = {
    "CenterLoss": {"num_classes": 5, "feat_dim": 3},
    "CombinedLoss": {"loss_config_list": [{"DBLoss": {"weight": 0.5}}]},
    "DistillationDBLoss": {"model_name_list": ["Student"]},
    "DistillationDilaDBLoss": {"model_name_pairs": [["Student", "Teacher"]]},
    "DistillationDMLLoss": {"model_name_pairs": [["Student", "Teacher"]], "act": "softmax", "key": "logits"},
    "DistillationCTCLoss": {"model_name_list": ["Student"], "key": "logits"},
    "DistillationDistanceLoss": {"model_name_pairs": [["Student", "Teacher"]], "key": "logits"},
}
SEQUENCES = (
    *("CTCLoss", "ACELoss", "CenterLoss"),
    *("DistillationCTCLoss", "DistillationDMLLoss", "DistillationDistanceLoss"),
)


def build(name: str) -> Any:
    return LOSSES.build(check_component(LOSSES, {"name": name} | REQUIRED.get(name, {}), "Loss"))


def make_batch(name: str, *, text: bool = True) -> dict[str, paddle.Tensor]:
    if name in SEQUENCES:
        labels, lengths = [[1, 2, 0, 0], [3, 3, 1, 0]], [2, 3]
        return {
            "label": paddle.to_tensor(np.array(labels, np.int32)),
            "length": paddle.to_tensor(np.array(lengths, np.int64)),
        }
    if name == "ClsLoss":
        return {"label": paddle.to_tensor(np.array([0, 1], np.int64))}
    shrink = paddle.zeros([2, 16, 16])
    if text:
        shrink[:, 3:10, 2:12] = 1.0
    mask = paddle.ones([2, 16, 16])
    return {"shrink_map": shrink, "shrink_mask": mask, "threshold_map": 0.3 + 0.4 * shrink, "threshold_mask": shrink}


def make_outputs(name: str, parameters: Mapping[str, paddle.Tensor]) -> dict[str, Any]:
    """Turn free parameters into what a network would return: maps, or logits."""
    if name in SEQUENCES or name == "ClsLoss":
        found = {network: {"logits": value, "feats": value[..., :3]} for network, value in parameters.items()}
    else:
        found = {network: {"maps": paddle.nn.functional.sigmoid(value)} for network, value in parameters.items()}
    return found if name.startswith("Distillation") else found["Student"]


def make_parameters(name: str) -> dict[str, paddle.Tensor]:
    shape = [2, 8, 5] if name in SEQUENCES else [2, 2] if name == "ClsLoss" else [2, 3, 16, 16]
    paddle.seed(1)
    parameters = {network: paddle.randn(shape) for network in NETWORKS}
    for value in parameters.values():
        value.stop_gradient = False
    return parameters


@pytest.mark.parametrize("name", list(LOSSES))
def test_loss_falls_on_one_batch(name: str) -> None:
    loss, batch, parameters = build(name), make_batch(name), make_parameters(name)
    optimizer = paddle.optimizer.Adam(0.1, parameters=list(parameters.values()))
    values = []
    for _ in range(12):
        terms = loss(make_outputs(name, parameters), batch)
        assert all(np.isfinite(term.item()) for term in terms.values())
        terms["loss"].backward()
        optimizer.step()
        optimizer.clear_grad()
        values.append(terms["loss"].item())
    assert values[-1] < 0.8 * values[0]


@pytest.mark.parametrize("name", list(LOSSES))
def test_terms_are_scalars_in_single_precision(name: str) -> None:
    terms = build(name)(make_outputs(name, make_parameters(name)), make_batch(name))
    assert all(value.shape == [] and value.dtype == paddle.float32 for value in terms.values())


@pytest.mark.parametrize("name", [name for name in LOSSES if "DB" in name or name == "CombinedLoss"])
def test_batch_without_text_is_finite(name: str) -> None:
    parameters = make_parameters(name)
    terms = build(name)(make_outputs(name, parameters), make_batch(name, text=False))
    terms["loss"].backward()
    assert np.isfinite(terms["loss"].item())
    assert parameters["Student"].grad.isfinite().all()
