"""Deformable convolution in PyTorch, which has none of its own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Pair = int | tuple[int, int]


def deform_conv2d(
    x: Tensor, offset: Tensor, weight: Tensor, *, stride: Pair = 1, padding: int = 0, mask: Tensor
) -> Tensor:
    """Convolve *x* with taps that are moved by *offset* and weighted by *mask*.

    All taps are looked up at once as one tall picture; what is left is a matrix product. Where a tap lies exactly on a
    pixel, the derivative by its offset is that of one side or the other, as rounding has it.

    Args:
        x: (N, C, H, W).
        offset: (N, 2 K, H', W'), pixels: Δy and Δx of each of the K taps, row by row of the kernel.
        weight: (O, C, k, k) with k² = K.
        stride: One, or (vertical, horizontal).
        padding: Rows and columns of zeros around *x*.
        mask: (N, K, H', W').

    Returns:
        (N, O, H', W').

    Source:
        Zhu et al., Deformable ConvNets v2, CVPR 2019, eq. 1.
    """
    count, channels, height, width = x.shape
    taps, (rows, columns) = mask.shape[1], mask.shape[2:]
    # 8 bits cannot tell one pixel of a wide map from the next
    exact = torch.promote_types(offset.dtype, torch.float32)
    steps = (stride, stride) if isinstance(stride, int) else stride
    places = _tap_places(weight.shape[-1], rows, columns, steps, padding).to(offset.device, exact)  # (K, H', W', 2)
    moved = places + offset.to(exact).view(count, taps, 2, rows, columns).permute(0, 1, 3, 4, 2)  # (N, K, H', W', 2)
    size = moved.new_tensor([height, width])
    grid = ((2.0 * moved + 1.0) / size - 1.0).flip(-1)  # as grid_sample wants it: (x, y), the picture from -1 to 1
    found = F.grid_sample(x.to(exact), grid.flatten(1, 2), "bilinear", "zeros", align_corners=False)  # (N, C, K H', W')
    found = found.view(count, channels, taps, rows, columns) * mask.unsqueeze(1)
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
