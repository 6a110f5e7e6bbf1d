"""Losses of the two engines on equal outputs: equal terms and equal gradients, for every choice a config has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

paddle = pytest.importorskip("paddle", reason="the Paddle engine is not installed")
torch = pytest.importorskip("torch", reason="the torch engine is not installed")

from ppocr_lite import losses as ours  # noqa: E402
from ppocr_lite.engine.backends.base import Task  # noqa: E402
from ppocr_lite.engine.backends.paddle import PaddleBackend  # noqa: E402
from ppocr_lite.engine.backends.torch import LOSSES as THEIRS  # noqa: E402
from ppocr_lite.engine.backends.torch import TorchBackend  # noqa: E402
from ppocr_lite.errors import CheckpointError  # noqa: E402
from ppocr_lite.optim.optimizers import Momentum  # noqa: E402

KINDS = ["DiceLoss", "SoftIoULoss", "WeightedBCELoss", "BCELoss", "FocalLoss", "Euclidean", "MaskL1Loss"]
Arrays = dict[str, np.ndarray]


def page_case(text: bool) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(5)
    maps = rng.uniform(0.02, 0.98, (2, 3, 24, 32)).astype(np.float32)
    batch = {
        "shrink_map": ((rng.random((2, 24, 32)) < 0.2) & text).astype(np.float32),
        "shrink_mask": (rng.random((2, 24, 32)) < 0.9).astype(np.float32),
        "threshold_map": rng.uniform(0.3, 0.7, (2, 24, 32)).astype(np.float32),
        "threshold_mask": (rng.random((2, 24, 32)) < 0.4).astype(np.float32),
    }
    return {"maps": maps}, batch


def line_case() -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng(6)
    logits, feats = rng.normal(0, 2, (3, 9, 7)), rng.normal(0, 1, (3, 9, 4))
    label = np.array([[1, 2, 2, 0, 0], [3, 0, 0, 0, 0], [6, 5, 4, 3, 2]], np.int32)
    outputs = {"logits": logits.astype(np.float32), "feats": feats.astype(np.float32)}
    return outputs, {"label": label, "length": np.array([3, 1, 5])}


def terms_of(node: dict[str, Any], outputs: Arrays, batch: Arrays) -> tuple[Arrays, Arrays, Arrays, Arrays]:
    """Return terms and gradients of Paddle, then of torch."""
    first = {k: paddle.to_tensor(v, stop_gradient=False) for k, v in outputs.items()}
    left = ours.LOSSES.build(node)(first, {k: paddle.to_tensor(v) for k, v in batch.items()})
    left["loss"].backward()
    second = {k: torch.from_numpy(v).requires_grad_() for k, v in outputs.items()}
    right = THEIRS.build(node)(second, {k: torch.from_numpy(v) for k, v in batch.items()})
    right["loss"].backward()
    return (
        {k: v.numpy() for k, v in left.items()},
        {k: v.grad.numpy() for k, v in first.items() if v.grad is not None},
        {k: v.detach().numpy() for k, v in right.items()},
        {k: v.grad.numpy() for k, v in second.items() if v.grad is not None},
    )


def check(node: dict[str, Any], outputs: Arrays, batch: Arrays) -> None:
    left, left_gradients, right, right_gradients = terms_of(node, outputs, batch)
    assert list(left) == list(right)
    assert left_gradients.keys() == right_gradients.keys()
    for name, value in left.items():
        np.testing.assert_allclose(right[name], value, rtol=1e-5, atol=1e-6, err_msg=name)
    for name, value in left_gradients.items():
        np.testing.assert_allclose(right_gradients[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("balance", [True, False])
@pytest.mark.parametrize("text", [True, False])
def test_db_loss(kind: str, balance: bool, text: bool) -> None:
    check({"name": "DBLoss", "main_loss_type": kind, "balance_loss": balance}, *page_case(text))


@pytest.mark.parametrize(
    "node",
    [
        {"name": "CTCLoss"},
        {"name": "CTCLoss", "use_focal_loss": True},
        {"name": "ACELoss"},
        {"name": "CenterLoss", "num_classes": 7, "feat_dim": 4},
        {"name": "CenterLoss", "num_classes": 7, "feat_dim": 4, "update_rate": 0.5},
    ],
    ids=str,
)
def test_losses_of_lines(node: dict[str, Any]) -> None:
    check(node, *line_case())


@pytest.mark.parametrize("label", [np.array([1, 0]), np.array([[0.3, 0.7], [1.0, 0.0]], np.float32)])
def test_cls_loss(label: np.ndarray) -> None:
    logits = np.array([[0.5, -1.0], [2.0, 1.0]], np.float32)
    check({"name": "ClsLoss"}, {"logits": logits}, {"label": label})


def test_centres_move_alike() -> None:
    outputs, batch = line_case()
    node = {"name": "CenterLoss", "num_classes": 7, "feat_dim": 4, "update_rate": 0.5}
    left, right = ours.LOSSES.build(node), THEIRS.build(node)
    for _ in range(3):
        left({k: paddle.to_tensor(v) for k, v in outputs.items()}, {})
        right({k: torch.from_numpy(v) for k, v in outputs.items()}, {})
    assert np.abs(left.centers.numpy()).max() > 0.1
    np.testing.assert_allclose(right.centers.numpy(), left.centers.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("source, target", [(PaddleBackend, TorchBackend), (TorchBackend, PaddleBackend)])
def test_moving_centres_go_on_in_the_other_engine(source: Any, target: Any) -> None:
    architecture = {
        "model_type": "rec",
        "algorithm": "CRNN",
        "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small", "small_stride": [1, 2, 2, 2]},
        "Neck": {"name": "SequenceEncoder", "encoder_type": "reshape"},
        "Head": {"name": "CTCHead", "mid_channels": 4, "return_feats": True},
    }
    center = {"CenterLoss": {"weight": 0.1, "num_classes": 7, "feat_dim": 4, "update_rate": 0.5}}
    loss = {"name": "CombinedLoss", "loss_config_list": [{"CTCLoss": {"weight": 1.0}}, center]}
    task = Task(architecture, 7, loss, Momentum(), seed=1)
    with paddle.utils.unique_name.guard():
        before, after = source(), target()
        before.build(task)
        after.build(task)
        rng = np.random.default_rng(0)
        batch = {"image": rng.standard_normal((2, 3, 32, 64)).astype(np.float32)}
        batch |= {"label": np.array([[1, 2], [3, 4]], np.int32), "length": np.array([2, 2])}
        before.train_step([batch], lr=0.01, seed=0)
        state = before.optimizer_state()
        assert np.abs(state["loss.parts.1.centers"]).max() > 0
        after.load_optimizer_state(state)
        np.testing.assert_array_equal(after.optimizer_state()["loss.parts.1.centers"], state["loss.parts.1.centers"])
        with pytest.raises(CheckpointError, match=r"lacks loss\.parts\.1\.centers"):
            after.load_optimizer_state({k: v for k, v in state.items() if not k.startswith("loss.")})
