"""ResNet-vd for detection, classification and recognition."""

from __future__ import annotations

from typing import Literal

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.backbones.base import BACKBONES, MAPS, check_stages
from ppocr_lite.modeling.deformable import DeformableConv

_DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
_WIDTHS = (64, 128, 256, 512)
_BOTTLENECK_EXPANSION = 4


class ConvBNLayer(nn.Layer):
    """Optional mean pooling, convolution without bias, batch normalisation, optional ReLU.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Odd side of the kernel; the padding keeps the size at stride 1.
        stride: One stride, or (vertical, horizontal).
        pool: Take the stride by mean pooling before the convolution instead of in it.
        relu: Whether a ReLU follows.
        deformable: Whether the convolution is a deformable one.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, ceil(H / stride), ceil(W / stride))

    Source:
        He et al., Bag of Tricks for Image Classification, CVPR 2019 (ResNet-D, here "vd").
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int | tuple[int, int] = 1,
        pool: bool = False,
        relu: bool = False,
        deformable: bool = False,
    ) -> None:
        super().__init__()
        self.pool, self.relu = pool, relu
        self._pool2d_avg = nn.AvgPool2D(stride if pool else 2, stride=stride if pool else 2, ceil_mode=True)
        if deformable:
            self._conv = DeformableConv(in_channels, out_channels, kernel_size, 1 if pool else stride)
        else:
            self._conv = nn.Conv2D(
                in_channels,
                out_channels,
                kernel_size,
                stride=1 if pool else stride,
                padding=(kernel_size - 1) // 2,
                weight_attr=nn.ParamAttr(initializer=nn.KaimingNormal()),
                bias_attr=False,
            )
        self._batch_norm = nn.BatchNorm2D(out_channels)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        if self.pool:
            x = self._pool2d_avg(x)
        x = self._batch_norm(self._conv(x))
        return nn.relu(x) if self.relu else x


class BasicBlock(nn.Layer):
    """Two 3×3 convolutions and a shortcut.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        stride: Stride of the first convolution.
        project: Whether the shortcut is a convolution instead of the identity.
        deformable: Whether the second 3×3 convolution is deformable.

    Shape:
        (N, in_channels, H, W) → (N, channels, H / stride, W / stride)
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int | tuple[int, int],
        project: bool,
        deformable: bool = False,
    ) -> None:
        super().__init__()
        self.project = project
        self.conv0 = ConvBNLayer(in_channels, channels, 3, stride=stride, relu=True)
        self.conv1 = ConvBNLayer(channels, channels, 3, deformable=deformable)
        if project:
            self.short = ConvBNLayer(in_channels, channels, 1, stride=stride, pool=stride not in (1, (1, 1)))

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        short = self.short(x) if self.project else x
        return nn.relu(short + self.conv1(self.conv0(x)))  # (N, channels, H / stride, W / stride)


