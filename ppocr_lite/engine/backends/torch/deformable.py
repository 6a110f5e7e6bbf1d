"""A convolution that learns where to look: the twin of ``ppocr_lite.modeling.deformable``."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DeformableConv(nn.Module):
    """Modulated deformable convolution without bias.

    ``y(p) = Σ over k of w[k] * m[k](p) * x(p + p[k] + Δp[k](p))``: each of the K = kernel_size² taps is moved by an
    offset Δp and weighted by a mask m in (0, 1), both predicted at every position by a plain convolution over the same
    window. Between pixels x is interpolated, beyond the border it is 0. That convolution starts at 0, hence offsets at
    0 and masks at ½: a plain convolution at half strength.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Odd side of the kernel; the padding keeps the size at stride 1.
        stride: One stride, or (vertical, horizontal).

    Shape:
        (N, in_channels, H, W) → (N, out_channels, ceil(H / stride), ceil(W / stride))

    Source:
        Zhu et al., Deformable ConvNets v2, CVPR 2019, eq. 1; in DB: Liao et al., AAAI 2020, §3.4.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int | tuple[int, int] = 1
    ) -> None:
        super().__init__()
        self.stride = (stride, stride) if isinstance(stride, int) else stride
        self.padding, self.taps = (kernel_size - 1) // 2, kernel_size**2
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel_size, kernel_size))
        self.offset = nn.Conv2d(in_channels, 3 * self.taps, kernel_size, stride, self.padding)
        nn.init.kaiming_normal_(self.weight)
        nn.init.zeros_(self.offset.weight)
        nn.init.zeros_(self.offset.bias)

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        found = self.offset(x)  # (N, 3 K, H', W'): (Δy, Δx) of each tap, then the masks
        offsets, masks = found[:, : 2 * self.taps], torch.sigmoid(found[:, 2 * self.taps :])
        return deform_conv2d(x, offsets, masks, self.weight, self.stride, self.padding)


def deform_conv2d(
    x: Tensor, offsets: Tensor, masks: Tensor, weight: Tensor, stride: tuple[int, int], padding: int
) -> Tensor:
    """Convolve *x* with taps that are moved by *offsets* and weighted by *masks*.

    All taps are looked up at once as one tall picture; what is left is a matrix product. Where a tap lies exactly on a
    pixel, the derivative by its offset is that of one side or the other, as rounding has it.

    Args:
        x: (N, C, H, W).
        offsets: (N, 2 K, H', W'), pixels: Δy and Δx of each of the K taps, row by row of the kernel.
        masks: (N, K, H', W').
        weight: (O, C, k, k) with k² = K.
        stride: (vertical, horizontal).
        padding: Rows and columns of zeros around *x*.

    Returns:
        (N, O, H', W').

    Source:
        Zhu et al., Deformable ConvNets v2, CVPR 2019, eq. 1.
    """
    count, channels, height, width = x.shape
    taps, (rows, columns) = masks.shape[1], masks.shape[2:]
    side = weight.shape[-1]
    exact = torch.promote_types(
        offsets.dtype, torch.float32
    )  # 8 bits cannot tell one pixel of a wide map from the next
    places = _tap_places(side, rows, columns, stride, padding).to(offsets.device, exact)  # (K, H', W', 2)
    moved = places + offsets.to(exact).view(count, taps, 2, rows, columns).permute(0, 1, 3, 4, 2)  # (N, K, H', W', 2)
    size = moved.new_tensor([height, width])
    grid = ((2.0 * moved + 1.0) / size - 1.0).flip(-1)  # as grid_sample wants it: (x, y), the picture from -1 to 1
    found = F.grid_sample(x.to(exact), grid.flatten(1, 2), "bilinear", "zeros", align_corners=False)  # (N, C, K H', W')
    found = found.view(count, channels, taps, rows, columns) * masks.unsqueeze(1)
    flat = found.flatten(1, 2).flatten(2)  # (N, C K, H' W')
    return (weight.flatten(1) @ flat).view(count, -1, rows, columns)


def _tap_places(side: int, rows: int, columns: int, stride: tuple[int, int], padding: int) -> Tensor:
    """Return where the taps of a plain convolution lie, (K, H', W', 2) as (y, x), pixels of the input."""
    tap = torch.arange(side) - padding
    y = tap[:, None] + torch.arange(rows)[None, :] * stride[0]  # (k, H')
    x = tap[:, None] + torch.arange(columns)[None, :] * stride[1]  # (k, W')
    shape = (side, side, rows, columns)
    places = torch.stack([y[:, None, :, None].expand(shape), x[None, :, None, :].expand(shape)], dim=-1)
    return places.flatten(0, 1)
