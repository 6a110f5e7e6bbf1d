from __future__ import annotations

import itertools

import numpy as np
import paddle
import pytest

from ppocr_lite.losses import CTCLoss
from ppocr_lite.losses.ctc_loss import required_steps


def batch(texts: list[list[int]], width: int = 4) -> dict[str, paddle.Tensor]:
    labels = np.zeros((len(texts), width), np.int32)
    for row, text in zip(labels, texts, strict=True):
        row[: len(text)] = text
    return {"label": paddle.to_tensor(labels), "length": paddle.to_tensor(np.array([len(t) for t in texts], np.int64))}


def logits(samples: int, steps: int, classes: int = 3, seed: int = 0) -> paddle.Tensor:
    x = paddle.to_tensor(np.random.default_rng(seed).normal(size=(samples, steps, classes)).astype("f4"))
    x.stop_gradient = False
    return x


def collapse(path: tuple[int, ...]) -> list[int]:
    return [c for i, c in enumerate(path) if c != 0 and (i == 0 or path[i - 1] != c)]


def by_enumeration(x: np.ndarray, text: list[int]) -> float:
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    paths = itertools.product(range(x.shape[1]), repeat=x.shape[0])
    return -np.log(sum(np.prod([p[t, c] for t, c in enumerate(path)]) for path in paths if collapse(path) == text))


def test_loss_is_the_mean_over_all_spellings_of_each_text() -> None:
    x, texts = logits(2, 4), [[1, 2], [1, 1]]
    expected = np.mean([by_enumeration(a, t) for a, t in zip(x.numpy(), texts, strict=True)])
    assert CTCLoss()({"logits": x}, batch(texts))["loss"].item() == pytest.approx(expected, rel=1e-4)


def test_gradient_matches_differences() -> None:
    x, truth = logits(1, 3), batch([[1, 2]])
    CTCLoss()({"logits": x}, truth)["loss"].backward()
    for step, character in ((0, 1), (1, 0), (2, 2)):
        ends = []
        for sign in (1, -1):
            moved = x.numpy().copy()
            moved[0, step, character] += sign * 1e-2
            ends.append(CTCLoss()({"logits": paddle.to_tensor(moved)}, truth)["loss"].item())
        assert x.grad[0, step, character].item() == pytest.approx((ends[0] - ends[1]) / 2e-2, abs=1e-3)


def test_required_steps_count_a_blank_between_equal_neighbours() -> None:
    truth = batch([[1, 2, 1], [1, 1], [2, 2, 2, 2], [1]])
    assert required_steps(truth["label"], truth["length"]).tolist() == [3, 3, 7, 1]


def test_padding_is_not_a_repeat() -> None:
    labels = paddle.to_tensor(np.array([[1, 2, 2, 2]], np.int32))
    assert required_steps(labels, paddle.to_tensor([2])).tolist() == [2]


def test_a_text_that_cannot_be_spelled_is_counted_and_left_out() -> None:
    x = logits(2, 3)
    found = CTCLoss()({"logits": x}, batch([[1, 2], [1, 1, 2]]))
    alone = CTCLoss()({"logits": x[:1]}, batch([[1, 2]]))
    found["loss"].backward()
    assert found["ctc_infeasible"].item() == 1
    assert found["loss"].item() == pytest.approx(alone["loss"].item(), rel=1e-5)
    assert x.grad[0].abs().sum().item() > 0
    assert x.grad[1].abs().sum().item() == 0


def test_a_batch_of_impossible_texts_is_finite() -> None:
    x = logits(1, 2)
    found = CTCLoss()({"logits": x}, batch([[1, 1, 1]]))
    found["loss"].backward()
    assert found["loss"].item() == 0
    assert x.grad.isfinite().all()


def test_an_empty_text_is_left_out() -> None:
    found = CTCLoss()({"logits": logits(2, 3)}, batch([[1, 2], []]))
    assert found["ctc_infeasible"].item() == 1
    assert np.isfinite(found["loss"].item())


def test_focal_loss_weighs_by_how_improbable_the_text_is() -> None:
    x, truth = logits(1, 4), batch([[1, 2]])
    plain = CTCLoss()({"logits": x}, truth)["loss"].item()
    focal = CTCLoss(use_focal_loss=True)({"logits": x}, truth)["loss"].item()
    assert focal == pytest.approx(plain * (1 - np.exp(-plain)) ** 2, rel=1e-4)
