"""A convolution that learns where to look."""

from __future__ import annotations

from ppocr_lite import nn


class DeformableConv(nn.Layer):
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

    weight: nn.Tensor

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int | tuple[int, int] = 1
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.taps = stride, (kernel_size - 1) // 2, kernel_size**2
        self.weight = self.create_parameter(
            [out_channels, in_channels, kernel_size, kernel_size],
            default_initializer=nn.KaimingNormal(),
        )
        zero = nn.Constant(0.0)
        self.offset = nn.Conv2D(
            in_channels,
            3 * self.taps,
            kernel_size,
            stride=stride,
            padding=self.padding,
            weight_attr=nn.ParamAttr(initializer=zero),
            bias_attr=nn.ParamAttr(initializer=zero),
        )

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        found = self.offset(x)  # (N, 3 K, H', W'): (Δy, Δx) of each tap, then the masks
        offsets, masks = found[:, : 2 * self.taps], nn.sigmoid(found[:, 2 * self.taps :])
        return nn.deform_conv2d(x, offsets, self.weight, stride=self.stride, padding=self.padding, mask=masks)
