"""What a network may ask for, in either engine: targets in training, a rate of its own, branches that become one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from ppocr_lite import nn
from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend
from ppocr_lite.modeling import BACKBONES, HEADS, build_model, fuse
from ppocr_lite.optim.optimizers import AdamW, Momentum
from tests.engine import array, tensor


class TwoBranches(nn.Layer):
    """A 3×3 and a 1×1 convolution, added up; one 3×3 convolution computes the same."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.square = nn.Conv2D(in_channels, channels, 3, padding=1)
        self.point = nn.Conv2D(in_channels, channels, 1)
        self.fused = False

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return self.square(x) if self.fused else self.square(x) + self.point(x)

    def fuse(self) -> None:
        square, point = array(self.square.weight).copy(), array(self.point.weight)
        square[:, :, 1:2, 1:2] += point
        nn.set_value(self.square.weight, square)
        nn.set_value(self.square.bias, array(self.square.bias) + array(self.point.bias))
        self.fused = True


class Branched(nn.Layer):
    def __init__(self, in_channels: int = 3, rate: float = 1.0) -> None:
        super().__init__()
        self.block = TwoBranches(in_channels, 8)
        self.last = nn.Conv2D(8, 8, 1, weight_attr=nn.ParamAttr(learning_rate=rate))
        self.out_channels = 8

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return self.last(nn.relu(self.block(x)))


class Guided(nn.Layer):
    """Adds the label to the logits, if it is told."""

    takes_targets = True

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.fc = nn.Linear(in_channels, 2)

    def forward(self, x: nn.Tensor, targets: Mapping[str, nn.Tensor] | None = None) -> dict[str, nn.Tensor]:
        logits = self.fc(self.pool(x).flatten(1))
        if targets is not None:
            logits = logits + 100 * nn.cast(targets["label"], "float32").unsqueeze(1) * tensor(np.float32([-1, 1]))
        return {"logits": logits}

    def predict(self, x: nn.Tensor) -> dict[str, nn.Tensor]:
        return {"probabilities": nn.softmax(self.forward(x)["logits"], axis=1)}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry, cls in ((BACKBONES, Branched), (HEADS, Guided)):
        monkeypatch.setitem(registry._classes, cls.__name__, cls)


def task(optimizer: Any, *, head: str = "ClsHead", rate: float = 1.0) -> Task:
    architecture = {"model_type": "cls", "Backbone": {"name": "Branched", "rate": rate}, "Head": {"name": head}}
    return Task(architecture, loss={"name": "ClsLoss"}, optimizer=optimizer, seed=1)


def batch() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {"image": rng.normal(size=(4, 3, 8, 8)).astype(np.float32), "label": np.ones(4, np.int64), "path": ["x"] * 4}


def test_a_head_that_asks_gets_the_batch_in_training_alone(engine: str) -> None:
    backend = create_backend(engine)
    backend.build(task(Momentum(), head="Guided"))
    assert backend.train_step([batch()], lr=0.0, seed=0)["loss"].item() < 1e-6
    untold = backend.head_outputs(batch()["image"])["logits"]
    assert np.abs(untold).max() < 50
    np.testing.assert_allclose(backend.predict(batch()["image"])["probabilities"].sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("optimizer", [Momentum(momentum=0.0), AdamW(weight_decay=0.0)], ids=["Momentum", "AdamW"])
def test_a_parameter_has_a_rate_of_its_own(engine: str, optimizer: Any) -> None:
    moved = {}
    for rate in (1.0, 0.25):
        backend = create_backend(engine)
        backend.build(task(optimizer, rate=rate))
        before = backend.weights()
        backend.train_step([batch()], lr=0.1, seed=0)
        moved[rate] = {name: value - before[name] for name, value in backend.weights().items()}
    for name, value in moved[1.0].items():
        factor = 0.25 if name == "backbone.last.weight" else 1.0
        np.testing.assert_allclose(moved[0.25][name], factor * value, rtol=1e-3, atol=1e-7, err_msg=name)
    assert np.abs(moved[1.0]["backbone.last.weight"]).max() > 0


def test_a_run_with_rates_of_their_own_goes_on(engine: str) -> None:
    whole, resumed = create_backend(engine), create_backend(engine)
    for backend in (whole, resumed):
        backend.build(task(AdamW(), rate=0.5))
    whole.train_step([batch()], lr=0.01, seed=0)
    resumed.load_weights(whole.weights())
    resumed.load_optimizer_state(whole.optimizer_state())
    for backend in (whole, resumed):
        backend.train_step([batch()], lr=0.01, seed=1)
    for name, value in whole.weights().items():
        np.testing.assert_allclose(resumed.weights()[name], value, rtol=1e-5, atol=1e-7, err_msg=name)


def test_branches_become_one_and_nothing_else_changes(engine: str) -> None:
    create_backend(engine)
    network = build_model(task(None).architecture)
    network.eval()
    image = tensor(batch()["image"])
    before = array(network.predict(image)["probabilities"])
    assert fuse(network) == 1
    assert network.backbone.block.fused
    np.testing.assert_allclose(array(network.predict(image)["probabilities"]), before, atol=1e-5)


def test_a_network_without_branches_has_nothing_to_fuse(engine: str) -> None:
    create_backend(engine)
    backbone = {"name": "MobileNetV3", "scale": 0.35, "model_name": "small"}
    assert fuse(build_model({"model_type": "cls", "Backbone": backbone, "Head": {"name": "ClsHead"}})) == 0
