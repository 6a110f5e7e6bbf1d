"""What networks and losses compute from fixed weights and inputs, with either engine.

``make golden`` writes the numbers with Paddle; torch is held against the same files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend
from ppocr_lite.losses import LOSSES
from ppocr_lite.modeling import BACKBONES, HEADS, NECKS
from tests.engine import Arrays, array, fixed_weights, tensor

HERE = Path(__file__).parent
SHOWN = 12  # values of each array, evenly spread
CLASSES = 20


def shown(value: NDArray[Any]) -> dict[str, Any]:
    """Return shape and some values of an array."""
    flat = np.asarray(value, np.float64).ravel()
    picked = flat[np.linspace(0, flat.size - 1, min(SHOWN, flat.size)).round().astype(int)]
    return {"shape": list(np.shape(value)), "values": [float(f"{v:.7g}") for v in picked]}


def mobile(**arguments: Any) -> dict[str, Any]:
    return {"name": "MobileNetV3", "scale": 0.35} | arguments


def det(
    backbone: dict[str, Any], neck: str = "DBFPN", head: dict[str, Any] | None = None, **options: Any
) -> tuple[dict[str, Any], tuple[int, int]]:
    node = {"name": neck, "out_channels": 16} | options
    return {"model_type": "det", "Backbone": backbone, "Neck": node, "Head": {"name": "DBHead"} | (head or {})}, (
        64,
        96,
    )


def rec(backbone: dict[str, Any], encoder: str, **head: Any) -> tuple[dict[str, Any], tuple[int, int]]:
    neck = {"name": "SequenceEncoder", "encoder_type": encoder, "hidden_size": 8}
    return {"model_type": "rec", "Backbone": backbone, "Neck": neck, "Head": {"name": "CTCHead"} | head}, (32, 64)


def guided(backbone: dict[str, Any], neck: dict[str, Any], **head: Any) -> tuple[dict[str, Any], tuple[int, int]]:
    heads = [{"CTCHead": {"Neck": neck, "Head": head}}, {"NRTRHead": {"nrtr_dim": 32, "num_decoder_layers": 1}}]
    return {"model_type": "rec", "Backbone": backbone, "Head": {"name": "MultiHead", "head_list": heads}}, (48, 96)


def cls(backbone: dict[str, Any]) -> tuple[dict[str, Any], tuple[int, int]]:
    return {"model_type": "cls", "Backbone": backbone, "Head": {"name": "ClsHead"}}, (48, 96)


def ctpn(backbone: dict[str, Any], recurrent: str) -> tuple[dict[str, Any], tuple[int, int]]:
    head = {"name": "CTPNHead", "recurrent": recurrent, "mid_channels": 12, "hidden_size": 6, "fc_channels": 10}
    return {"model_type": "det", "Backbone": backbone | {"stages": 3}, "Head": head}, (64, 96)


NARROW = {"name": "PPLCNetV3", "scale": 0.25, "conv_kxk_num": 2}
TINY = {"name": "PPLCNetV4", "model_size": "tiny"}
SVTR = {"name": "svtr", "dims": 16, "hidden_dims": 16, "num_heads": 2, "kernel_size": [1, 3], "use_guide": True}
LIGHT = {"name": "lightsvtr", "dims": 16, "num_heads": 2, "local_kernel": 5}
LINES = mobile(model_name="small", small_stride=[1, 2, 2, 2])
NETWORKS = {
    "det MobileNetV3 large": det(mobile(disable_se=True)),
    "det MobileNetV3 small": det(mobile(model_name="small")),
    "det ResNet 18": det({"name": "ResNet"}),
    "det ResNet 50 deformable": det({"name": "ResNet", "layers": 50, "dcn_stage": [False, False, True, True]}),
    "rec MobileNetV3 rnn": rec(LINES, "rnn"),
    "rec MobileNetV3 fc": rec(LINES, "fc", mid_channels=6, return_feats=True),
    "rec MobileNetV3 large reshape": rec(mobile(), "reshape"),
    "rec ResNet 34": rec({"name": "ResNet", "layers": 34}, "rnn"),
    "rec MobileNetV1Enhance max": rec({"name": "MobileNetV1Enhance", "scale": 0.25}, "rnn"),
    "rec MobileNetV1Enhance avg": rec({"name": "MobileNetV1Enhance", "scale": 0.25, "last_pool_type": "avg"}, "rnn"),
    "det MobileNetV3 RSEFPN": det(mobile(disable_se=True), "RSEFPN"),
    "det MobileNetV3 LKPAN": det(mobile(disable_se=True), "LKPAN", {"kernel_list": [7, 2, 2]}, intracl=True),
    "det PPLCNetV3 RSEFPN": det(NARROW, "RSEFPN", {"fix_nan": True}, shortcut=False),
    "det PPLCNetV4 RepLKFPN": det(TINY, "RepLKFPN", {"aux_in_channels": 16}, dilated_kernel_size=5),
    "det PPLCNetV4 RepLKPAN": det(TINY, "RepLKPAN", intracl=True),
    "det VGG CTPN lstm": ctpn({"name": "VGG", "batch_norm": True}, "lstm"),
    "det ResNet 18 CTPN gru": ctpn({"name": "ResNet"}, "gru"),
    "rec MobileNetV1Enhance svtr": guided(
        {"name": "MobileNetV1Enhance", "scale": 0.25, "last_conv_stride": [1, 2], "last_pool_type": "avg"}, SVTR
    ),
    "rec PPLCNetV3 svtr": guided(NARROW, SVTR),
    "rec PPLCNetV4 lightsvtr": guided({"name": "PPLCNetV4"}, LIGHT),
    "rec PPLCNetV4 tiny": guided(TINY, {"name": "reshape"}, mid_channels=8, use_guide=True),
    "cls MobileNetV3": cls(mobile(model_name="small")),
    "cls ResNet 18": cls({"name": "ResNet"}),
}


def run_network(engine: str, name: str) -> dict[str, Any]:
    architecture, size = NETWORKS[name]
    backend = create_backend(engine)
    backend.build(Task(architecture, CLASSES))
    backend.load_weights(fixed_weights({key: value.shape for key, value in backend.weights().items()}))
    image = np.random.default_rng(0).uniform(-1, 1, (2, 3, *size)).astype(np.float32)
    outputs = {"output": backend.forward(image)} | backend.head_outputs(image)
    return {key: shown(value) for key, value in outputs.items()}


def page_case(text: bool) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(5)
    batch = {
        "shrink_map": ((rng.random((2, 24, 32)) < 0.2) & text).astype(np.float32),
        "shrink_mask": (rng.random((2, 24, 32)) < 0.9).astype(np.float32),
        "threshold_map": rng.uniform(0.3, 0.7, (2, 24, 32)).astype(np.float32),
        "threshold_mask": (rng.random((2, 24, 32)) < 0.4).astype(np.float32),
    }
    maps = rng.uniform(0.02, 0.98, (2, 3, 24, 32)).astype(np.float32)
    return {"maps": maps}, batch | {"teacher_map": rng.integers(0, 256, (2, 24, 32), np.uint8)}


def line_case(_: bool) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(6)
    logits, feats = rng.normal(0, 2, (3, 9, 7)), rng.normal(0, 1, (3, 9, 4))
    label = np.array([[1, 2, 2, 0, 0], [3, 0, 0, 0, 0], [6, 5, 4, 3, 2]], np.int32)
    outputs = {"logits": logits.astype(np.float32), "feats": feats.astype(np.float32)}
    return outputs, {"label": label, "length": np.array([3, 1, 5])}


def columns_case(text: bool) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(8)
    sizes = {"scores": 6, "vertical": 6, "sides": 3}
    outputs = {name: rng.normal(0, 2, (2, size, 4, 5)).astype(np.float32) for name, size in sizes.items()}
    labels = rng.integers(-1, 2 if text else 1, (2, 3, 4, 5))
    learnt = (labels == 1).astype(np.float32)
    batch = {
        "anchor_labels": labels,
        "anchor_vertical": (rng.normal(0, 1, (2, 2, 3, 4, 5)) * learnt[:, None]).astype(np.float32),
        "anchor_sides": rng.normal(0, 1, labels.shape).astype(np.float32) * learnt,
        "anchor_side_mask": learnt * (rng.random(labels.shape) < 0.5),
    }
    return outputs, batch | {"anchor_side_mask": batch["anchor_side_mask"].astype(np.float32)}


def auxiliary_case(text: bool) -> tuple[Arrays, Arrays]:
    outputs, batch = page_case(text)
    return outputs | {f"aux_maps_p{i}": outputs["maps"][:, :, :: 1 if i == 2 else -1].copy() for i in (2, 3, 4)}, batch


def guided_case(_: bool) -> tuple[Arrays, Arrays]:
    outputs, batch = line_case(True)
    guide = np.array([[2, 4, 5, 5, 3, 0, 0], [2, 6, 3, 0, 0, 0, 0], [2, 9, 8, 7, 6, 5, 3]], np.int32)
    gtc = np.random.default_rng(7).normal(0, 2, (3, 6, 11)).astype(np.float32)
    return outputs | {"gtc": gtc}, {"label_ctc": batch["label"], "label_gtc": guide, "length": batch["length"]}


def cls_case(mixed: bool) -> tuple[Arrays, Arrays]:
    label: NDArray[Any] = np.array([[0.3, 0.7], [1.0, 0.0]], np.float32) if mixed else np.array([1, 0])
    return {"logits": np.array([[0.5, -1.0], [2.0, 1.0]], np.float32)}, {"label": label}


def several(case: Callable[[bool], tuple[Arrays, Arrays]]) -> Callable[[bool], tuple[dict[str, Arrays], Arrays]]:
    """The outputs of two networks instead of one; those of the second are other ones."""

    def make(flag: bool) -> tuple[dict[str, Arrays], Arrays]:
        outputs, batch = case(flag)
        return {"Student": outputs, "Teacher": {name: value[::-1].copy() for name, value in outputs.items()}}, batch

    return make


KINDS = ("DiceLoss", "SoftIoULoss", "WeightedBCELoss", "BCELoss", "FocalLoss", "Euclidean", "MaskL1Loss")
PAIR, NAMES = {"model_name_pairs": ["Student", "Teacher"]}, {"model_name_list": ["Student", "Teacher"]}
CENTER = {"name": "CenterLoss", "num_classes": 7, "feat_dim": 4}
CTC_AND_ACE = [{"CTCLoss": {"weight": 1.0}}, {"ACELoss": {"weight": 0.5}}]
DML = {"name": "DistillationDMLLoss"} | PAIR
DML_LINES = DML | {"key": "logits"}
# name → node, what makes outputs and truth, and what it is told
LOSS_CASES: dict[str, tuple[dict[str, Any], Callable[[bool], Any], bool]] = {
    **{
        f"DBLoss {kind}{'' if balance else ' unbalanced'}{'' if text else ' without text'}": (
            {"name": "DBLoss", "main_loss_type": kind, "balance_loss": balance},
            page_case,
            text,
        )
        for kind in KINDS
        for balance in (True, False)
        for text in (True, False)
    },
    "DBLoss DiceFocalLoss": (
        {"name": "DBLoss", "main_loss_type": "DiceFocalLoss", "focal_gamma": 2.5},
        page_case,
        True,
    ),
    "DBLoss auxiliary maps": (
        {"name": "DBLoss", "aux_weight_p2": 0.4, "aux_weight_p3": 0.3, "aux_weight_p4": 0.2},
        auxiliary_case,
        True,
    ),
    "CTPNLoss": ({"name": "CTPNLoss"}, columns_case, True),
    "CTPNLoss without text": ({"name": "CTPNLoss"}, columns_case, False),
    "NRTRLoss": ({"name": "NRTRLoss"}, guided_case, True),
    "NRTRLoss plain": ({"name": "NRTRLoss", "smoothing": False}, guided_case, True),
    "MultiLoss": (
        {"name": "MultiLoss", "loss_config_list": [{"CTCLoss": None}, {"NRTRLoss": None}], "weight_2": 0.5},
        guided_case,
        True,
    ),
    "CTCLoss": ({"name": "CTCLoss"}, line_case, True),
    "CTCLoss focal": ({"name": "CTCLoss", "use_focal_loss": True}, line_case, True),
    "ACELoss": ({"name": "ACELoss"}, line_case, True),
    "CenterLoss": (CENTER, line_case, True),
    "CenterLoss moving": (CENTER | {"update_rate": 0.5}, line_case, True),
    "CombinedLoss": ({"name": "CombinedLoss", "loss_config_list": CTC_AND_ACE}, line_case, True),
    "ClsLoss": ({"name": "ClsLoss"}, cls_case, False),
    "ClsLoss mixed": ({"name": "ClsLoss"}, cls_case, True),
    "DistillationDBLoss": ({"name": "DistillationDBLoss"} | NAMES, several(page_case), True),
    "DistillationDilaDBLoss": ({"name": "DistillationDilaDBLoss"} | PAIR, several(page_case), True),
    "TeacherMapLoss": ({"name": "TeacherMapLoss"}, page_case, True),
    "DistillationDMLLoss maps": (DML | {"maps_name": ["thrink_maps", "binary_maps"]}, several(page_case), True),
    "DistillationDMLLoss lines": (DML | {"act": "softmax", "key": "logits"}, several(line_case), True),
    "DistillationDMLLoss summed": (
        DML | {"act": "softmax", "key": "logits", "use_log": True},
        several(line_case),
        True,
    ),
    "DistillationDMLLoss sigmoid": (DML | {"act": "sigmoid", "key": "logits"}, several(line_case), True),
    "DistillationCTCLoss": ({"name": "DistillationCTCLoss", "key": "logits"} | NAMES, several(line_case), True),
    **{
        f"DistillationDistanceLoss {mode}": (
            {"name": "DistillationDistanceLoss", "mode": mode, "key": "feats"} | PAIR,
            several(line_case),
            True,
        )
        for mode in ("l1", "l2", "smooth_l1")
    },
}


def run_loss(engine: str, name: str) -> dict[str, Any]:
    """Return terms, gradients by the outputs, and for a loss that learns what it has learnt."""
    node, make, flag = LOSS_CASES[name]
    create_backend(engine)
    outputs, batch = make(flag)
    nested = outputs if name.startswith("Distillation") else {"": outputs}
    given = {
        network: {key: tensor(value, learned=True) for key, value in arrays.items()}
        for network, arrays in nested.items()
    }
    loss = LOSSES.build(node)
    terms = loss(given.get("", given), {key: tensor(value) for key, value in batch.items()})
    terms["loss"].backward()
    found = {key: shown(array(value)) for key, value in terms.items()}
    for network, values in given.items():
        for key, value in values.items():
            if value.grad is not None:
                found[f"gradient of {network} {key}".replace("  ", " ")] = shown(np.asarray(value.grad))
    return found | {f"kept {key}": shown(array(value)) for key, value in loss.state_dict().items()}


RUNS: dict[str, tuple[Callable[[str, str], dict[str, Any]], float, float]] = {
    **{f"networks/{name}": (run_network, 1e-4, 1e-5) for name in NETWORKS},
    **{f"losses/{name}": (run_loss, 1e-4, 1e-6) for name in LOSS_CASES},
}


@pytest.mark.parametrize("case", RUNS)
def test_numbers_are_as_expected(case: str, engine: str) -> None:
    file, _, name = case.partition("/")
    run, relative, absolute = RUNS[case]
    found, path = run(engine, name), HERE / f"{file}.json"
    if os.environ.get("PPOCR_LITE_GOLDEN") == "write" and engine == "paddle":
        stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps(stored | {name: found}, sort_keys=True, indent=1) + "\n", encoding="utf-8")
    expected = json.loads(path.read_text(encoding="utf-8"))[name]
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key]["shape"] == value["shape"], key
        steep = 50 if key == "maps" else 1  # the third map multiplies rounding errors by k
        np.testing.assert_allclose(
            found[key]["values"], value["values"], rtol=relative * steep, atol=absolute * steep, err_msg=key
        )


# What returns regions in the order of their scores, and its loss, which samples: tests/integration/test_mask_rcnn.py
# holds one engine against the other there.
ORDERED = {"FPN", "MaskRCNNHead", "MaskRCNNLoss"}


def test_every_component_and_loss_has_numbers() -> None:
    nodes = [architecture for architecture, _ in NETWORKS.values()]
    assert {node["Backbone"]["name"] for node in nodes} == set(BACKBONES)
    assert {node["Neck"]["name"] for node in nodes if "Neck" in node} == set(NECKS) - ORDERED
    assert {node["Head"]["name"] for node in nodes} == set(HEADS) - ORDERED
    assert {node["name"] for node, _, _ in LOSS_CASES.values()} == set(LOSSES) - ORDERED
