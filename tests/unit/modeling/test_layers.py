from __future__ import annotations

import numpy as np
import paddle
import pytest

from ppocr_lite import nn
from ppocr_lite.modeling.layers import ConvBNLayer, SEModule, make_divisible, uniform_attribute


@pytest.mark.parametrize(
    ("value", "expected"), [(12, 16), (100, 104), (92, 96), (2.8, 8), (201.6, 200), (10, 16), (480, 480)]
)
def test_channels_are_rounded_to_multiples_of_eight(value: float, expected: int) -> None:
    assert make_divisible(value) == expected


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_upsample_repeats_each_pixel(factor: int) -> None:
    x = paddle.randn([2, 3, 4, 5])
    expected = x.numpy().repeat(factor, 2).repeat(factor, 3)
    np.testing.assert_allclose(nn.Upsample(3, factor)(x).numpy(), expected, atol=1e-6)


def test_upsample_has_nothing_to_save() -> None:
    assert not nn.Upsample(3, 2).state_dict()


def test_upsample_gives_each_pixel_the_sum_of_the_gradients_of_its_copies() -> None:
    x = paddle.randn([1, 2, 3, 3])
    x.stop_gradient = False
    nn.Upsample(2, 4)(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 16.0)


def test_se_module_multiplies_each_channel_by_its_gate() -> None:
    module = SEModule(8)
    for parameter in module.parameters():
        parameter.set_value(paddle.zeros_like(parameter))
    x = paddle.randn([2, 8, 4, 4])
    np.testing.assert_allclose(module(x).numpy(), 0.5 * x.numpy(), rtol=1e-6)  # hard sigmoid of 0


def test_gate_of_se_module_has_the_slope_asked_for() -> None:
    module = SEModule(4, slope=0.2)
    for parameter in module.parameters():
        parameter.set_value(paddle.zeros_like(parameter))
    module.conv2.bias.set_value(paddle.ones([4]))
    np.testing.assert_allclose(module(paddle.ones([1, 4, 2, 2])).numpy(), 0.7, rtol=1e-6)


def test_conv_bn_layer_keeps_the_size_at_stride_one_and_normalises() -> None:
    y = ConvBNLayer(3, 16, 5)(paddle.randn([8, 3, 12, 10]) * 7 + 3).numpy()
    assert y.shape == (8, 16, 12, 10)
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(y.std((0, 2, 3)), 1, atol=1e-2)


def test_own_decay_is_an_l2_penalty_only_if_it_is_not_zero() -> None:
    assert uniform_attribute(4).regularizer is None
    assert isinstance(uniform_attribute(4, 0.1).regularizer, paddle.regularizer.L2Decay)
