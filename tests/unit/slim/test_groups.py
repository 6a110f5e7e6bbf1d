"""A pruned network computes what the whole one computes when the removed channels are zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import pytest
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling import build_model
from ppocr_lite.slim.fpgm import prune_architecture, prune_weights, removed_channels
from ppocr_lite.slim.groups import channel_groups

CLASSES = 11
LARGE = {"name": "MobileNetV3", "model_name": "large", "scale": 0.35, "disable_se": True}
SMALL = {"name": "MobileNetV3", "model_name": "small", "scale": 0.35}
DET: dict[str, Any] = {"model_type": "det", "Neck": {"name": "DBFPN", "out_channels": 32}, "Head": {"name": "DBHead"}}
CTC = {"name": "CTCHead"}
CASES: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "det": (DET | {"Backbone": LARGE}, (64, 96)),
    "det with gates": (DET | {"Backbone": SMALL}, (64, 64)),
    "det resnet": (DET | {"Backbone": {"name": "ResNet", "layers": 18}}, (64, 64)),
    "rec lstm": (
        {
            "model_type": "rec",
            "Backbone": SMALL | {"small_stride": [1, 2, 2, 2]},
            "Neck": {"name": "SequenceEncoder", "hidden_size": 8},
            "Head": CTC,
        },
        (32, 64),
    ),
    "rec fc": (
        {
            "model_type": "rec",
            "Backbone": SMALL,
            "Neck": {"name": "SequenceEncoder", "encoder_type": "fc", "hidden_size": 8},
            "Head": CTC,
        },
        (32, 64),
    ),
    "rec reshape": (
        {
            "model_type": "rec",
            "Backbone": SMALL,
            "Neck": {"name": "SequenceEncoder", "encoder_type": "reshape"},
            "Head": CTC | {"mid_channels": 16},
        },
        (32, 64),
    ),
    "cls": ({"model_type": "cls", "Backbone": SMALL, "Neck": None, "Head": {"name": "ClsHead"}}, (48, 96)),
}


def some_weights(network: Any) -> dict[str, NDArray[Any]]:
    """Weights under which every channel matters: statistics and biases as after training."""
    rng = np.random.default_rng(0)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    for name, value in weights.items():
        if name.endswith("_variance"):
            weights[name] = rng.uniform(0.5, 1.5, value.shape).astype(value.dtype)
        elif value.ndim == 1:  # small factors, so that values do not grow from layer to layer
            middle = 0.4 if name.endswith(("bn.weight", "bn1.weight", "bn2.weight", "norm.weight")) else 0.0
            weights[name] = rng.uniform(middle - 0.3, middle + 0.3, value.shape).astype(value.dtype)
    return weights


def outputs(architecture: dict[str, Any], weights: dict[str, NDArray[Any]], image: NDArray[Any]) -> list[NDArray[Any]]:
    """What the loss reads, every branch of it; the rest of the network as in evaluation."""
    network = build_model(architecture, num_classes=CLASSES)
    assert network.set_state_dict(weights) == ([], [])
    network.eval()
    with paddle.no_grad():
        found = network(paddle.to_tensor(image))
    return [value.numpy() for value in found.values()]


@pytest.mark.parametrize("name", CASES)
def test_removing_channels_equals_silencing_them(name: str) -> None:
    architecture, size = CASES[name]
    paddle.seed(0)
    weights = some_weights(build_model(architecture, num_classes=CLASSES))
    groups = channel_groups(architecture, weights)
    rng = np.random.default_rng(1)
    widths = {
        group.key: int(rng.integers(max(4, group.width // 3), group.width)) for group in groups if group.share == 1
    }
    silenced = {key: value.copy() for key, value in weights.items()}
    for group in groups:
        gone = removed_channels(weights, group, widths)
        assert len(gone) > 0
        for place in (*group.filters, *group.followers):
            np.moveaxis(silenced[place.name], place.axis, 0)[place.start + gone] = 0
    image = rng.normal(size=(2, 3, *size)).astype(np.float32)
    smaller = prune_architecture(architecture, groups, widths)
    pruned = prune_weights(weights, groups, widths)
    assert sum(value.size for value in pruned.values()) < sum(value.size for value in weights.values())
    whole, less = outputs(architecture, silenced, image), outputs(smaller, pruned, image)
    for expected, received in zip(whole, less, strict=True):
        assert expected.std() > 1e-4
        np.testing.assert_allclose(received, expected, atol=2e-5)


def test_the_groups_of_a_detector() -> None:
    architecture = DET | {"Backbone": LARGE}
    weights = {name: value.numpy() for name, value in build_model(architecture).state_dict().items()}
    groups = channel_groups(architecture, weights)
    assert list(dict.fromkeys(group.key for group in groups)) == [
        *(f"Backbone.expanded[{index}]" for index in range(15)),
        "Backbone.last_channels",
        "Neck.out_channels",
        *(f"Neck.level_channels[{index}]" for index in range(4)),
        "Head.hidden_channels[0]",
        "Head.hidden_channels[1]",
    ]
    assert {group.key: group.width for group in groups}["Backbone.expanded[14]"] == 336  # 0.35 * 960


def test_a_pruned_network_can_be_pruned_again() -> None:
    architecture = DET | {"Backbone": LARGE}
    weights = {name: value.numpy() for name, value in build_model(architecture).state_dict().items()}
    for width in (16, 8):
        groups = channel_groups(architecture, weights)
        widths = {group.key: min(width, group.width) for group in groups if group.share == 1}
        architecture, weights = prune_architecture(architecture, groups, widths), prune_weights(weights, groups, widths)
    assert build_model(architecture).set_state_dict(weights) == ([], [])
    assert architecture["Backbone"]["expanded"] == [8] * 15


@pytest.mark.parametrize(
    "architecture, message",
    [
        (
            {"model_type": "cls", "Backbone": {"name": "ResNet"}, "Neck": None, "Head": {"name": "ClsHead"}},
            "nothing in ResNet, ClsHead can be pruned",
        ),
        ({"name": "DistillationModel", "Models": {}}, "single network"),
    ],
)
def test_what_cannot_be_pruned_is_said(architecture: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        channel_groups(architecture, {})
