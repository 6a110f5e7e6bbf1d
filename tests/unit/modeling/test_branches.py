"""Layers that train as several branches compute the same as the one convolution that they become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ppocr_lite import nn
from ppocr_lite.config.schema import Quantization
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling import build_model, fuse
from ppocr_lite.modeling.backbones.pp_lcnet_v3 import LearnableRepLayer
from ppocr_lite.modeling.backbones.pp_lcnet_v4 import RepDWConv
from ppocr_lite.modeling.layers import FusibleConvBN
from ppocr_lite.modeling.necks.dilated import BRANCHES, DilatedReparamBlock
from ppocr_lite.modeling.reparameterize import identity_kernel, spread, surround
from tests.engine import array, tensor

CHANNELS = 6
LAYERS: dict[str, Callable[[], Any]] = {
    "plain": lambda: LearnableRepLayer(CHANNELS, 4, 3, branches=2),
    "with the input": lambda: LearnableRepLayer(CHANNELS, CHANNELS, 5, groups=CHANNELS),
    "of stride 2": lambda: LearnableRepLayer(CHANNELS, CHANNELS, 3, stride=2, groups=CHANNELS),
    "of stride (2, 1)": lambda: LearnableRepLayer(CHANNELS, CHANNELS, 5, stride=(2, 1), groups=CHANNELS),
    "of single pixels": lambda: LearnableRepLayer(CHANNELS, CHANNELS, 1),
    "depthwise": lambda: RepDWConv(CHANNELS),
    "a normalisation": lambda: FusibleConvBN(CHANNELS, 4, 3, stride=(1, 2), groups=2, activation="relu"),
    "an even kernel": lambda: FusibleConvBN(CHANNELS, 4, 2),
    **{f"dilated {side}": lambda side=side: DilatedReparamBlock(CHANNELS, side) for side in BRANCHES},
}


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def trained(layer: Any) -> Any:
    """Give *layer* statistics and scales of its own, as training does."""
    for place, parameter in enumerate(layer.parameters()):
        nn.set_value(parameter, array(parameter) + 0.3 * noise(*parameter.shape, seed=place))
    with nn.no_grad():
        for seed in range(3):
            layer(tensor(noise(2, CHANNELS, 15, 16, seed=seed) + 0.5))
    return layer.train(False) if hasattr(layer, "train") else layer


@pytest.mark.parametrize("name", LAYERS)
def test_fusing_keeps_what_a_layer_computes(name: str, engine: str) -> None:
    layer, x = trained(LAYERS[name]()), tensor(noise(2, CHANNELS, 15, 16))
    with nn.no_grad():
        before = array(layer(x))
        layer.fuse()
        after = array(layer(x))
    assert np.abs(after - before).max() <= 1e-5 * max(1.0, np.abs(before).max())
    left = [item for item in (layer, *layer.sublayers()) if isinstance(item, nn.Conv2D | nn.BatchNorm2D)]
    assert [type(item) for item in left] == [nn.Conv2D]


NETWORKS = {
    "PPLCNetV3": ({"name": "PPLCNetV3", "scale": 0.25}, {"name": "RSEFPN", "out_channels": 16}),
    "PPLCNetV4": ({"name": "PPLCNetV4", "model_size": "tiny"}, {"name": "RepLKFPN", "out_channels": 16}),
    "RepLKPAN": ({"name": "PPLCNetV4", "model_size": "tiny"}, {"name": "RepLKPAN", "out_channels": 16}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_fusing_keeps_what_a_network_predicts(name: str, engine: str) -> None:
    backbone, neck = NETWORKS[name]
    model = build_model({"model_type": "det", "Backbone": backbone, "Neck": neck, "Head": {"name": "DBHead"}})
    x = tensor(noise(2, 3, 64, 96))
    with nn.no_grad():
        model(x)
        model.train(False)
        before = array(model.predict(x)["maps"])
        assert fuse(model) > 20
        np.testing.assert_allclose(array(model.predict(x)["maps"]), before, atol=1e-4)
    assert not any(isinstance(layer, LearnableRepLayer | RepDWConv) and not layer.fused for layer in model.sublayers())


def test_kernels_are_spread_and_surrounded() -> None:
    kernel = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    wide = spread(kernel, 2)[0, 0]
    assert wide.shape == (5, 5)
    assert wide[::2, ::2].tolist() == kernel[0, 0].tolist()
    assert wide.sum() == kernel.sum()
    large = surround(kernel, 7)[0, 0]
    assert large[2:5, 2:5].tolist() == kernel[0, 0].tolist()
    assert large.sum() == kernel.sum()


def test_the_kernel_that_changes_nothing_has_one_entry_a_channel() -> None:
    assert identity_kernel(2, 1)[:, :, 0, 0].tolist() == [[1, 0], [0, 1]]
    assert identity_kernel(2, 2)[:, :, 0, 0].tolist() == [[1], [1]]


def test_branches_cannot_be_trained_for_integers(engine: str) -> None:
    architecture = {
        "model_type": "rec",
        "Backbone": {"name": "PPLCNetV3", "scale": 0.25},
        "Neck": {"name": "SequenceEncoder", "encoder_type": "reshape"},
        "Head": {"name": "CTCHead"},
        "quant": vars(Quantization()),
    }
    with pytest.raises(ConfigError, match="LearnableRepLayer joins its branches at export"):
        build_model(architecture, 10)


def test_an_unknown_dilated_kernel_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"a side of \[5, 7, 9, 11, 13\]. Received: 8"):
        DilatedReparamBlock(4, 8)
