from __future__ import annotations

import numpy as np
import paddle
import pytest

from ppocr_lite.losses import ClsLoss

LOGITS = paddle.to_tensor([[2.0, 0.0], [0.5, 1.5]])
LOGS = np.log([[np.exp(2) / (np.exp(2) + 1), 1 / (np.exp(2) + 1)], [1 / (1 + np.e), np.e / (1 + np.e)]])


def loss(label: paddle.Tensor) -> float:
    return ClsLoss()({"logits": LOGITS}, {"label": label})["loss"].item()


def test_cross_entropy_of_classes() -> None:
    assert loss(paddle.to_tensor([0, 0])) == pytest.approx(-(LOGS[0, 0] + LOGS[1, 0]) / 2, rel=1e-5)


def test_cross_entropy_of_shares() -> None:
    shares = np.array([[0.7, 0.3], [0.1, 0.9]], np.float32)
    assert loss(paddle.to_tensor(shares)) == pytest.approx(-(shares * LOGS).sum() / 2, rel=1e-5)


def test_a_share_of_one_is_the_class() -> None:
    assert loss(paddle.to_tensor([[1.0, 0.0], [0.0, 1.0]])) == pytest.approx(loss(paddle.to_tensor([0, 1])), rel=1e-6)
