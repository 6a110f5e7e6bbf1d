"""The feature pyramid of two-stage detectors: several levels of the same channels."""

from __future__ import annotations

from collections.abc import Sequence

from ppocr_lite import nn
from ppocr_lite.modeling.necks.base import NECKS
from ppocr_lite.modeling.necks.pyramid import Pyramid, apply_each, backwards, check_maps


@NECKS.register
class FPN(Pyramid):
    """Feature pyramid: sum from coarse to fine, and smooth each level; the levels stay apart.

    Args:
        in_channels: Channels of the four maps, from fine to coarse.
        out_channels: Channels of every level, a multiple of 4.
        extra_level: Add a level of half the sides, every other place of the coarsest, by max-pooling: for the
            proposals of large regions.

    Attributes:
        out_channels: For each level, its channels.

    Shape:
        four maps (N, in_channels[i], H / 2^(i + 2), W / 2^(i + 2)) → as many, with *extra_level* one more, levels
        (N, out_channels, H / 2^(i + 2), W / 2^(i + 2))

    Raises:
        ConfigError: If the backbone does not give four maps, or *out_channels* is not a multiple of 4.

    Source:
        Lin et al., Feature Pyramid Networks for Object Detection, CVPR 2017, §3 and §4.1.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int = 256, extra_level: bool = True) -> None:
        check_maps(in_channels, out_channels, "FPN")
        super().__init__(out_channels, out_channels)
        self.extra_level = extra_level
        self.out_channels = (out_channels,) * (len(in_channels) + extra_level)
        self.laterals = nn.LayerList([_convolution(channels, out_channels, 1) for channels in in_channels])
        self.outputs = nn.LayerList([_convolution(out_channels, out_channels, 3) for _ in in_channels])

    def forward(self, maps: Sequence[nn.Tensor]) -> list[nn.Tensor]:
        """See *Shape* of the class."""
        levels = apply_each(list(self.outputs), backwards(self.sums(list(self.laterals), maps)))
        if self.extra_level:
            levels = [*levels, nn.max_pool2d(levels[-1], 1, stride=2)]
        return levels


def _convolution(in_channels: int, out_channels: int, kernel_size: int) -> nn.Layer:
    weight = nn.ParamAttr(initializer=nn.KaimingUniform())
    return nn.Conv2D(in_channels, out_channels, kernel_size, padding=(kernel_size - 1) // 2, weight_attr=weight)
