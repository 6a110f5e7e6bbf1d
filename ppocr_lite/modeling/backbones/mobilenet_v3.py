"""MobileNetV3 for detection, classification and recognition."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal, NamedTuple

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.backbones.base import BACKBONES, MAPS, check_stages
from ppocr_lite.modeling.layers import Activation, ConvBNLayer, SEModule, make_divisible

Stride = int | tuple[int, int]


class _Row(NamedTuple):
    """One residual unit in the tables of the paper, before the width multiplier."""

    kernel_size: int
    expanded: int
    out_channels: int
    use_se: bool
    activation: Activation


# Howard et al., Searching for MobileNetV3, ICCV 2019, tables 1 and 2.
_LARGE = (
    _Row(3, 16, 16, False, "relu"),
    _Row(3, 64, 24, False, "relu"),
    _Row(3, 72, 24, False, "relu"),
    _Row(5, 72, 40, True, "relu"),
    _Row(5, 120, 40, True, "relu"),
    _Row(5, 120, 40, True, "relu"),
    _Row(3, 240, 80, False, "hardswish"),
    _Row(3, 200, 80, False, "hardswish"),
    _Row(3, 184, 80, False, "hardswish"),
    _Row(3, 184, 80, False, "hardswish"),
    _Row(3, 480, 112, True, "hardswish"),
    _Row(3, 672, 112, True, "hardswish"),
    _Row(5, 672, 160, True, "hardswish"),
    _Row(5, 960, 160, True, "hardswish"),
    _Row(5, 960, 160, True, "hardswish"),
)
_SMALL = (
    _Row(3, 16, 16, True, "relu"),
    _Row(3, 72, 24, False, "relu"),
    _Row(3, 88, 24, False, "relu"),
    _Row(5, 96, 40, True, "hardswish"),
    _Row(5, 240, 40, True, "hardswish"),
    _Row(5, 240, 40, True, "hardswish"),
    _Row(5, 120, 48, True, "hardswish"),
    _Row(5, 144, 48, True, "hardswish"),
    _Row(5, 288, 96, True, "hardswish"),
    _Row(5, 576, 96, True, "hardswish"),
    _Row(5, 576, 96, True, "hardswish"),
)
_ROWS = {"large": _LARGE, "small": _SMALL}
_LAST_CHANNELS = {"large": 960, "small": 576}
# Index of the units that halve the map in detection, and of those whose stride ``small_stride``/``large_stride`` sets.
_HALVING = {"large": (1, 3, 6, 12), "small": (0, 1, 3, 8)}
_ADJUSTABLE = {"large": (0, 1, 3, 12), "small": (0, 1, 3, 8)}
# The 2.x PP-OCR recognisers and classifiers.
_DEFAULT_STRIDE = {"large": (1, 2, 2, 2), "small": (2, 2, 2, 2)}
_INPUT_HEIGHT = 32


class ResidualUnit(nn.Layer):
    """Inverted residual: widen, filter each channel, weigh the channels, narrow, and add the input if it fits.

    Args:
        in_channels: Channels of the input.
        expanded: Channels between the first and the last convolution.
        out_channels: Channels of the output.
        kernel_size: Side of the depthwise kernel.
        stride: Stride of the depthwise convolution.
        use_se: Whether a squeeze-and-excitation gate follows it.
        activation: Activation after the first two convolutions.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H / stride, W / stride)

    Source:
        Howard et al., Searching for MobileNetV3, ICCV 2019, figure 4.
    """

    def __init__(
        self,
        in_channels: int,
        expanded: int,
        out_channels: int,
        kernel_size: int,
        stride: Stride,
        use_se: bool,
        activation: Activation,
    ) -> None:
        super().__init__()
        self.shortcut = stride == 1 and in_channels == out_channels
        self.use_se = use_se
        self.expand_conv = ConvBNLayer(in_channels, expanded, 1, activation=activation)
        self.bottleneck_conv = ConvBNLayer(
            expanded, expanded, kernel_size, stride=stride, groups=expanded, activation=activation
        )
        if use_se:
            self.mid_se = SEModule(expanded)
        self.linear_conv = ConvBNLayer(expanded, out_channels, 1)

    def forward(self, inputs: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.bottleneck_conv(self.expand_conv(inputs))  # (N, expanded, H / stride, W / stride)
        if self.use_se:
            x = self.mid_se(x)
        x = self.linear_conv(x)  # (N, out_channels, H / stride, W / stride)
        return inputs + x if self.shortcut else x


@BACKBONES.register
class MobileNetV3(nn.Layer):
    """MobileNetV3; what it returns depends on the family of the model.

    Args:
        in_channels: Channels of the image.
        model_type: ``"det"`` returns four maps, ``"rec"`` and ``"cls"`` one map that keeps the width.
        model_name: ``"large"`` or ``"small"``, the two networks of the paper.
        scale: Width multiplier; channel counts are rounded to multiples of 8.
        disable_se: Leave the squeeze-and-excitation gates out.
        small_stride: Vertical strides of the four adjustable units of ``"small"``; rec and cls only.
        large_stride: The same of ``"large"``, whose first stride is also the horizontal one.
        expanded: Channels inside each residual unit, one number a unit, as pruning leaves them; None for those of the
            paper times *scale*.
        last_channels: Channels of the last convolution; None likewise.
        stages: Maps of a detector, 1 to 4, the finest first. What comes after the last is not built.

    Attributes:
        out_channels: Channel counts of the maps (det) or one (rec, cls).

    Shape:
        det: (N, in_channels, H, W) → *stages* maps with 1/4, 1/8, 1/16 and 1/32 of the sides.
        rec, cls: (N, in_channels, H, W) → (N, out_channels, H', W / 4). H' is 1 for a height of 32.

    Raises:
        ConfigError: If a stride list does not have four values, or is given to a detector; if *expanded* does not have
            a number for each unit; if *stages* is out of range, or given to a family without maps.

    Source:
        Howard et al., Searching for MobileNetV3, ICCV 2019; strides for text lines: Du et al., PP-OCR, 2020, §2.3.
    """

    out_channels: int | tuple[int, ...]

    def __init__(
        self,
        in_channels: int = 3,
        model_type: Literal["det", "cls", "rec"] = "det",
        model_name: Literal["large", "small"] = "large",
        scale: float = 0.5,
        disable_se: bool = False,
        small_stride: list[int] | None = None,
        large_stride: list[int] | None = None,
        expanded: list[int] | None = None,
        last_channels: int | None = None,
        stages: int = MAPS,
    ) -> None:
        super().__init__()
        check_stages("MobileNetV3", stages, model_type)
        self.model_type, self.stages = model_type, stages
        given = {"large": large_stride, "small": small_stride}
        strides = _strides(model_type, model_name, given[model_name])
        channels = make_divisible(scale * 16)
        stem = ConvBNLayer(in_channels, channels, 3, stride=2, activation="hardswish")
        units: list[nn.Layer] = []
        widths = []
        inner = _expanded(model_name, scale, expanded)
        for row, stride, middle in zip(_ROWS[model_name], strides, inner, strict=True):
            out_channels = make_divisible(scale * row.out_channels)
            use_se = row.use_se and not disable_se
            units.append(ResidualUnit(channels, middle, out_channels, row.kernel_size, stride, use_se, row.activation))
            channels = out_channels
            widths.append(channels)
        last = last_channels or make_divisible(scale * _LAST_CHANNELS[model_name])
        head = ConvBNLayer(channels, last, 1, activation="hardswish")
        if model_type == "det":
            self.conv = stem
            self.out_channels = self._add_stages(units, widths, head, _HALVING[model_name][-3:], last)
        else:
            self.conv1, self.blocks, self.conv2 = stem, nn.Sequential(*units), head
            height = 2
            for stride in strides:
                height *= stride if isinstance(stride, int) else stride[0]
            # A line 32 high that is down to one row already must survive the pooling: round its height up.
            self.pool = nn.MaxPool2D(2, stride=2, ceil_mode=height >= _INPUT_HEIGHT)
            self.out_channels = last

    def _add_stages(
        self, units: list[nn.Layer], widths: list[int], head: nn.Layer, starts: Sequence[int], last: int
    ) -> tuple[int, ...]:
        """Split *units* before each index of *starts* into ``stage0`` and so on; return the widths of those built."""
        edges = (0, *starts, len(units))
        for i, (start, stop) in enumerate(list(itertools.pairwise(edges))[: self.stages]):
            layers = units[start:stop] + ([head] if stop == len(units) else [])
            self.add_sublayer(f"stage{i}", nn.Sequential(*layers))
        return (*(widths[start - 1] for start in starts), last)[: self.stages]

    def forward(self, x: nn.Tensor) -> nn.Tensor | list[nn.Tensor]:
        """See *Shape* of the class."""
        if self.model_type != "det":
            return self.pool(self.conv2(self.blocks(self.conv1(x))))  # (N, out_channels, H', W / 4)
        x = self.conv(x)  # (N, C, H / 2, W / 2)
        maps = []
        for index in range(self.stages):
            x = getattr(self, f"stage{index}")(x)  # (N, out_channels[i], H / 2^(i + 2), W / 2^(i + 2))
            maps.append(x)
        return maps


def _expanded(model_name: str, scale: float, given: list[int] | None) -> list[int]:
    """Return the inner channels of each residual unit."""
    rows = _ROWS[model_name]
    if given is None:
        return [make_divisible(scale * row.expanded) for row in rows]
    if len(given) != len(rows) or min(given) < 4:
        raise ConfigError(f"expanded must have {len(rows)} numbers from 4 up for {model_name!r}. Received: {given}")
    return list(given)


def _strides(model_type: str, model_name: str, given: list[int] | None) -> list[Stride]:
    """Return the stride of each residual unit."""
    strides: list[Stride] = [1] * len(_ROWS[model_name])
    if model_type == "det":
        if given is not None:
            raise ConfigError(
                f"{model_name}_stride is for rec and cls; a detector halves its map four times. Received: {given}"
            )
        for index in _HALVING[model_name]:
            strides[index] = 2
        return strides
    wanted = given if given is not None else _DEFAULT_STRIDE[model_name]
    if len(wanted) != len(_ADJUSTABLE[model_name]):
        raise ConfigError(f"{model_name}_stride must have 4 values. Received: {list(wanted)}")
    for index, stride in zip(_ADJUSTABLE[model_name], wanted, strict=True):
        # A pair even where it is (1, 1): such units have no shortcut in the released weights.
        strides[index] = stride if (model_name, index) == ("large", 0) else (stride, 1)
    return strides
