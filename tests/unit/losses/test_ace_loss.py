"""ACELoss against its definition, written out with loops."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from ppocr_lite.losses import ACELoss, CombinedLoss, CTCLoss


def run(logits: np.ndarray, texts: list[list[int]], padding: int = 0) -> float:
    width = max(len(text) for text in texts)
    labels = np.array([text + [padding] * (width - len(text)) for text in texts], np.int32)
    lengths = np.array([len(text) for text in texts], np.int64)
    batch = {"label": paddle.to_tensor(labels), "length": paddle.to_tensor(lengths)}
    return ACELoss()({"logits": paddle.to_tensor(logits.astype(np.float32))}, batch)["loss"].item()


def by_hand(logits: np.ndarray, text: list[int]) -> float:
    steps, classes = logits.shape
    probabilities = [np.exp(row) / np.exp(row).sum() for row in logits]
    total = 0.0
    for k in range(classes):
        wanted = text.count(k) if k else steps - len(text)
        predicted = sum(row[k] for row in probabilities) / steps
        total -= wanted / steps * np.log(predicted)
    return total


@pytest.mark.parametrize("padding", [0, 3])
def test_is_the_cross_entropy_of_the_counts(padding: int) -> None:
    logits, texts = np.random.default_rng(0).normal(0, 2, (2, 6, 5)), [[1, 1, 4], [2]]
    expected = np.mean([by_hand(line, text) for line, text in zip(logits, texts, strict=True)])
    assert run(logits, texts, padding) == pytest.approx(expected, rel=1e-5)


def test_order_does_not_matter() -> None:
    logits = np.random.default_rng(1).normal(0, 2, (1, 6, 5))
    assert run(logits, [[1, 2, 3]]) == pytest.approx(run(logits[:, ::-1].copy(), [[3, 1, 2]]), rel=1e-5)


def test_is_least_where_the_counts_are_right() -> None:
    right = np.full((1, 4, 3), -20.0)
    right[0, [0, 1, 2, 3], [0, 1, 0, 2]] = 20.0  # blank, 1, blank, 2
    entropy = -(0.5 * np.log(0.5) + 2 * 0.25 * np.log(0.25))
    assert run(right, [[2, 1]]) == pytest.approx(entropy, rel=1e-5)
    wrong = right.copy()
    wrong[0, 1] = right[0, 3]  # blank, 2, blank, 2
    assert run(wrong, [[2, 1]]) > 1.0 + entropy


def test_a_text_longer_than_the_steps_is_left_out() -> None:
    logits = np.random.default_rng(2).normal(0, 2, (2, 3, 5))
    assert run(logits, [[1, 2, 3, 4], [2]]) == pytest.approx(by_hand(logits[1], [2]), rel=1e-5)
    assert run(logits[:1], [[1, 2, 3, 4]]) == 0.0


def test_added_to_ctc_it_is_a_ctc() -> None:
    logits = paddle.to_tensor(np.random.default_rng(3).normal(0, 2, (2, 6, 5)).astype(np.float32))
    batch = {"label": paddle.to_tensor([[1, 2], [3, 0]], "int32"), "length": paddle.to_tensor([2, 1])}
    loss = CombinedLoss([{"CTCLoss": {"weight": 1.0}}, {"ACELoss": {"weight": 0.1}}])({"logits": logits}, batch)
    parts = [part({"logits": logits}, batch)["loss"].item() for part in (CTCLoss(), ACELoss())]
    assert loss["loss"].item() == pytest.approx(parts[0] + 0.1 * parts[1], rel=1e-5)
    assert loss["loss_ACELoss_1"].item() == pytest.approx(0.1 * parts[1], rel=1e-5)
