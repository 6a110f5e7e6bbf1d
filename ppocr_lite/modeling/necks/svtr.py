"""Attention between all columns of a feature map one row high: the neck of recognisers from PP-OCRv3 on."""

from __future__ import annotations

from typing import Any

from ppocr_lite import nn
from ppocr_lite.modeling.attention import Attention, FeedForward

_STD = 0.02  # of the first weights of fully connected layers
_BLOCK_EPSILON = 1e-5
_LAST_EPSILON = 1e-6


class ConvBNLayer(nn.Layer):
    """Convolution without bias, batch normalisation, swish.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: (vertical, horizontal), both odd; the padding keeps the size.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H, W)
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.conv = nn.Conv2D(
            in_channels,
            out_channels,
            kernel_size,
            padding=(kernel_size[0] // 2, kernel_size[1] // 2),
            weight_attr=nn.ParamAttr(initializer=nn.KaimingUniform()),
            bias_attr=False,
        )
        self.norm = nn.BatchNorm2D(out_channels)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return nn.silu(self.norm(self.conv(x)))


class Block(nn.Layer):
    """Attention between all steps, then a layer on each; both normalise their input and are added to it.

    Args:
        channels: Features of each step.
        heads: Attentions side by side.
        mlp_ratio: Features inside the second part, as a multiple of *channels*.
        drop: Share of features that training leaves out.
        attn_drop: Share of attention weights that training leaves out.

    Shape:
        (N, T, channels) → the same

    Source:
        Du et al., SVTR, IJCAI 2022, §3.3 (global mixing).
    """

    def __init__(self, channels: int, heads: int, mlp_ratio: float, drop: float, attn_drop: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, epsilon=_BLOCK_EPSILON)
        self.mixer = Attention(channels, heads, attn_drop, weight_attr=_narrow())
        self.drop = nn.Dropout(drop)
        self.norm2 = nn.LayerNorm(channels, epsilon=_BLOCK_EPSILON)
        self.mlp = FeedForward(channels, int(channels * mlp_ratio), "silu", drop, weight_attr=_narrow())

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = x + self.drop(self.mixer(self.norm1(x)))
        return x + self.mlp(self.norm2(x))


class EncoderWithSVTR(nn.Layer):
    """Narrow the features, let all columns attend to one another, widen them again, and join them with the input.

    Args:
        in_channels: Channels of the feature map.
        dims: Channels of the result.
        depth: Blocks of attention.
        hidden_dims: Channels inside.
        kernel_size: Window of the first and of the last but one convolution, (vertical, horizontal).
        heads: Attentions side by side.
        mlp_ratio: Features inside a block's second part, as a multiple of *hidden_dims*.
        drop_rate: Share of features that training leaves out.
        attn_drop_rate: Share of attention weights that training leaves out.

    Shape:
        (N, in_channels, 1, W) → (N, dims, 1, W)

    Source:
        Li et al., PP-OCRv3, 2022, §3.1 (SVTR_LCNet); blocks: Du et al., SVTR, IJCAI 2022.
    """

    def __init__(
        self,
        in_channels: int,
        dims: int = 64,
        depth: int = 2,
        hidden_dims: int = 120,
        kernel_size: tuple[int, int] = (3, 3),
        heads: int = 8,
        mlp_ratio: float = 2.0,
        drop_rate: float = 0.1,
        attn_drop_rate: float = 0.1,
    ) -> None:
        super().__init__()
        self.out_channels = dims
        self.conv1 = ConvBNLayer(in_channels, in_channels // 8, kernel_size)
        self.conv2 = ConvBNLayer(in_channels // 8, hidden_dims)
        self.svtr_block = _blocks(depth, hidden_dims, heads, mlp_ratio, drop_rate, attn_drop_rate)
        self.norm = nn.LayerNorm(hidden_dims, epsilon=_LAST_EPSILON)
        self.conv3 = ConvBNLayer(hidden_dims, in_channels)
        self.conv4 = ConvBNLayer(2 * in_channels, in_channels // 8, kernel_size)
        self.conv1x1 = ConvBNLayer(in_channels // 8, dims)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        steps = self.svtr_block(_steps(self.conv2(self.conv1(x))))  # (N, W, hidden_dims)
        wide = self.conv3(_row(self.norm(steps)))  # (N, in_channels, 1, W)
        return self.conv1x1(self.conv4(nn.concat([x, wide], axis=1)))  # (N, dims, 1, W)


class EncoderWithLightSVTR(nn.Layer):
    """Narrow the features, mix near columns, let all attend to one another, and add what a 1×1 convolution gives.

    Args:
        in_channels: Channels of the feature map.
        dims: Channels inside and of the result.
        depth: Blocks of attention.
        local_kernel: Columns of the depthwise convolution before attention, odd.
        heads: Attentions side by side.
        mlp_ratio: Features inside a block's second part, as a multiple of *dims*.
        drop_rate: Share of features that training leaves out.
        attn_drop_rate: Share of attention weights that training leaves out.

    Shape:
        (N, in_channels, 1, W) → (N, dims, 1, W)

    Source:
        PaddleOCR, PP-OCRv6, 2026; order and widths are those of the published graph.
    """

    def __init__(
        self,
        in_channels: int,
        dims: int = 64,
        depth: int = 1,
        local_kernel: int = 7,
        heads: int = 8,
        mlp_ratio: float = 4.0,
        drop_rate: float = 0.1,
        attn_drop_rate: float = 0.1,
    ) -> None:
        super().__init__()
        self.out_channels = dims
        self.skip_conv = ConvBNLayer(in_channels, dims)
        self.conv_reduce = ConvBNLayer(in_channels, dims)
        self.local_conv = nn.Sequential(
            nn.Conv2D(
                dims,
                dims,
                (1, local_kernel),
                padding=(0, local_kernel // 2),
                groups=dims,
                weight_attr=nn.ParamAttr(initializer=nn.KaimingNormal()),
                bias_attr=False,
            ),
            nn.BatchNorm2D(dims),
        )
        self.svtr_block = _blocks(depth, dims, heads, mlp_ratio, drop_rate, attn_drop_rate)
        self.norm = nn.LayerNorm(dims, epsilon=_LAST_EPSILON)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        skip = self.skip_conv(x)  # (N, dims, 1, W), as the next two
        narrow = self.conv_reduce(x)
        narrow = narrow + nn.silu(self.local_conv(narrow))
        steps = self.svtr_block(_steps(narrow))  # (N, W, dims)
        return _row(self.norm(steps)) + skip  # (N, dims, 1, W)


def _blocks(depth: int, channels: int, heads: int, mlp_ratio: float, drop: float, attn_drop: float) -> nn.Layer:
    return nn.Sequential(*(Block(channels, heads, mlp_ratio, drop, attn_drop) for _ in range(depth)))


def _steps(x: nn.Tensor) -> nn.Tensor:
    """Return (N, C, 1, W) as (N, W, C)."""
    return nn.transpose(x.flatten(2), [0, 2, 1])


def _row(x: nn.Tensor) -> nn.Tensor:
    """Return (N, W, C) as (N, C, 1, W)."""
    return nn.transpose(x, [0, 2, 1]).unsqueeze(2)


def _narrow() -> Any:
    """Return the attribute of a weight that starts close to 0."""
    return nn.ParamAttr(initializer=nn.Normal(std=_STD))
