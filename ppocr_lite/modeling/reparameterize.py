"""Branches that compute one convolution, made that convolution before export.

Everything here is linear: a batch normalisation with fixed statistics is a scale and a shift, a small kernel is a large
one with zeros around it, and the sum of convolutions of one input is the convolution with the sum of their kernels.

Source:
    Ding et al., RepVGG, CVPR 2021, §3.3; dilated kernels: Ding et al., UniRepLKNet, CVPR 2024, §3.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import nn

Array = NDArray[np.float64]


def values(tensor: Any) -> Array:
    """Return a tensor as an array in double precision, in which branches are joined."""
    return np.asarray(tensor.detach().cpu().numpy(), np.float64)


def fold(kernel: Array, norm: Any, bias: Array | None = None) -> tuple[Array, Array]:
    """Return kernel and bias of a convolution that a batch normalisation follows.

    Args:
        kernel: (O, I, h, w).
        norm: The normalisation, of O channels.
        bias: Of the convolution, (O,); None for none.
    """
    mean, variance, epsilon = nn.statistics(norm)
    scale = values(norm.weight) / np.sqrt(values(variance) + epsilon)  # (O,)
    shift = -values(mean) if bias is None else bias - values(mean)
    return kernel * scale[:, None, None, None], values(norm.bias) + shift * scale


def identity_kernel(channels: int, groups: int) -> Array:
    """Return the 1×1 kernel of a grouped convolution that changes nothing, (channels, channels / groups, 1, 1)."""
    width = channels // groups
    kernel = np.zeros((channels, width, 1, 1))
    kernel[np.arange(channels), np.arange(channels) % width] = 1.0
    return kernel


def spread(kernel: Array, dilation: int) -> Array:
    """Return the plain kernel that computes what *kernel* (O, I, k, k) does with *dilation*."""
    side = dilation * (kernel.shape[-1] - 1) + 1
    plain = np.zeros((*kernel.shape[:2], side, side))
    plain[:, :, ::dilation, ::dilation] = kernel
    return plain


def surround(kernel: Array, side: int) -> Array:
    """Return *kernel* (O, I, k, k) in the middle of zeros, (O, I, side, side)."""
    margin = (side - kernel.shape[-1]) // 2
    return np.pad(kernel, ((0, 0), (0, 0), (margin, margin), (margin, margin)))


def convolution(
    kernel: Array,
    bias: Array,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    groups: int = 1,
) -> nn.Layer:
    """Return the convolution of these values.

    Args:
        kernel: (O, I / groups, h, w).
        bias: (O,).
        stride: One stride, or (vertical, horizontal).
        padding: Zeros around the input, likewise.
        groups: Groups of channels.
    """
    outputs, width, *sides = kernel.shape
    layer = nn.Conv2D(width * groups, outputs, tuple(sides), stride=stride, padding=padding, groups=groups)
    nn.set_value(layer.weight, kernel.astype(np.float32))
    nn.set_value(layer.bias, bias.astype(np.float32))
    return layer
