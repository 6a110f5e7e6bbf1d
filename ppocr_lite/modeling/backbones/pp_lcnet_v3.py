"""PP-LCNetV3: the backbone of PP-OCRv4 and of the mobile networks of PP-OCRv5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.backbones.base import BACKBONES
from ppocr_lite.modeling.layers import ConvBNLayer, LinePool, SEModule, make_divisible
from ppocr_lite.modeling.reparameterize import convolution, fold, identity_kernel, surround, values

Stride = int | tuple[int, int]

_DIVISOR = 16  # of every channel count
_SE_SLOPE = 1 / 6
_LAB_RATE = 0.1  # factor of the learning rate for scales and shifts of whole maps
# What detection takes of each of its four maps, before the width multiplier.
_PROJECTED = (16, 24, 56, 480)


class _Row(NamedTuple):
    """One block, before the width multiplier."""

    kernel_size: int
    in_channels: int
    out_channels: int
    stride: Stride
    use_se: bool = False


def _stages(second: Stride, third: Stride, fourth: Stride, fifth: Stride, last: Stride) -> tuple[tuple[_Row, ...], ...]:
    """Return the blocks of the stages 2 to 6; detection and recognition differ in these strides only."""
    return (
        (_Row(3, 16, 32, 1),),
        (_Row(3, 32, 64, second), _Row(3, 64, 64, 1)),
        (_Row(3, 64, 128, third), _Row(3, 128, 128, 1)),
        (_Row(3, 128, 256, fourth), *(_Row(5, 256, 256, 1),) * 4),
        (_Row(5, 256, 512, fifth, True), _Row(5, 512, 512, 1, True), _Row(5, 512, 512, last), _Row(5, 512, 512, 1)),
    )


_DET = _stages(2, 2, 2, 2, 1)
_REC = _stages(1, (2, 1), (1, 2), (2, 1), (2, 1))


class LearnableAffineBlock(nn.Layer):
    """One learned scale and one learned shift for a whole map, at a tenth of the learning rate.

    Shape:
        any → the same
    """

    def __init__(self) -> None:
        super().__init__()
        self.scale = self.create_parameter([1], nn.ParamAttr(initializer=nn.Constant(1.0), learning_rate=_LAB_RATE))
        self.bias = self.create_parameter([1], nn.ParamAttr(initializer=nn.Constant(0.0), learning_rate=_LAB_RATE))

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return self.scale * x + self.bias


class Act(nn.Layer):
    """Hard swish and a :class:`LearnableAffineBlock`.

    Shape:
        any → the same
    """

    def __init__(self) -> None:
        super().__init__()
        self.lab = LearnableAffineBlock()

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return self.lab(nn.hardswish(x))


class LearnableRepLayer(nn.Layer):
    """Several convolutions and, where shapes allow, the input, each normalised and added up; one convolution later.

    Branches: *branches* k×k convolutions, a 1×1 convolution where k > 1, and the input itself where the output has its
    shape. A :class:`LearnableAffineBlock` follows, and :class:`Act` unless the stride is 2.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: k, odd.
        stride: One stride, or (vertical, horizontal).
        groups: Groups of the convolutions.
        branches: k×k convolutions side by side.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, ceil(H / stride), ceil(W / stride))

    Source:
        PaddleOCR, docs on PP-OCRv4, PP-LCNetV3, 2023; branches: Vasu et al., MobileOne, CVPR 2023, §3.2.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: Stride = 1,
        groups: int = 1,
        branches: int = 4,
    ) -> None:
        super().__init__()
        self.stride, self.groups, self.kernel_size = stride, groups, kernel_size
        self.fused = False
        self.conv_kxk = nn.LayerList(
            [ConvBNLayer(in_channels, out_channels, kernel_size, stride, groups) for _ in range(branches)]
        )
        self.has_point = kernel_size > 1
        if self.has_point:
            self.conv_1x1 = ConvBNLayer(in_channels, out_channels, 1, stride, groups)
        self.has_identity = in_channels == out_channels and stride == 1
        if self.has_identity:
            self.identity = nn.BatchNorm2D(in_channels)
        self.lab = LearnableAffineBlock()
        self.has_act = stride != 2
        if self.has_act:
            self.act = Act()

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        y = self.lab(self.reparam_conv(x) if self.fused else self._branches(x))
        return self.act(y) if self.has_act else y

    def _branches(self, x: nn.Tensor) -> nn.Tensor:
        y = self.conv_kxk[0](x)
        for conv in self.conv_kxk[1:]:
            y = y + conv(x)
        if self.has_point:
            y = y + self.conv_1x1(x)
        return y + self.identity(x) if self.has_identity else y

    def fuse(self) -> None:
        """Become one convolution; see :func:`ppocr_lite.modeling.fuse`."""
        parts = [fold(values(branch.conv.weight), branch.bn) for branch in self.conv_kxk]
        if self.has_point:
            parts.append(fold(values(self.conv_1x1.conv.weight), self.conv_1x1.bn))
            del self.conv_1x1
        if self.has_identity:
            parts.append(fold(identity_kernel(parts[0][0].shape[0], self.groups), self.identity))
            del self.identity
        del self.conv_kxk
        kernel = np.sum([surround(kernel, self.kernel_size) for kernel, _ in parts], axis=0)
        bias = np.sum([bias for _, bias in parts], axis=0)
        self.reparam_conv = convolution(kernel, bias, self.stride, (self.kernel_size - 1) // 2, self.groups)
        self.fused = True


class LCNetV3Block(nn.Layer):
    """Depthwise convolution, optional gate, 1×1 convolution, the convolutions each a :class:`LearnableRepLayer`.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Side of the depthwise kernel.
        stride: Its stride.
        use_se: Whether a squeeze-and-excitation gate stands between the two.
        branches: Convolutions side by side in each.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, ceil(H / stride), ceil(W / stride))
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: Stride, use_se: bool, branches: int
    ) -> None:
        super().__init__()
        self.use_se = use_se
        self.dw_conv = LearnableRepLayer(in_channels, in_channels, kernel_size, stride, in_channels, branches)
        if use_se:
            self.se = SEModule(in_channels, slope=_SE_SLOPE)
        self.pw_conv = LearnableRepLayer(in_channels, out_channels, 1, branches=branches)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.dw_conv(x)  # (N, in_channels, H / stride, W / stride)
        if self.use_se:
            x = self.se(x)
        return self.pw_conv(x)  # (N, out_channels, H / stride, W / stride)


@BACKBONES.register
class PPLCNetV3(nn.Layer):
    """PP-LCNetV3: PP-LCNet with branches that become one convolution, and learned scales of whole maps.

    Args:
        in_channels: Channels of the image.
        model_type: ``"det"`` returns four maps, ``"rec"`` and ``"cls"`` one map one row high.
        scale: Width multiplier; channel counts are rounded to multiples of 16.
        conv_kxk_num: k×k convolutions side by side in each layer.
        det: As PaddleOCR writes it beside the name; None for what *model_type* says.

    Attributes:
        out_channels: Four channel counts (det) or one (rec, cls).

    Shape:
        det: (N, in_channels, H, W) → maps with 1/4, 1/8, 1/16 and 1/32 of the sides, of
            ``int(scale * c)`` channels for c of 16, 24, 56, 480.
        rec, cls: (N, in_channels, H, W) → (N, out_channels, 1, W / 8); H / 16 rows are averaged, 3 for a height of 48.

    Raises:
        ConfigError: If *det* says otherwise than *model_type*.

    Source:
        PaddleOCR, docs on PP-OCRv4, 2023; Cui et al., PP-LCNet, 2021. Strides, widths and order are those of the
        published graphs.
    """

    out_channels: int | tuple[int, ...]

    def __init__(
        self,
        in_channels: int = 3,
        model_type: Literal["det", "cls", "rec"] = "det",
        scale: float = 1.0,
        conv_kxk_num: int = 4,
        det: bool | None = None,
    ) -> None:
        super().__init__()
        check_det(det, model_type, "PPLCNetV3")
        self.model_type = model_type

        def width(channels: int) -> int:
            return make_divisible(channels * scale, _DIVISOR)

        def stage(rows: Sequence[_Row]) -> nn.Layer:
            blocks = (
                LCNetV3Block(
                    width(row.in_channels),
                    width(row.out_channels),
                    row.kernel_size,
                    row.stride,
                    row.use_se,
                    conv_kxk_num,
                )
                for row in rows
            )
            return nn.Sequential(*blocks)

        self.conv1 = ConvBNLayer(in_channels, width(16), 3, stride=2)
        stages = _DET if model_type == "det" else _REC
        self.blocks2, self.blocks3, self.blocks4, self.blocks5, self.blocks6 = (stage(rows) for rows in stages)
        if model_type == "det":
            given = [width(rows[-1].out_channels) for rows in stages[1:]]
            self.out_channels = tuple(int(channels * scale) for channels in _PROJECTED)
            pairs = zip(given, self.out_channels, strict=True)
            self.layer_list = nn.LayerList([nn.Conv2D(before, after, 1) for before, after in pairs])
        else:
            self.out_channels = width(512)
            self.pool = LinePool()

    def forward(self, x: nn.Tensor) -> nn.Tensor | list[nn.Tensor]:
        """See *Shape* of the class."""
        x = self.blocks2(self.conv1(x))  # (N, C, H / 2, W / 2)
        maps = []
        for blocks in (self.blocks3, self.blocks4, self.blocks5, self.blocks6):
            x = blocks(x)  # det: H / 4 … H / 32
            maps.append(x)
        if self.model_type != "det":
            return self.pool(x)  # (N, out_channels, 1, W / 8)
        return [self.layer_list[level](x) for level, x in enumerate(maps)]


def check_det(det: bool | None, model_type: str, name: str) -> None:
    """Check what PaddleOCR's configs say twice.

    Raises:
        ConfigError: If *det* says otherwise than *model_type*.
    """
    if det is not None and det != (model_type == "det"):
        raise ConfigError(f"{name}.det is {det}, but Architecture.model_type is {model_type!r}. Leave it out.")
