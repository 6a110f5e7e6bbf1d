"""What every loss promises: a finite scalar that falls when its own gradient is followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import paddle
import pytest

from ppocr_lite.config.check import check_component
from ppocr_lite.errors import OCRError
from ppocr_lite.geometry import AnchorGenerator, BoxCoder, RegionTruth
from ppocr_lite.losses import LOSSES
from ppocr_lite.modeling.regions import RegionSampler

NETWORKS = ("Student", "Teacher")
# Arguments that a loss cannot do without.
REQUIRED: dict[str, dict[str, Any]] = {
    "CenterLoss": {"num_classes": 5, "feat_dim": 3},
    "CombinedLoss": {"loss_config_list": [{"DBLoss": {"weight": 0.5}}]},
    "MultiLoss": {"loss_config_list": [{"CTCLoss": None}, {"NRTRLoss": None}]},
    "DistillationDBLoss": {"model_name_list": ["Student"]},
    "DistillationDilaDBLoss": {"model_name_pairs": [["Student", "Teacher"]]},
    "DistillationDMLLoss": {"model_name_pairs": [["Student", "Teacher"]], "act": "softmax", "key": "logits"},
    "DistillationCTCLoss": {"model_name_list": ["Student"], "key": "logits"},
    "DistillationDistanceLoss": {"model_name_pairs": [["Student", "Teacher"]], "key": "logits"},
}
Tensors = dict[str, paddle.Tensor]


@dataclass(frozen=True)
class Case:
    """What a kind of network returns, of free parameters, and a truth; whoever adds a kind adds a case.

    Attributes:
        shape: Of the parameters.
        outputs: Parameters → what the network returns.
        batch: The truth; told whether there is any text.
        several: Whether there are two networks, by name.
    """

    shape: tuple[int, ...]
    outputs: Callable[[paddle.Tensor], Tensors]
    batch: Callable[[bool], Tensors]
    several: bool = False


def page(text: bool) -> Tensors:
    shrink = paddle.zeros([2, 16, 16])
    if text:
        shrink[:, 3:10, 2:12] = 1.0
    mask = paddle.ones([2, 16, 16])
    targets = {"shrink_map": shrink, "threshold_map": 0.3 + 0.4 * shrink, "teacher_map": (255 * shrink).astype("uint8")}
    return targets | {"shrink_mask": mask, "threshold_mask": shrink}


def line(text: bool) -> Tensors:
    labels, lengths = [[1, 2, 0, 0], [3, 3, 1, 0]], [2, 3]
    return {
        "label": paddle.to_tensor(np.array(labels, np.int32)),
        "length": paddle.to_tensor(np.array(lengths, np.int64)),
    }


def guided(text: bool) -> Tensors:
    truth = line(text)
    guide = paddle.to_tensor(np.array([[2, 3, 4, 3, 0, 0], [2, 4, 4, 3, 3, 0]], np.int32))
    return {"label_ctc": truth["label"], "label_gtc": guide, "length": truth["length"]}


def columns(text: bool) -> Tensors:
    """Truth of CTPN: two anchors at each of 4 × 4 places."""
    labels = paddle.zeros([2, 2, 4, 4], "int64")
    if text:
        labels[:, 0, 1] = 1
    labels[:, 1, 3] = -1
    learnt = (labels == 1).astype("float32")
    vertical = paddle.stack([0.3 * learnt, -0.2 * learnt], axis=1)
    return {
        "anchor_labels": labels,
        "anchor_vertical": vertical,
        "anchor_sides": 0.5 * learnt,
        "anchor_side_mask": learnt,
    }


def regions(text: bool) -> dict[str, Any]:
    rects = np.array([[4, 4, 20, 12], [10, 16, 30, 28]], np.float32)[: 2 * text]
    outlines = tuple(np.array([[a, b], [c, b], [c, d], [a, d]], np.float32) for a, b, c, d in rects)
    truth = RegionTruth(rects, outlines, np.zeros((0, 4), np.float32), (32, 32), 1)
    return {"truth": [truth, truth]}


def two_stages(x: paddle.Tensor) -> dict[str, Any]:
    """What a :class:`MaskRCNNHead` returns: 16 places with one anchor each, of two images, and three proposals."""
    generator = AnchorGenerator([8], [12], [1.0], straddle_thresh=-1)
    proposals = np.array([[4, 4, 20, 12], [9, 15, 31, 29], [0, 20, 8, 30]], np.float32)
    samples = RegionSampler(BoxCoder(), 2, batch_size_per_image=6)([proposals, proposals], regions(True)["truth"])
    count, masks = len(samples.rects), len(samples.mask_rects)
    second = x[:, 5].flatten()[: 6 * count].reshape([count, 6])
    return {
        "objectness": [x[:, :1]],
        "regression": [x[:, 1:5]],
        "anchors": generator.grid([(4, 4)]),
        "generator": generator,
        "samples": samples,
        "logits": second[:, :2] * 2,
        "deltas": second[:, 2:],
        "masks": x[:, 6].flatten()[: 4 * masks].reshape([masks, 2, 2]),
    }


CASES = [
    Case((2, 7, 4, 4), two_stages, regions),
    Case((2, 3, 16, 16), lambda x: {"maps": paddle.nn.functional.sigmoid(x)}, page),
    Case((2, 2), lambda x: {"logits": x}, lambda text: {"label": paddle.to_tensor(np.array([0, 1], np.int64))}),
    Case((2, 10, 4, 4), lambda x: {"scores": x[:, :4], "vertical": x[:, 4:8], "sides": x[:, 8:]}, columns),
    Case((2, 8, 5), lambda x: {"logits": x, "feats": x[..., :3]}, line),
    Case((2, 8, 5), lambda x: {"logits": x, "gtc": 3 * x[:, 1:6]}, guided),
]
CASES += [replace(case, several=True) for case in CASES]


def build(name: str) -> Any:
    return LOSSES.build(check_component(LOSSES, {"name": name} | REQUIRED.get(name, {}), "Loss"))


def make_outputs(case: Case, parameters: Mapping[str, paddle.Tensor]) -> dict[str, Any]:
    found = {network: case.outputs(value) for network, value in parameters.items()}
    return found if case.several else found["Student"]


def make_parameters(case: Case) -> Tensors:
    paddle.seed(1)
    parameters = {network: paddle.randn(case.shape) for network in NETWORKS}
    for value in parameters.values():
        value.stop_gradient = False
    return parameters


def case_of(name: str) -> Case:
    """Return the first case whose keys and shapes the loss takes."""
    reasons = []
    for case in CASES:
        try:
            build(name)(make_outputs(case, make_parameters(case)), case.batch(True))
        except (KeyError, ValueError, IndexError, TypeError, RuntimeError, OCRError) as error:
            reasons.append(f"{type(error).__name__}: {error}"[:200])
            continue
        return case
    raise AssertionError(f"No case of this file is what {name} reads; add one. {reasons}")


@pytest.mark.parametrize("name", list(LOSSES))
def test_loss_falls_on_one_batch(name: str) -> None:
    case = case_of(name)
    loss, batch, parameters = build(name), case.batch(True), make_parameters(case)
    optimizer = paddle.optimizer.Adam(0.1, parameters=list(parameters.values()))
    values = []
    for _ in range(12):
        terms = loss(make_outputs(case, parameters), batch)
        assert all(np.isfinite(term.item()) for term in terms.values())
        terms["loss"].backward()
        optimizer.step()
        optimizer.clear_grad()
        values.append(terms["loss"].item())
    assert values[-1] < 0.8 * values[0]


@pytest.mark.parametrize("name", list(LOSSES))
def test_terms_are_scalars_in_single_precision(name: str) -> None:
    case = case_of(name)
    terms = build(name)(make_outputs(case, make_parameters(case)), case.batch(True))
    assert all(value.shape == [] and value.dtype == paddle.float32 for value in terms.values())


@pytest.mark.parametrize("name", [name for name in LOSSES if "DB" in name or name in ("CombinedLoss", "CTPNLoss")])
def test_batch_without_text_is_finite(name: str) -> None:
    case = case_of(name)
    parameters = make_parameters(case)
    terms = build(name)(make_outputs(case, parameters), case.batch(False))
    terms["loss"].backward()
    assert np.isfinite(terms["loss"].item())
    assert parameters["Student"].grad.isfinite().all()
