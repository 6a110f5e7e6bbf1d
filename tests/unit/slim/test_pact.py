"""PACT in both engines: forward, gradients, weights in bytes, ranges from data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ppocr_lite.config.architecture import check_quantization
from ppocr_lite.engine.backends.base import Backend, Task
from ppocr_lite.engine.build import create_backend
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling import pact
from ppocr_lite.optim.optimizers import Momentum
from tests.engine import tensor

CLS: dict[str, Any] = {
    "model_type": "cls",
    "Backbone": {"name": "MobileNetV3", "model_name": "small", "scale": 0.35},
    "Head": {"name": "ClsHead"},
}
REC: dict[str, Any] = {
    "model_type": "rec",
    "Backbone": CLS["Backbone"],
    "Neck": {"name": "SequenceEncoder", "hidden_size": 8},
    "Head": {"name": "CTCHead"},
}


def gradients(alpha: float, x: NDArray[Any], weights: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Of ``(weights * PACT(x)).sum()``, with respect to x and α."""
    layer, given = pact.PACT(alpha), tensor(x, learned=True)
    (layer(given) * tensor(weights)).sum().backward()
    return np.asarray(given.grad), layer.alpha.grad.item()


def build(engine: str, architecture: dict[str, Any], optimizer: Any = None, seed: int = 0) -> Backend:
    backend = create_backend(engine)
    loss = {"name": "ClsLoss"} if optimizer else None
    backend.build(Task(architecture, 7, loss, optimizer, seed=seed))
    return backend


def test_values_are_clipped_on_both_sides_and_rounded(engine: str) -> None:
    x = np.float32([-9.0, -1.27, -0.5, -0.004, 0.0, 0.016, 0.5, 1.27, 9.0])
    found = pact.PACT(1.27)(tensor(x))  # 127 steps of 0.01
    np.testing.assert_allclose(found.detach().numpy(), [-1.27, -1.27, -0.5, 0, 0, 0.02, 0.5, 1.27, 1.27], atol=1e-6)


def test_gradients_by_hand(engine: str) -> None:
    x = np.float32([-3.0, -1.0, 0.5, 2.0, 4.0])
    to_x, to_alpha = gradients(1.5, x, np.float32([1, 10, 100, 1000, 10000]))
    assert to_x.tolist() == [0, 10, 100, 0, 0]
    assert to_alpha == 1000 + 10000 - 1


@pytest.mark.parametrize("alpha", [0.4, 1.1])
def test_the_gradient_of_the_range_is_that_of_the_clipping(engine: str, alpha: float) -> None:
    rng = np.random.default_rng(3)
    x, weights = rng.normal(size=(2, 3, 5, 7)), rng.normal(size=(2, 3, 5, 7))

    def clipped(alpha: float) -> float:
        """Clip to ±α, written with absolute values instead of cases."""
        return float((weights * (np.abs(x + alpha) - np.abs(x - alpha)) / 2).sum())

    step = 1e-6
    slope = (clipped(alpha + step) - clipped(alpha - step)) / (2 * step)
    _, received = gradients(alpha, x.astype(np.float32), weights.astype(np.float32))
    assert received == pytest.approx(slope, rel=1e-4, abs=1e-4)


def test_a_dead_range_divides_by_no_zero(engine: str) -> None:
    found = pact.PACT(0.0)(tensor(np.float32([-1.0, 0.0, 2.0]))).detach().numpy()
    np.testing.assert_allclose(found, 0, atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1])
def test_each_output_channel_of_a_weight_has_its_own_step(engine: str, axis: int) -> None:
    weight = np.random.default_rng(0).normal(size=(4, 5, 3, 3)).astype(np.float32)
    np.moveaxis(weight, axis, 0)[1] *= 100
    np.moveaxis(weight, axis, 0)[2] = 0
    found = np.moveaxis(pact.round_weight(tensor(weight), axis).numpy(), axis, 0)
    for before, after in zip(np.moveaxis(weight, axis, 0), found, strict=True):
        step = max(np.abs(before).max(), 1e-6) / 127
        np.testing.assert_allclose(after / step, np.rint(after / step), atol=1e-3)
        np.testing.assert_allclose(after, before, atol=step * 0.501)
        assert np.abs(after).max() == pytest.approx(np.abs(before).max())


def test_layers_keep_the_names_of_their_weights_and_lstm_stays(engine: str) -> None:
    plain, quantised = build(engine, REC), build(engine, REC | {"quant": {}})
    before, after = plain.weights(), quantised.weights()
    ranges = {name for name in after if name.endswith(".pact.alpha")}
    assert set(after) - ranges == set(before)
    assert all(after[name].shape == before[name].shape for name in before)
    assert {name.rpartition(".pact")[0] for name in ranges} == {
        name.removesuffix(".weight") for name in before if before[name].ndim in (2, 4) and name.endswith(".weight")
    }
    assert not any("lstm" in name for name in ranges)


def test_parts_can_stay_in_float(engine: str) -> None:
    names = build(engine, REC | {"quant": {"skip": ["head", "backbone.conv1.conv"]}}).weights()
    assert not any(name.startswith(("head.fc.pact", "backbone.conv1.conv.pact")) for name in names)
    assert "backbone.conv2.conv.pact.alpha" in names


def test_ranges_are_the_mean_of_the_largest_magnitudes(engine: str) -> None:
    backend = build(engine, CLS | {"quant": {"alpha": 20.0}})
    images = [np.full((1, 3, 48, 96), value, np.float32) for value in (0.5, -2.0)]
    backend.calibrate(images)
    found = {name: float(value[0]) for name, value in backend.weights().items() if name.endswith("alpha")}
    assert found["backbone.conv1.conv.pact.alpha"] == pytest.approx(1.25)
    assert 20.0 not in found.values()


def test_a_float_network_has_no_ranges(engine: str) -> None:
    with pytest.raises(ConfigError, match="no quantised layer"):
        build(engine, CLS).calibrate([])


def test_the_penalty_of_a_range_is_its_own(engine: str) -> None:
    batch = {
        "image": np.random.default_rng(0).normal(size=(2, 3, 48, 96)).astype(np.float32),
        "label": np.array([0, 1]),
    }
    after = {}
    for decay in (0.0, 0.5):
        spec = Momentum(momentum=0.0, regularizer=None)
        backend = build(engine, CLS | {"quant": {"alpha": 2.0, "decay": decay}}, spec)
        backend.train_step([batch], lr=0.1, seed=0)
        after[decay] = backend.weights()
    for name in after[0.0]:
        shrunk = 0.1 * 0.5 * 2.0 if name.endswith(".pact.alpha") else 0.0  # lr * decay * alpha
        np.testing.assert_allclose(after[0.5][name], after[0.0][name] - shrunk, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("node", [{"alpha": 0.0}, {"decay": -1.0}, {"bits": 4}, [1]])
def test_what_makes_no_sense_is_refused(node: Any) -> None:
    with pytest.raises(ConfigError, match="Architecture.quant"):
        check_quantization(node, "Architecture.quant")
