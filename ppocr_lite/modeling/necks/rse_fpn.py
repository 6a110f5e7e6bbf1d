"""The feature pyramid of mobile detectors from PP-OCRv3 to PP-OCRv5."""

from __future__ import annotations

from collections.abc import Sequence

from ppocr_lite import nn
from ppocr_lite.modeling.layers import SEModule
from ppocr_lite.modeling.necks.base import NECKS
from ppocr_lite.modeling.necks.pyramid import Pyramid, apply_each, backwards, check_maps, plain


class RSELayer(nn.Layer):
    """A convolution and a squeeze-and-excitation gate, beside what enters the gate.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Odd side of the kernel; the padding keeps the size.
        shortcut: Whether what enters the gate is added to what leaves it.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H, W)
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, shortcut: bool = True) -> None:
        super().__init__()
        self.shortcut = shortcut
        self.in_conv = plain(in_channels, out_channels, kernel_size)
        self.se_block = SEModule(out_channels)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.in_conv(x)
        return x + self.se_block(x) if self.shortcut else self.se_block(x)


@NECKS.register
class RSEFPN(nn.Layer):
    """A feature pyramid whose convolutions each have a residual squeeze-and-excitation gate.

    Args:
        in_channels: Channels of the four maps, from fine to coarse.
        out_channels: Channels of the sums and of the result, a multiple of 4.
        shortcut: Whether what enters a gate is added to what leaves it.

    Attributes:
        out_channels: Channels of the result.

    Shape:
        four maps (N, in_channels[i], H / 2^(i + 2), W / 2^(i + 2)) → (N, out_channels, H / 4, W / 4)

    Raises:
        ConfigError: If the backbone does not give four maps, or *out_channels* is not a multiple of 4.

    Source:
        Li et al., PP-OCRv3, 2022, §2.2; Lin et al., Feature Pyramid Networks, CVPR 2017.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int = 96, shortcut: bool = True) -> None:
        super().__init__()
        check_maps(in_channels, out_channels, "RSEFPN")
        self.out_channels = out_channels
        quarter = out_channels // 4
        self.ins_conv = nn.LayerList([RSELayer(channels, out_channels, 1, shortcut) for channels in in_channels])
        self.inp_conv = nn.LayerList([RSELayer(out_channels, quarter, 3, shortcut) for _ in in_channels])
        self.pyramid = Pyramid(out_channels, quarter)

    def forward(self, maps: Sequence[nn.Tensor]) -> nn.Tensor:
        """See *Shape* of the class."""
        sums = self.pyramid.sums(self.ins_conv, maps)  # four maps of out_channels, from coarse to fine
        return self.pyramid.join(apply_each(backwards(self.inp_conv), sums))
