from __future__ import annotations

import paddle
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.backbones import MobileNetV1Enhance, MobileNetV3, ResNet

LINE = [1, 3, 32, 320]


@pytest.mark.parametrize("stride", [[1, 2, 2, 2], [2, 2, 2, 2]])
def test_small_mobilenet_makes_eighty_steps_of_a_line(stride: list[int]) -> None:
    backbone = MobileNetV3(model_type="rec", model_name="small", scale=0.5, small_stride=stride)
    assert tuple(backbone(paddle.zeros(LINE)).shape) == (1, 288, 1, 80)


@pytest.mark.parametrize("name", ["small", "large"])
def test_lines_of_height_48_also_become_one_row_of_a_mobilenet(name: str) -> None:
    backbone = MobileNetV3(model_type="rec", model_name=name, small_stride=[1, 2, 2, 2])
    assert tuple(backbone(paddle.zeros([1, 3, 48, 64])).shape)[2:] == (1, 16)


def test_gates_can_be_left_out() -> None:
    names = MobileNetV3(model_name="small", model_type="cls", disable_se=True).state_dict()
    assert not any("mid_se" in name for name in names)


def test_classifier_backbone_takes_its_own_input() -> None:
    backbone = MobileNetV3(model_type="cls", model_name="small", scale=0.35)
    assert tuple(backbone(paddle.zeros([1, 3, 48, 192])).shape) == (1, 200, 1, 48)


def test_small_mobilenet_serves_a_detector() -> None:
    backbone = MobileNetV3(model_type="det", model_name="small", scale=0.5)
    assert backbone.out_channels == (8, 16, 24, 288)


def test_strides_of_lines_are_refused_for_a_detector() -> None:
    with pytest.raises(ConfigError, match="large_stride is for rec and cls"):
        MobileNetV3(model_type="det", large_stride=[1, 2, 2, 2])


def test_four_strides_are_needed() -> None:
    with pytest.raises(ConfigError, match=r"small_stride must have 4 values. Received: \[1, 2\]"):
        MobileNetV3(model_type="rec", model_name="small", small_stride=[1, 2])


@pytest.mark.parametrize(("layers", "channels"), [(18, 512), (34, 512), (50, 2048)])
def test_resnet_makes_one_row_of_a_line(layers: int, channels: int) -> None:
    backbone = ResNet(model_type="rec", layers=layers)
    backbone.eval()
    assert tuple(backbone(paddle.zeros([1, 3, 32, 64])).shape) == (1, channels, 1, 16)


def test_resnet50_gives_four_wide_maps() -> None:
    assert ResNet(layers=50).out_channels == (256, 512, 1024, 2048)


def test_lcnet_makes_eighty_steps_of_a_line() -> None:
    assert tuple(MobileNetV1Enhance(scale=0.5)(paddle.zeros(LINE)).shape) == (1, 512, 1, 80)


def test_lcnet_has_gates_in_its_last_two_blocks_and_wide_kernels_in_its_last_seven() -> None:
    blocks = list(MobileNetV1Enhance(scale=0.5).block_list)
    assert [block.use_se for block in blocks] == [False] * 11 + [True] * 2
    assert [block._depthwise_conv._conv._kernel_size[0] for block in blocks] == [3] * 6 + [5] * 7
