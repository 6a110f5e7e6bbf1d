"""Backbones that end at a stage, and backbones that keep their first layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.backbones import VGG, MobileNetV3, ResNet
from tests.engine import array, tensor

IMAGE = np.random.default_rng(0).normal(size=(1, 3, 64, 96)).astype(np.float32)
BUILD: dict[str, Any] = {
    "MobileNetV3": lambda **options: MobileNetV3(scale=0.35, model_name="small", **options),
    "ResNet": ResNet,
    "VGG": VGG,
}


@pytest.mark.parametrize("name", BUILD)
def test_a_backbone_ends_at_a_stage(engine: str, name: str) -> None:
    backbone = BUILD[name](stages=3)
    backbone.eval()
    maps = backbone(tensor(IMAGE))
    assert [tuple(x.shape)[1:] for x in maps] == [
        (channels, 64 // stride, 96 // stride)
        for channels, stride in zip(backbone.out_channels, (4, 8, 16), strict=True)
    ]
    whole = set(BUILD[name]().state_dict())
    assert set(backbone.state_dict()) <= whole
    assert name == "VGG" or len(backbone.state_dict()) < len(whole)  # what VGG has after conv5_3 learns nothing


def test_the_layers_of_vgg_have_the_names_of_the_paper(engine: str) -> None:
    names = [name.removesuffix(".conv.weight") for name in VGG().state_dict() if name.endswith(".conv.weight")]
    assert names == [
        f"conv{group}_{index}" for group, depth in enumerate((2, 2, 3, 3, 3), 1) for index in range(1, depth + 1)
    ]


@pytest.mark.parametrize("options", [{"stages": 0}, {"stages": 5}, {"stages": 3, "model_type": "rec"}])
@pytest.mark.parametrize("name", BUILD)
def test_stages_that_are_not_there_are_refused(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{name}.stages must be from 1 to 4"):
        BUILD[name](**options)


@pytest.mark.parametrize(
    ("build", "frozen"),
    [
        (lambda: ResNet(freeze_at=2), ("conv1_", "bb_0_")),
        (lambda: VGG(batch_norm=True, freeze_at=2, stages=2), ("conv1_", "conv2_")),
    ],
    ids=["ResNet", "VGG"],
)
def test_the_first_layers_stay_as_they_are(engine: str, build: Any, frozen: tuple[str, ...]) -> None:
    backbone = build()
    backbone.train()
    before = {name: array(value).copy() for name, value in backbone.state_dict().items()}
    nn.add_n([x.mean() for x in backbone(tensor(IMAGE))]).backward()
    grads = {n: p.grad for n, p in backbone.named_parameters() if not n.endswith(("_mean", "_variance"))}
    assert {name for name, grad in grads.items() if grad is None} == {n for n in grads if n.startswith(frozen)}
    after = {name: array(value) for name, value in backbone.state_dict().items()}
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved
    assert not {name for name in moved if name.startswith(frozen)}


@pytest.mark.parametrize("build", [lambda: ResNet(freeze_at=6), lambda: VGG(freeze_at=6)])
def test_more_than_there_is_cannot_be_frozen(build: Any) -> None:
    with pytest.raises(ConfigError, match="freeze_at must be from 0 to 5"):
        build()
