"""Path aggregation with large kernels: the neck of PaddleOCR's larger detectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ppocr_lite import nn
from ppocr_lite.modeling.necks.base import NECKS
from ppocr_lite.modeling.necks.dilated import DilatedReparamConv
from ppocr_lite.modeling.necks.pyramid import LEVELS, Pyramid, apply_each, backwards, check_maps, plain

_KERNEL = 9
_REDUCTION = 2  # of the channels inside an IntraCLBlock
_SIDES = (7, 5, 3)


class IntraCLBlock(nn.Layer):
    """Square, upright and flat windows of 7, 5 and 3 in turn, added to the input.

    Args:
        channels: Of the input and of the output.

    Shape:
        (N, channels, H, W) → the same

    Source:
        Du et al., I3CL: Intra- and Inter-Instance Collaborative Learning, IJCV 2022, §3.2.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // _REDUCTION
        self.conv1x1_reduce_channel = nn.Conv2D(channels, inner, 1)
        self.conv1x1_return_channel = nn.Conv2D(inner, channels, 1)
        for side in _SIDES:
            self.add_sublayer(f"v_layer_{side}x1", _window(inner, (side, 1)))
            self.add_sublayer(f"q_layer_1x{side}", _window(inner, (1, side)))
            self.add_sublayer(f"c_layer_{side}x{side}", _window(inner, (side, side)))
        self.bn = nn.BatchNorm2D(channels)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        y = self.conv1x1_reduce_channel(x)
        for side in _SIDES:
            square, upright = getattr(self, f"c_layer_{side}x{side}"), getattr(self, f"v_layer_{side}x1")
            y = square(y) + upright(y) + getattr(self, f"q_layer_1x{side}")(y)
        return x + nn.relu(self.bn(self.conv1x1_return_channel(y)))


class PathAggregation(nn.Layer):
    """Sums from coarse to fine, then from fine to coarse, and the four levels joined at the finest resolution.

    Args:
        in_channels: Channels of the four maps, from fine to coarse.
        out_channels: Channels of the sums and of the result, a multiple of 4.
        large: Makes a layer with a large kernel of (in, out) channels.
        intracl: Whether an :class:`IntraCLBlock` ends each level.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int,
        large: Callable[[int, int], nn.Layer],
        intracl: bool,
    ) -> None:
        super().__init__()
        check_maps(in_channels, out_channels, type(self).__name__)
        self.out_channels, self.intracl = out_channels, intracl
        quarter = out_channels // 4
        self.ins_conv = nn.LayerList([plain(channels, out_channels, 1) for channels in in_channels])
        self.inp_conv = nn.LayerList([large(out_channels, quarter) for _ in range(LEVELS)])
        self.pan_head_conv = nn.LayerList([plain(quarter, quarter, 3, stride=2) for _ in range(LEVELS - 1)])
        self.pan_lat_conv = nn.LayerList([large(quarter, quarter) for _ in range(LEVELS)])
        if intracl:
            self.incl1, self.incl2, self.incl3, self.incl4 = (IntraCLBlock(quarter) for _ in range(LEVELS))
        self.pyramid = Pyramid(out_channels, quarter)

    def levels(self, maps: Sequence[nn.Tensor]) -> list[nn.Tensor]:
        """Return the joined levels, and the sums at 1/4, 1/8 and 1/16 of the sides."""
        sums = self.pyramid.sums(self.ins_conv, maps)  # four maps of out_channels, from coarse to fine
        found = backwards(apply_each(backwards(self.inp_conv), sums))  # from fine to coarse
        for level in range(1, LEVELS):
            found[level] = found[level] + self.pan_head_conv[level - 1](found[level - 1])
        found = apply_each(list(self.pan_lat_conv), found)
        if self.intracl:
            found = apply_each([self.incl1, self.incl2, self.incl3, self.incl4], found)
        return [self.pyramid.join(backwards(found)), sums[3], sums[2], sums[1]]


@NECKS.register
class LKPAN(PathAggregation):
    """Path aggregation with plain 9×9 convolutions.

    Args:
        in_channels: Channels of the four maps, from fine to coarse.
        out_channels: Channels of the sums and of the result, a multiple of 4.
        intracl: Whether an :class:`IntraCLBlock` ends each level, as in PP-OCRv4 and v5.

    Attributes:
        out_channels: Channels of the result.

    Shape:
        four maps (N, in_channels[i], H / 2^(i + 2), W / 2^(i + 2)) → (N, out_channels, H / 4, W / 4)

    Raises:
        ConfigError: If the backbone does not give four maps, or *out_channels* is not a multiple of 4.

    Source:
        Li et al., PP-OCRv3, 2022, §2.1; Liu et al., Path Aggregation Network, CVPR 2018.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int = 256, intracl: bool = False) -> None:
        super().__init__(in_channels, out_channels, lambda before, after: plain(before, after, _KERNEL), intracl)

    def forward(self, maps: Sequence[nn.Tensor]) -> nn.Tensor:
        """See *Shape* of the class."""
        return self.levels(maps)[0]


@NECKS.register
class RepLKPAN(PathAggregation):
    """:class:`LKPAN` whose 9×9 convolutions are a large depthwise kernel and a 1×1 convolution each.

    Args:
        in_channels: Channels of the four maps, from fine to coarse.
        out_channels: Channels of the sums and of the result, a multiple of 4.
        intracl: Whether an :class:`IntraCLBlock` ends each level.

    Attributes:
        out_channels: Channels of the result.

    Shape:
        four maps (N, in_channels[i], H / 2^(i + 2), W / 2^(i + 2)) → [(N, out_channels, H / 4, W / 4), and the sums
        (N, out_channels, H / s, W / s) for s of 4, 8 and 16, which a :class:`DBHead` with *aux_in_channels* learns
        from]

    Raises:
        ConfigError: If the backbone does not give four maps, or *out_channels* is not a multiple of 4.

    Source:
        PaddleOCR, PP-OCRv6 (medium), 2026; kernels: Ding et al., UniRepLKNet, CVPR 2024, §3.2.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int = 256, intracl: bool = False) -> None:
        super().__init__(
            in_channels, out_channels, lambda before, after: DilatedReparamConv(before, after, _KERNEL), intracl
        )

    def forward(self, maps: Sequence[nn.Tensor]) -> list[nn.Tensor]:
        """See *Shape* of the class."""
        return self.levels(maps)


def _window(channels: int, sides: tuple[int, int]) -> nn.Layer:
    """Return a convolution that keeps the size."""
    return nn.Conv2D(channels, channels, sides, padding=(sides[0] // 2, sides[1] // 2))
