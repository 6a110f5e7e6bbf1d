"""The networks of the CML detector as its training log prints them: names, channels, kernels, strides."""

from __future__ import annotations

from typing import Any

import paddle
import pytest
from paddle import nn

from ppocr_lite.modeling import build_model

# (in, expanded, out, kernel, stride) of each residual unit of each stage: MobileNetV3 large × 0.5 without gates.
STUDENT_STAGES = (
    ((8, 8, 8, 3, 1), (8, 32, 16, 3, 2), (16, 40, 16, 3, 1)),
    ((16, 40, 24, 5, 2), (24, 64, 24, 5, 1), (24, 64, 24, 5, 1)),
    (
        (24, 120, 40, 3, 2),
        (40, 104, 40, 3, 1),
        (40, 96, 40, 3, 1),
        (40, 96, 40, 3, 1),
        (40, 240, 56, 3, 1),
        (56, 336, 56, 3, 1),
    ),
    ((56, 336, 80, 5, 2), (80, 480, 80, 5, 1), (80, 480, 80, 5, 1)),
)
# (in, out, stride of the first convolution) of the two blocks of each stage: ResNet18-vd.
TEACHER_STAGES = (
    ((64, 64, 1), (64, 64, 1)),
    ((64, 128, 2), (128, 128, 1)),
    ((128, 256, 2), (256, 256, 1)),
    ((256, 512, 2), (512, 512, 1)),
)

# name → (in, out, kernel, stride, groups)
Convolutions = dict[str, tuple[int, int, int, int, int]]


def student_backbone() -> Convolutions:
    found: Convolutions = {"conv.conv": (3, 8, 3, 2, 1)}
    for stage, units in enumerate(STUDENT_STAGES):
        for index, (inside, expanded, outside, kernel, stride) in enumerate(units):
            name = f"stage{stage}.{index}"
            found[f"{name}.expand_conv.conv"] = (inside, expanded, 1, 1, 1)
            found[f"{name}.bottleneck_conv.conv"] = (expanded, expanded, kernel, stride, expanded)
            found[f"{name}.linear_conv.conv"] = (expanded, outside, 1, 1, 1)
    found["stage3.3.conv"] = (80, 480, 1, 1, 1)
    return found


def teacher_backbone() -> Convolutions:
    found: Convolutions = {
        "conv1_1._conv": (3, 32, 3, 2, 1),
        "conv1_2._conv": (32, 32, 3, 1, 1),
        "conv1_3._conv": (32, 64, 3, 1, 1),
    }
    for stage, blocks in enumerate(TEACHER_STAGES):
        for index, (inside, outside, stride) in enumerate(blocks):
            name = f"bb_{stage}_{index}"
            found[f"{name}.conv0._conv"] = (inside, outside, 3, stride, 1)
            found[f"{name}.conv1._conv"] = (outside, outside, 3, 1, 1)
            if index == 0:
                found[f"{name}.short._conv"] = (inside, outside, 1, 1, 1)
    return found


def neck_and_head(maps: tuple[int, ...], width: int) -> Convolutions:
    quarter = width // 4
    found: Convolutions = {f"neck.in{i}_conv": (maps[i - 2], width, 1, 1, 1) for i in (2, 3, 4, 5)}
    found |= {f"neck.p{i}_conv": (width, quarter, 3, 1, 1) for i in (2, 3, 4, 5)}
    for branch in ("binarize", "thresh"):
        found[f"head.{branch}.conv1"] = (width, quarter, 3, 1, 1)
        found[f"head.{branch}.conv2"] = (quarter, quarter, 2, 2, 1)
        found[f"head.{branch}.conv3"] = (quarter, 1, 2, 2, 1)
    return found


def convolutions(model: nn.Layer) -> Convolutions:
    return {
        name: (layer._in_channels, layer._out_channels, layer._kernel_size[0], layer._stride[0], layer._groups)
        for name, layer in model.named_sublayers()
        if isinstance(layer, nn.Conv2D | nn.Conv2DTranspose)
    }


def detector(backbone: dict[str, Any], width: int) -> nn.Layer:
    neck = {"name": "DBFPN", "out_channels": width}
    return build_model({"model_type": "det", "Backbone": backbone, "Neck": neck, "Head": {"name": "DBHead", "k": 50}})


@pytest.fixture(scope="module")
def student() -> nn.Layer:
    return detector({"name": "MobileNetV3", "model_name": "large", "scale": 0.5, "disable_se": True}, 96)


@pytest.fixture(scope="module")
def teacher() -> nn.Layer:
    return detector({"name": "ResNet", "layers": 18}, 256)


def test_student_has_the_printed_convolutions(student: nn.Layer) -> None:
    expected = {f"backbone.{name}": value for name, value in student_backbone().items()}
    assert convolutions(student) == expected | neck_and_head((16, 24, 56, 480), 96)


def test_teacher_has_the_printed_convolutions(teacher: nn.Layer) -> None:
    expected = {f"backbone.{name}": value for name, value in teacher_backbone().items()}
    assert convolutions(teacher) == expected | neck_and_head((64, 128, 256, 512), 256)


@pytest.mark.parametrize(
    "name",
    [
        "backbone.conv.bn._mean",
        "backbone.stage2.5.bottleneck_conv.bn._variance",
        "head.binarize.conv_bn1.weight",
        "head.thresh.conv_bn2.bias",
        "head.binarize.conv3.bias",
    ],
)
def test_weights_of_the_student_have_the_printed_names(student: nn.Layer, name: str) -> None:
    assert name in student.state_dict()


def test_weights_of_the_teacher_have_the_printed_names(teacher: nn.Layer) -> None:
    assert "backbone.bb_3_1.conv1._batch_norm._mean" in teacher.state_dict()
    assert isinstance(teacher.backbone.bb_1_0.short._pool2d_avg, nn.AvgPool2D)


def test_detector_gives_the_four_documented_maps(student: nn.Layer) -> None:
    student.eval()
    with paddle.no_grad():
        maps = student.backbone(paddle.zeros([1, 3, 128, 160]))
    assert [tuple(x.shape) for x in maps] == [(1, 16, 32, 40), (1, 24, 16, 20), (1, 56, 8, 10), (1, 480, 4, 5)]
