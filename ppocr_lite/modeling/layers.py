"""Small layers that several networks share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.reparameterize import convolution, fold, values

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


def refuse_guide(arguments: Mapping[str, Any], path: str) -> None:
    """Check that a part of a network without a :class:`MultiHead` does not ask for a guide.

    Raises:
        ConfigError: If it does: nothing would teach the backbone.
    """
    if arguments.get("use_guide"):
        raise ConfigError(f"{path}.use_guide is for the CTCHead of a MultiHead: here nothing teaches the backbone.")


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


class FusibleConvBN(nn.Layer):
    """Convolution without bias, batch normalisation, activation; one convolution with a bias after ``fuse``.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Side of the square kernel. An odd one keeps the size at stride 1; an even one has no padding.
        stride: One stride, or (vertical, horizontal).
        groups: Groups of the convolution.
        activation: Name for :func:`activate`.
        first_scale: First scale of the normalisation.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, ceil(H / stride), ceil(W / stride)) for an odd kernel
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int | tuple[int, int] = 1,
        groups: int = 1,
        activation: Activation | None = None,
        first_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.stride, self.groups, self.activation = stride, groups, activation
        self.padding = (kernel_size - 1) // 2 if kernel_size % 2 else 0
        self.fused = False
        self.conv = nn.Conv2D(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=self.padding,
            groups=groups,
            bias_attr=False,
        )
        self.bn = nn.BatchNorm2D(out_channels, weight_attr=nn.ParamAttr(initializer=nn.Constant(first_scale)))

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.conv(x)
        return activate(x if self.fused else self.bn(x), self.activation)

    def fuse(self) -> None:
        """Become one convolution; see :func:`ppocr_lite.modeling.fuse`."""
        kernel, bias = fold(values(self.conv.weight), self.bn)
        del self.bn
        self.conv = convolution(kernel, bias, self.stride, self.padding, self.groups)
        self.fused = True


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


class LinePool(nn.Layer):
    """Average all rows, and columns two by two.

    On 3 rows this is the pooling of PP-OCRv4 and later, (3, 2). PaddleOCR averages to 40 columns in training, whatever
    the width; here lines of a batch have the width of the widest, and training does what prediction does.

    Shape:
        (N, C, H, W) → (N, C, 1, W // 2)
    """

    def __init__(self) -> None:
        super().__init__()
        self.columns = nn.AvgPool2D((1, 2), stride=(1, 2))

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return self.columns(x.mean(2, keepdim=True))


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
