"""Small layers that several networks share."""

from __future__ import annotations

from typing import Any, Literal

from ppocr_lite import nn

Activation = Literal["relu", "hardswish"]


def make_divisible(value: float, divisor: int = 8) -> int:
    """Round a channel count to a multiple of *divisor*, losing at most a tenth of it.

    Args:
        value: Wanted number of channels, usually ``scale * channels``.
        divisor: The result is a multiple of this, and at least this.

    Example:
        >>> make_divisible(0.5 * 24), make_divisible(0.35 * 576)
        (16, 200)

    Source:
        Sandler et al., MobileNetV2, CVPR 2018 (reference implementation of the width multiplier).
    """
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def activate(x: nn.Tensor, activation: Activation | None) -> nn.Tensor:
    """Apply the named activation, or none.

    Args:
        x: Any shape.
        activation: ``"relu"``, ``"hardswish"`` (Howard et al., MobileNetV3, §5.2), or None for the identity.
    """
    if activation == "relu":
        return nn.relu(x)
    if activation == "hardswish":
        return nn.hardswish(x)
    return x


class ConvBNLayer(nn.Layer):
    """Convolution without bias, batch normalisation, activation.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Odd side of the square kernel; the padding keeps the size at stride 1.
        stride: One stride, or (vertical, horizontal).
        groups: Groups of the convolution; *in_channels* for a depthwise one.
        activation: Name for :func:`activate`.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, ceil(H / stride), ceil(W / stride))

    Source:
        The weights start as in He et al., Delving Deep into Rectifiers, ICCV 2015 (normal, fan-in).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int | tuple[int, int] = 1,
        groups: int = 1,
        activation: Activation | None = None,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.conv = nn.Conv2D(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=(kernel_size - 1) // 2,
            groups=groups,
            weight_attr=nn.ParamAttr(initializer=nn.KaimingNormal()),
            bias_attr=False,
        )
        self.bn = nn.BatchNorm2D(out_channels)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return activate(self.bn(self.conv(x)), self.activation)


class SEModule(nn.Layer):
    """Squeeze and excitation: weigh each channel by a gate computed from the mean of all channels.

    Args:
        channels: Channels of the input and of the output.
        reduction: The gate is computed from ``channels // reduction`` values.
        slope: Slope of the hard sigmoid ``clip(slope * x + 0.5, 0, 1)``. Released PP-OCR MobileNetV3 weights
            were trained with 0.2, PP-LCNet with 1/6.

    Shape:
        (N, channels, H, W) → the same

    Source:
        Hu et al., Squeeze-and-Excitation Networks, CVPR 2018; hard sigmoid: Howard et al., MobileNetV3, §5.2-5.3.
    """

    def __init__(self, channels: int, reduction: int = 4, slope: float = 0.2) -> None:
        super().__init__()
        self.slope = slope
        self.avg_pool = nn.AdaptiveAvgPool2D(1)
        self.conv1 = nn.Conv2D(channels, channels // reduction, 1)
        self.conv2 = nn.Conv2D(channels // reduction, channels, 1)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        gate = nn.relu(self.conv1(self.avg_pool(x)))  # (N, channels / reduction, 1, 1)
        gate = nn.hardsigmoid(self.conv2(gate), slope=self.slope, offset=0.5)  # (N, channels, 1, 1)
        return x * gate


def uniform_attribute(fan_in: int, decay: float = 0.0) -> Any:
    """Return the attribute of a parameter that starts uniform in ±1/sqrt(*fan_in*).

    Args:
        fan_in: Inputs of the layer.
        decay: Factor of an L2 penalty of this parameter alone; replaces that of the optimizer unless 0.

    Source:
        LeCun et al., Efficient BackProp, 1998, §4.6.
    """
    bound = fan_in**-0.5
    return nn.ParamAttr(initializer=nn.Uniform(-bound, bound), decay=decay)
