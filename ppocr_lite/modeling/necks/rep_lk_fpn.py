"""The feature pyramid of the tiny and small detectors of PP-OCRv6."""

from __future__ import annotations

from collections.abc import Sequence

from ppocr_lite import nn
from ppocr_lite.modeling.layers import SEModule
from ppocr_lite.modeling.necks.base import NECKS
from ppocr_lite.modeling.necks.dilated import DilatedReparamBlock
from ppocr_lite.modeling.necks.pyramid import Pyramid, apply_each, backwards, check_maps, plain
from ppocr_lite.modeling.necks.rse_fpn import RSELayer


class LargeKernelLayer(nn.Layer):
    """A large depthwise kernel, a 1×1 convolution, and a gate beside what enters it.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Side of the large kernel.
        shortcut: Whether what enters the gate is added to what leaves it.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H, W)
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, shortcut: bool) -> None:
        super().__init__()
        self.shortcut = shortcut
        self.dw = DilatedReparamBlock(in_channels, kernel_size)
        self.pw = plain(in_channels, out_channels, 1)
        self.se_block = SEModule(out_channels)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.pw(self.dw(x))
        return x + self.se_block(x) if self.shortcut else self.se_block(x)


@NECKS.register
class RepLKFPN(nn.Layer):
    """:class:`RSEFPN` with large depthwise kernels in the place of its 3×3 convolutions.

    Args:
        in_channels: Channels of the four maps, from fine to coarse.
        out_channels: Channels of the sums and of the result, a multiple of 4.
        dilated_kernel_size: Side of the large kernels: 5, 7, 9, 11 or 13.
        shortcut: Whether what enters a gate is added to what leaves it.

    Attributes:
        out_channels: Channels of the result.

    Shape:
        four maps (N, in_channels[i], H / 2^(i + 2), W / 2^(i + 2)) → [(N, out_channels, H / 4, W / 4), and the sums
        (N, out_channels, H / s, W / s) for s of 4, 8 and 16, which a :class:`DBHead` with *aux_in_channels* learns
        from]

    Raises:
        ConfigError: If the backbone does not give four maps, *out_channels* is not a multiple of 4, or there is no
            such kernel.

    Source:
        PaddleOCR, PP-OCRv6, 2026; kernels: Ding et al., UniRepLKNet, CVPR 2024, §3.2.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int = 96,
        dilated_kernel_size: int = 7,
        shortcut: bool = True,
    ) -> None:
        super().__init__()
        check_maps(in_channels, out_channels, "RepLKFPN")
        self.out_channels = out_channels
        quarter = out_channels // 4
        self.ins_conv = nn.LayerList([RSELayer(channels, out_channels, 1, shortcut) for channels in in_channels])
        self.inp_conv = nn.LayerList(
            [LargeKernelLayer(out_channels, quarter, dilated_kernel_size, shortcut) for _ in in_channels]
        )
        self.pyramid = Pyramid(out_channels, quarter)

    def forward(self, maps: Sequence[nn.Tensor]) -> list[nn.Tensor]:
        """See *Shape* of the class."""
        sums = self.pyramid.sums(self.ins_conv, maps)  # four maps of out_channels, from coarse to fine
        joined = self.pyramid.join(apply_each(backwards(self.inp_conv), sums))
        return [joined, sums[3], sums[2], sums[1]]
