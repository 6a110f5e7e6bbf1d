"""What every backbone promises, so that a new one is tested the day it is registered."""

from __future__ import annotations

import inspect
from typing import Any

import paddle
import pytest

from ppocr_lite.config.check import check_component
from ppocr_lite.modeling import BACKBONES

SIZES = {"det": [(64, 96), (32, 160)], "rec": [(32, 64), (32, 160)], "cls": [(48, 192), (32, 64)]}


def model_types(name: str) -> tuple[str, ...]:
    """What a backbone is for: all three if it is told which, else pages if it gives several maps, or lines."""
    if "model_type" in inspect.signature(BACKBONES.get(name)).parameters:
        return "det", "rec", "cls"
    return ("rec",) if isinstance(build(name, "rec").out_channels, int) else ("det",)


def build(name: str, model_type: str) -> Any:
    node = check_component(BACKBONES, {"name": name}, "Architecture.Backbone")
    return BACKBONES.build(node, in_channels=3, model_type=model_type)


CASES = [(name, model_type) for name in BACKBONES for model_type in model_types(name)]


@pytest.mark.parametrize(("name", "model_type"), CASES)
def test_out_channels_are_true_at_any_fitting_size(name: str, model_type: str) -> None:
    backbone = build(name, model_type)
    backbone.eval()
    for height, width in SIZES[model_type]:
        with paddle.no_grad():
            features = backbone(paddle.zeros([1, 3, height, width]))
        if model_type == "det":
            expected = [
                (1, c, height // s, width // s) for c, s in zip(backbone.out_channels, (4, 8, 16, 32), strict=True)
            ]
            assert [tuple(x.shape) for x in features] == expected
        else:
            assert isinstance(backbone.out_channels, int)
            assert tuple(features.shape[1:3]) == (backbone.out_channels, 1)
            assert features.shape[3] in (width // 4, width // 8)


@pytest.mark.parametrize(("name", "model_type"), CASES)
def test_gradients_reach_every_parameter(name: str, model_type: str) -> None:
    paddle.seed(0)
    backbone = build(name, model_type)
    features = backbone(paddle.randn([2, 3, 64, 64] if model_type == "det" else [2, 3, 32, 64]))
    paddle.add_n(
        [(x * paddle.randn(x.shape)).sum() for x in (features if model_type == "det" else [features])]
    ).backward()
    learned = {n: p for n, p in backbone.named_parameters() if not p.stop_gradient}  # without running statistics
    without = [n for n, p in learned.items() if p.grad is None or not p.grad.isfinite().all()]
    assert not without


@pytest.mark.parametrize("name", list(BACKBONES))
def test_the_image_has_three_channels_unless_said_otherwise(name: str) -> None:
    assert inspect.signature(BACKBONES.get(name)).parameters["in_channels"].default == 3
