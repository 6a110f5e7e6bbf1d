"""How weights start where an Architecture says so: ``init``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling import build_model
from tests.engine import array

XAVIER = {"conv": "xavier_normal", "recurrent": "xavier_normal", "linear": "xavier_uniform", "bias": "zeros"}


def build(**init: Any) -> Any:
    return build_model(
        {
            "model_type": "det",
            "Backbone": {"name": "VGG", "stages": 1, "batch_norm": True},
            "Head": {"name": "CTPNHead", "recurrent": "gru", "mid_channels": 128, "fc_channels": 64},
            "init": init,
        }
    )


def weights(network: Any) -> dict[str, np.ndarray]:
    return {name: array(value) for name, value in network.named_parameters()}


def test_weights_have_the_variance_of_glorot_and_bengio(engine: str) -> None:
    found = weights(build(**XAVIER))
    for name, fans in (
        ("backbone.conv3_3.conv.weight", 9 * (256 + 256)),
        ("head.conv.weight", 9 * (256 + 128)),
        ("head.rnn.weight_ih_l0_reverse", 128 + 384),
    ):
        assert found[name].std() == pytest.approx((2 / fans) ** 0.5, rel=0.05), name
    biases = [value for name, value in found.items() if "bias" in name]
    assert len(biases) > 10
    assert not any(value.any() for value in biases)


def test_normalisations_keep_their_scale(engine: str) -> None:
    assert weights(build(**XAVIER))["backbone.conv1_1.bn.weight"].tolist() == [1.0] * 64


def test_what_is_not_named_starts_in_its_own_way(engine: str) -> None:
    found = weights(build(conv="xavier_normal"))
    assert found["head.rnn.bias_ih_l0"].any()
    assert np.abs(found["head.rnn.weight_hh_l0"]).max() <= 128**-0.5  # uniform, as recurrent layers start


def test_parts_that_are_skipped_start_in_their_own_way(engine: str) -> None:
    found = weights(build(**XAVIER, skip=["backbone", "head.fc"]))
    assert found["backbone.conv3_3.conv.weight"].std() == pytest.approx((2 / (9 * 256)) ** 0.5, rel=0.05)
    assert found["head.conv.weight"].std() == pytest.approx((2 / (9 * 384)) ** 0.5, rel=0.05)


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ({"conv": "glorot"}, "Architecture.init.conv"),
        ({"weights": "zeros"}, "Architecture.init.weights"),
        ({"skip": ["bacbone"]}, "no part 'bacbone'"),
    ],
)
def test_what_makes_no_sense_is_refused(init: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(**init)


def test_the_same_seed_starts_alike(engine: str) -> None:
    draws = []
    for _ in range(2):
        if nn.chosen() == "torch":
            import torch  # noqa: PLC0415

            torch.manual_seed(5)
        else:
            import paddle  # noqa: PLC0415

            paddle.seed(5)
        draws.append(weights(build(**XAVIER))["head.conv.weight"])
    assert np.array_equal(*draws)
