"""Building blocks with Paddle's arithmetic."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation = Literal["relu", "hardswish"]


def make_divisible(value: float, divisor: int = 8) -> int:
    """Round a channel count to a multiple of *divisor*, losing at most a tenth of it.

    Args:
        value: Wanted number of channels.
        divisor: The result is a multiple of this, and at least this.
    """
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def activate(x: Tensor, activation: Activation | None) -> Tensor:
    """Apply the named activation, or none.

    Args:
        x: Any shape.
        activation: ``"relu"``, ``"hardswish"``, or None for the identity.
    """
    if activation == "relu":
        return F.relu(x)
    if activation == "hardswish":
        return F.hardswish(x)
    return x


class BatchNorm(nn.BatchNorm2d):
    """Batch norm whose running variance is fed with the biased batch variance, as Paddle does.

    torch feeds the unbiased one, n / (n - 1) larger for n values a channel.
    The difference shows on the small maps of late layers, and would make the two engines drift apart.

    Args:
        channels: Channels of the input.

    Shape:
        (N, C, H, W) → the same.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-5, momentum=0.1)  # torch's 0.1 is Paddle's 0.9

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; while training also update the running statistics."""
        if not self.training or self.running_var is None:
            return super().forward(x)
        scratch = self.running_var.clone()  # autograd holds on to what it gets; ours must stay free to change
        y = F.batch_norm(
            x, self.running_mean, scratch, self.weight, self.bias, training=True, momentum=0.1, eps=self.eps
        )
        count = x.numel() // x.shape[1]
        biased = (count - 1) / count
        # scratch = 0.9 before + 0.1 v n / (n - 1); wanted: 0.9 before + 0.1 v
        with torch.no_grad():
            self.running_var.mul_(0.9 * (1 - biased)).add_(scratch, alpha=biased)
        return y


class ConvBNLayer(nn.Module):
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
        padding = (kernel_size - 1) // 2
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)
        self.bn = BatchNorm(out_channels)
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        return activate(self.bn(self.conv(x)), self.activation)


class SEModule(nn.Module):
    """Squeeze and excitation: weigh each channel by a gate computed from the mean of all channels.

    Args:
        channels: Channels of the input and of the output.
        reduction: The gate is computed from ``channels // reduction`` values.
        slope: Slope of the hard sigmoid ``clip(slope * x + 0.5, 0, 1)``.

    Shape:
        (N, channels, H, W) → the same
    """

    def __init__(self, channels: int, reduction: int = 4, slope: float = 0.2) -> None:
        super().__init__()
        self.slope = slope
        self.conv1 = nn.Conv2d(channels, channels // reduction, 1)
        self.conv2 = nn.Conv2d(channels // reduction, channels, 1)
        paddle_init(self.conv1)
        paddle_init(self.conv2)

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        gate = F.relu(self.conv1(x.mean((2, 3), keepdim=True)))  # (N, channels / reduction, 1, 1)
        gate = torch.clamp(self.conv2(gate) * self.slope + 0.5, 0.0, 1.0)  # (N, channels, 1, 1)
        return x * gate


def paddle_init(module: nn.Conv2d) -> None:
    """Draw weights as Paddle does where nothing else is said, and set the bias to 0.

    The weights are normal with variance 2 / (k · k · in_channels).

    Args:
        module: Changed in place.
    """
    fan_in = module.kernel_size[0] * module.kernel_size[1] * module.in_channels
    nn.init.normal_(module.weight, 0.0, (2.0 / fan_in) ** 0.5)
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def uniform_init(layer: nn.Linear) -> None:
    """Draw weight and bias uniformly from ±1/sqrt(inputs).

    Args:
        layer: Changed in place.
    """
    bound = layer.in_features**-0.5
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)


def set_decay(layer: nn.Module, decay: float) -> None:
    """Give the parameters of *layer* an L2 penalty of their own; it replaces that of the optimizer unless 0.

    Args:
        layer: The layer, changed in place.
        decay: Factor of the penalty.
    """
    if decay:
        for parameter in layer.parameters():
            parameter.own_decay = decay  # type: ignore[attr-defined]
