"""The feature pyramid of DB."""

from __future__ import annotations

from collections.abc import Sequence

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.necks.base import NECKS


@NECKS.register
class DBFPN(nn.Layer):
    """Feature pyramid: sum from coarse to fine, then join the four levels at the finest resolution.

    Args:
        in_channels: Channels of the four maps, from fine to coarse.
        out_channels: Channels of the sums; without *level_channels* also of the result, and then a multiple of 4.
        level_channels: Channels that each level gives to the result, from coarse to fine, as pruning leaves them; None
            for a quarter of *out_channels* each.

    Attributes:
        out_channels: Channels of the result.

    Shape:
        four maps (N, in_channels[i], H / 2^(i + 2), W / 2^(i + 2)) → (N, sum of level_channels, H / 4, W / 4)

    Raises:
        ConfigError: If the backbone does not give four maps, *level_channels* does not have four numbers, or
            *out_channels* is not a multiple of 4 without them.

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, figure 3;
        Lin et al., Feature Pyramid Networks, CVPR 2017.
    """

    def __init__(
        self, in_channels: Sequence[int], out_channels: int = 256, level_channels: list[int] | None = None
    ) -> None:
        super().__init__()
        if isinstance(in_channels, int) or len(in_channels) != 4:
            raise ConfigError(f"DBFPN needs four maps from the backbone. Received channels: {in_channels}")
        if level_channels is None and (out_channels < 4 or out_channels % 4):
            raise ConfigError(f"DBFPN.out_channels must be a multiple of 4. Received: {out_channels}")
        levels = [out_channels // 4] * 4 if level_channels is None else level_channels
        if len(levels) != 4 or min(levels) < 1:
            raise ConfigError(f"DBFPN.level_channels must have 4 positive numbers. Received: {levels}")
        self.out_channels = sum(levels)
        self.in2_conv = _convolution(in_channels[0], out_channels, 1)
        self.in3_conv = _convolution(in_channels[1], out_channels, 1)
        self.in4_conv = _convolution(in_channels[2], out_channels, 1)
        self.in5_conv = _convolution(in_channels[3], out_channels, 1)
        self.p5_conv = _convolution(out_channels, levels[0], 3)
        self.p4_conv = _convolution(out_channels, levels[1], 3)
        self.p3_conv = _convolution(out_channels, levels[2], 3)
        self.p2_conv = _convolution(out_channels, levels[3], 3)
        self.step_up = nn.Upsample(out_channels, 2)
        self.p5_up = nn.Upsample(levels[0], 8)
        self.p4_up = nn.Upsample(levels[1], 4)
        self.p3_up = nn.Upsample(levels[2], 2)

    def forward(self, maps: Sequence[nn.Tensor]) -> nn.Tensor:
        """See *Shape* of the class."""
        c2, c3, c4, c5 = maps
        in5 = self.in5_conv(c5)  # (N, out_channels, H / 32, W / 32)
        out4 = self.in4_conv(c4) + self.step_up(in5)  # (N, out_channels, H / 16, W / 16)
        out3 = self.in3_conv(c3) + self.step_up(out4)  # (N, out_channels, H / 8, W / 8)
        out2 = self.in2_conv(c2) + self.step_up(out3)  # (N, out_channels, H / 4, W / 4)
        p5 = self.p5_up(self.p5_conv(in5))  # (N, level_channels[0], H / 4, W / 4), as the next three
        p4 = self.p4_up(self.p4_conv(out4))
        p3 = self.p3_up(self.p3_conv(out3))
        p2 = self.p2_conv(out2)
        return nn.concat([p5, p4, p3, p2], axis=1)  # (N, sum of level_channels, H / 4, W / 4)


def _convolution(in_channels: int, out_channels: int, kernel_size: int) -> nn.Layer:
    """Return a convolution without bias that keeps the size, started as in He et al., ICCV 2015 (uniform)."""
    return nn.Conv2D(
        in_channels,
        out_channels,
        kernel_size,
        padding=(kernel_size - 1) // 2,
        weight_attr=nn.ParamAttr(initializer=nn.KaimingUniform()),
        bias_attr=False,
    )
