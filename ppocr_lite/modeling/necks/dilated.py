"""Large depthwise kernels that are trained as several small ones with gaps."""

from __future__ import annotations

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.layers import FusibleConvBN
from ppocr_lite.modeling.reparameterize import convolution, fold, spread, surround, values

# Side of the large kernel → (side, dilation) of those beside it.
BRANCHES = {
    5: ((3, 1), (3, 2)),
    7: ((5, 1), (3, 2), (3, 3)),
    9: ((5, 1), (5, 2), (3, 3), (3, 4)),
    11: ((5, 1), (5, 2), (3, 3), (3, 4), (3, 5)),
    13: ((5, 1), (7, 2), (3, 3), (3, 4), (3, 5)),
}


class DilatedReparamBlock(nn.Layer):
    """A large depthwise convolution beside smaller, dilated ones, each normalised, added up; one convolution later.

    Args:
        channels: Of the input and of the output.
        kernel_size: Side of the large kernel: 5, 7, 9, 11 or 13.

    Raises:
        ConfigError: If it is another.

    Shape:
        (N, channels, H, W) → the same

    Source:
        Ding et al., UniRepLKNet, CVPR 2024, §3.2.
    """

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        if kernel_size not in BRANCHES:
            raise ConfigError(f"A dilated kernel must have a side of {sorted(BRANCHES)}. Received: {kernel_size}")
        self.channels, self.kernel_size = channels, kernel_size
        self.fused = False
        self.lk_origin = _depthwise(channels, kernel_size)
        self.origin_bn = nn.BatchNorm2D(channels)
        self.names = tuple(f"k{side}_{dilation}" for side, dilation in BRANCHES[kernel_size])
        for name, (side, dilation) in zip(self.names, BRANCHES[kernel_size], strict=True):
            self.add_sublayer(f"dil_conv_{name}", _depthwise(channels, side, dilation))
            self.add_sublayer(f"dil_bn_{name}", nn.BatchNorm2D(channels))

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        if self.fused:
            return self.lk_origin(x)
        y = self.origin_bn(self.lk_origin(x))
        for name in self.names:
            y = y + getattr(self, f"dil_bn_{name}")(getattr(self, f"dil_conv_{name}")(x))
        return y

    def fuse(self) -> None:
        """Become one convolution; see :func:`ppocr_lite.modeling.fuse`."""
        kernel, bias = fold(values(self.lk_origin.weight), self.origin_bn)
        for name, (_, dilation) in zip(self.names, BRANCHES[self.kernel_size], strict=True):
            branch = values(getattr(self, f"dil_conv_{name}").weight)
            small, shift = fold(spread(branch, dilation), getattr(self, f"dil_bn_{name}"))
            kernel, bias = kernel + surround(small, self.kernel_size), bias + shift
            delattr(self, f"dil_conv_{name}")
            delattr(self, f"dil_bn_{name}")
        del self.origin_bn
        self.lk_origin = convolution(kernel, bias, padding=self.kernel_size // 2, groups=self.channels)
        self.fused = True


class DilatedReparamConv(nn.Layer):
    """In the place of a large plain convolution: a :class:`DilatedReparamBlock`, then a 1×1 convolution.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Side of the large kernel.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H, W)
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.dw = DilatedReparamBlock(in_channels, kernel_size)
        self.pw = FusibleConvBN(in_channels, out_channels, 1)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return self.pw(self.dw(x))


def _depthwise(channels: int, side: int, dilation: int = 1) -> nn.Layer:
    """Return a depthwise convolution without bias that keeps the size."""
    return nn.Conv2D(
        channels,
        channels,
        side,
        padding=dilation * (side - 1) // 2,
        dilation=dilation,
        groups=channels,
        weight_attr=nn.ParamAttr(initializer=nn.KaimingNormal()),
        bias_attr=False,
    )