class BottleneckBlock(nn.Layer):
    """A 3×3 convolution between two 1×1 ones, and a shortcut.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the 3×3 convolution; the output has four times as many.
        stride: Stride of the 3×3 convolution.
        project: Whether the shortcut is a convolution instead of the identity.
        deformable: Whether the 3×3 convolution is deformable.

    Shape:
        (N, in_channels, H, W) → (N, 4 * channels, H / stride, W / stride)
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int | tuple[int, int],
        project: bool,
        deformable: bool = False,
    ) -> None:
        super().__init__()
        self.project = project
        out_channels = channels * _BOTTLENECK_EXPANSION
        self.conv0 = ConvBNLayer(in_channels, channels, 1, relu=True)
        self.conv1 = ConvBNLayer(channels, channels, 3, stride=stride, relu=True, deformable=deformable)
        self.conv2 = ConvBNLayer(channels, out_channels, 1)
        if project:
            self.short = ConvBNLayer(in_channels, out_channels, 1, stride=stride, pool=stride not in (1, (1, 1)))

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        short = self.short(x) if self.project else x
        return nn.relu(short + self.conv2(self.conv1(self.conv0(x))))  # (N, 4 * channels, H / stride, W / stride)


@BACKBONES.register
class ResNet(nn.Layer):
    """ResNet-vd; what it returns depends on the family of the model.

    Args:
        in_channels: Channels of the image.
        model_type: ``"det"`` returns four maps, ``"rec"`` and ``"cls"`` one map that keeps the width.
        layers: Depth: 18, 34 or 50.
        dcn_stage: Whether the blocks of each of the four stages have a deformable 3×3 convolution: in blocks with two
            such convolutions the second. DB has them in all but the first.
        stages: Maps of a detector, 1 to 4, the finest first. What comes after the last is not built.
        freeze_at: Leave what comes first as it is: 1 the three convolutions before the stages, 2 also the first stage,
            and so on up to 1 + *stages*; 0 for nothing. Meant for pretrained weights.

    Attributes:
        out_channels: Channel counts of the maps (det) or one (rec, cls).

    Shape:
        det: (N, in_channels, H, W) → *stages* maps with 1/4, 1/8, 1/16 and 1/32 of the sides.
        rec, cls: (N, in_channels, H, W) → (N, out_channels, H / 32, W / 4)

    Raises:
        ConfigError: If *stages* or *freeze_at* is out of range, or *stages* is given to a family without maps.

    Source:
        He et al., Deep Residual Learning, CVPR 2016; He et al., Bag of Tricks, CVPR 2019 (ResNet-D);
        deformable convolutions: Liao et al., DB, AAAI 2020, §3.4, placed as in the authors' code.
    """

    out_channels: int | tuple[int, ...]

    def __init__(
        self,
        in_channels: int = 3,
        model_type: Literal["det", "cls", "rec"] = "det",
        layers: Literal[18, 34, 50] = 18,
        dcn_stage: tuple[bool, bool, bool, bool] = (False, False, False, False),
        stages: int = MAPS,
        freeze_at: int = 0,
    ) -> None:
        super().__init__()
        check_stages("ResNet", stages, model_type)
        if not 0 <= freeze_at <= stages + 1:
            raise ConfigError(f"ResNet.freeze_at must be from 0 to {stages + 1}. Received: {freeze_at}")
        self.model_type = model_type
        is_det = model_type == "det"
        self.conv1_1 = ConvBNLayer(in_channels, 32, 3, stride=2 if is_det else 1, relu=True)
        self.conv1_2 = ConvBNLayer(32, 32, 3, relu=True)
        self.conv1_3 = ConvBNLayer(32, 64, 3, relu=True)
        self.pool2d_max = nn.MaxPool2D(3, stride=2, padding=1)
        block = BottleneckBlock if layers == 50 else BasicBlock
        expansion = _BOTTLENECK_EXPANSION if layers == 50 else 1
        channels = 64
        self._stages: list[list[str]] = []
        for stage, (depth, width) in enumerate(zip(_DEPTHS[layers][:stages], _WIDTHS, strict=False)):
            names = [f"bb_{stage}_{i}" for i in range(depth)]
            for i, name in enumerate(names):
                stride: int | tuple[int, int] = 1
                if i == 0 and stage > 0:
                    stride = 2 if is_det else (2, 1)
                self.add_sublayer(name, block(channels, width, stride, i == 0, dcn_stage[stage]))
                channels = width * expansion
            self._stages.append(names)
        if is_det:
            self.out_channels = tuple(width * expansion for width in _WIDTHS[:stages])
        else:
            self.out_pool = nn.MaxPool2D(2, stride=2)
            self.out_channels = channels
        if freeze_at:
            first = ["conv1_1", "conv1_2", "conv1_3"]
            for name in first + [name for names in self._stages[: freeze_at - 1] for name in names]:
                nn.freeze(getattr(self, name))

    def forward(self, x: nn.Tensor) -> nn.Tensor | list[nn.Tensor]:
        """See *Shape* of the class."""
        x = self.conv1_3(self.conv1_2(self.conv1_1(x)))  # (N, 64, H / 2, W / 2), in rec and cls (N, 64, H, W)
        x = self.pool2d_max(x)
        maps = []
        for names in self._stages:
            for name in names:
                x = getattr(self, name)(x)
            maps.append(x)
        return maps if self.model_type == "det" else self.out_pool(x)  # (N, out_channels, H / 32, W / 4)
