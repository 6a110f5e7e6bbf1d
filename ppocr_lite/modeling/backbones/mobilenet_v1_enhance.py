"""PP-LCNet as a backbone of recognisers."""

from __future__ import annotations

from typing import Literal

from ppocr_lite import nn
from ppocr_lite.modeling.backbones.base import BACKBONES
from ppocr_lite.modeling.layers import SEModule, activate

_LCNET_SE_SLOPE = 1 / 6

Stride = int | tuple[int, int]

# (in, out, stride, kernel size, gate) of each block but the last, before the width multiplier.
_BLOCKS: tuple[tuple[int, int, Stride, int, bool], ...] = (
    (32, 64, 1, 3, False),
    (64, 128, 1, 3, False),
    (128, 128, 1, 3, False),
    (128, 256, (2, 1), 3, False),
    (256, 256, 1, 3, False),
    (256, 512, (2, 1), 3, False),
    *((512, 512, 1, 5, False),) * 5,
    (512, 1024, (2, 1), 5, True),
)


class ConvBNLayer(nn.Layer):
    """Convolution without bias, batch normalisation, h-swish.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Odd side of the kernel; the padding keeps the size at stride 1.
        stride: One stride, or (vertical, horizontal).
        groups: Groups of the convolution.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, ceil(H / stride), ceil(W / stride))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int | tuple[int, int] = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self._conv = nn.Conv2D(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=(kernel_size - 1) // 2,
            groups=groups,
            weight_attr=nn.ParamAttr(initializer=nn.KaimingNormal()),
            bias_attr=False,
        )
        self._batch_norm = nn.BatchNorm2D(out_channels)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return activate(self._batch_norm(self._conv(x)), "hardswish")


class DepthwiseSeparable(nn.Layer):
    """Depthwise convolution, optional gate, 1×1 convolution.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Stride of the depthwise convolution.
        kernel_size: Side of its kernel.
        use_se: Whether a squeeze-and-excitation gate stands between the two.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H / stride, W / stride)
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int | tuple[int, int], kernel_size: int, use_se: bool
    ) -> None:
        super().__init__()
        self.use_se = use_se
        self._depthwise_conv = ConvBNLayer(in_channels, in_channels, kernel_size, stride=stride, groups=in_channels)
        if use_se:
            self._se = SEModule(in_channels, slope=_LCNET_SE_SLOPE)
        self._pointwise_conv = ConvBNLayer(in_channels, out_channels, 1)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self._depthwise_conv(x)  # (N, in_channels, H / stride, W / stride)
        if self.use_se:
            x = self._se(x)
        return self._pointwise_conv(x)  # (N, out_channels, H / stride, W / stride)


@BACKBONES.register
class MobileNetV1Enhance(nn.Layer):
    """PP-LCNet: MobileNetV1 with h-swish, 5×5 kernels in the last stage and gates in the last two blocks.

    Args:
        in_channels: Channels of the image.
        scale: Width multiplier.
        last_conv_stride: Of the last block: one stride, or [vertical, horizontal].
        last_pool_type: ``"max"`` or ``"avg"`` pooling at the end.
        last_pool_kernel_size: Its window and stride, [vertical, horizontal].

    Attributes:
        out_channels: Channels of the result, ``int(1024 * scale)``.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H / 32, W / 4), with the last strides as they are by default. With
            those of PP-OCRv3, a last block of [1, 2] and a pooling of [2, 2]: (N, out_channels, H / 32, W / 8).

    Source:
        Cui et al., PP-LCNet, 2021; as a recogniser: Du et al., PP-OCRv2, 2021; Li et al., PP-OCRv3, 2022.
    """

    out_channels: int

    def __init__(
        self,
        in_channels: int = 3,
        scale: float = 0.5,
        last_conv_stride: int | tuple[int, int] = 1,
        last_pool_type: Literal["max", "avg"] = "max",
        last_pool_kernel_size: tuple[int, int] = (2, 2),
    ) -> None:
        super().__init__()
        blocks = (*_BLOCKS, (1024, 1024, last_conv_stride, 5, True))
        self.conv1 = ConvBNLayer(in_channels, int(32 * scale), 3, stride=2)
        self.block_list = nn.Sequential(
            *(
                DepthwiseSeparable(int(before * scale), int(after * scale), stride, kernel_size, use_se)
                for before, after, stride, kernel_size, use_se in blocks
            )
        )
        pool = nn.MaxPool2D if last_pool_type == "max" else nn.AvgPool2D
        self.pool = pool(last_pool_kernel_size, stride=last_pool_kernel_size)
        self.out_channels = int(1024 * scale)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.conv1(x)  # (N, 32 * scale, H / 2, W / 2)
        x = self.block_list(x)  # (N, out_channels, H / 16, W / 2)
        return self.pool(x)  # (N, out_channels, H / 32, W / 4)
