"""PP-LCNetV4: the backbone of PP-OCRv6."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ppocr_lite import nn
from ppocr_lite.modeling.backbones.base import BACKBONES
from ppocr_lite.modeling.backbones.pp_lcnet_v3 import Stride, check_det
from ppocr_lite.modeling.layers import Activation, ConvBNLayer, FusibleConvBN, LinePool, SEModule
from ppocr_lite.modeling.reparameterize import convolution, fold, identity_kernel, surround, values

_SE_SLOPE = 1 / 6
_EXPANSION = 2  # channels between the two 1×1 convolutions of a block
_KERNEL = 3

Size = Literal["tiny", "small", "medium"]


class _Stage(NamedTuple):
    """Blocks of one width: the first takes the stride, and every second one from the second on has a gate.

    A stage that keeps width and stride begins with a block that has a gate.
    """

    channels: int
    stride: Stride
    gates: str  # of each block, "g" for one with a gate


class _Plan(NamedTuple):
    """One network: channels inside and after the stem, whether the stem has two branches, and the stages."""

    stem: tuple[int, int]
    branched: bool
    stages: tuple[_Stage, ...]


def _det(stem: tuple[int, int], *widths: int) -> _Plan:
    blocks = ("g-", "-g-", "-g-g-", "-g-")
    stages = (_Stage(c, 1 if i == 0 else 2, b) for i, (c, b) in enumerate(zip(widths, blocks, strict=True)))
    return _Plan(stem, True, tuple(stages))


_DET = {
    "tiny": _det((16, 32), 32, 48, 64, 160),
    "small": _det((24, 48), 48, 96, 192, 384),
    "medium": _det((64, 128), 128, 256, 512, 896),
}
_REC = {
    "tiny": _Plan(
        (24, 48),
        False,
        (_Stage(48, 1, "g"), _Stage(48, 1, "-"), _Stage(96, (2, 1), "-g-"), _Stage(160, (2, 1), "-g--")),
    ),
    "small": _Plan(
        (48, 96),
        True,
        (_Stage(96, 1, "g"), _Stage(96, 1, "--"), _Stage(192, (2, 1), "-g-g-g-"), _Stage(384, (2, 1), "-g-")),
    ),
    "medium": _Plan(
        (64, 128),
        True,
        (_Stage(128, 1, "g"), _Stage(256, 1, "--g"), _Stage(512, (2, 1), "-g-g-g-"), _Stage(768, (2, 1), "-g-")),
    ),
}


class StemBlock(nn.Layer):
    """A quarter of the sides: between two 3×3 convolutions of stride 2, two 2×2 convolutions beside a pooling.

    Args:
        in_channels: Channels of the image.
        mid_channels: Channels inside.
        out_channels: Channels of the output.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H / 4, W / 4)

    Source:
        As in HGNetV2, PaddleClas, 2023.
    """

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int) -> None:
        super().__init__()
        self.stem1 = _relu(in_channels, mid_channels, 3, stride=2)
        self.stem2a = _relu(mid_channels, mid_channels // 2, 2)
        self.stem2b = _relu(mid_channels // 2, mid_channels, 2)
        self.stem3 = _relu(2 * mid_channels, mid_channels, 3, stride=2)
        self.stem4 = _relu(mid_channels, out_channels, 1)
        self.pool = nn.MaxPool2D(2, stride=1)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.stem1(x)  # (N, mid_channels, H / 2, W / 2)
        learned = self.stem2b(_beyond(self.stem2a(_beyond(x))))  # (N, mid_channels, H / 2, W / 2), as the next
        pooled = self.pool(_beyond(x))  # after a ReLU, so the zeros are never the largest
        return self.stem4(self.stem3(nn.concat([pooled, learned], axis=1)))  # (N, out_channels, H / 4, W / 4)


class GELU(nn.Layer):
    """Gaussian error linear unit.

    Shape:
        any → the same

    Source:
        Hendrycks and Gimpel, 2016.
    """

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return nn.gelu(x)


class RepDWConv(nn.Layer):
    """A 3×3 and a 1×1 depthwise convolution and the input, added up and normalised; one convolution later.

    Args:
        channels: Of the input and of the output.

    Shape:
        (N, channels, H, W) → the same
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.fused = False
        self.conv = ConvBNLayer(channels, channels, _KERNEL, groups=channels)
        self.conv1 = nn.Conv2D(channels, channels, 1, groups=channels, bias_attr=False)
        self.bn = nn.BatchNorm2D(channels)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        if self.fused:
            return self.reparam_conv(x)
        return self.bn(self.conv(x) + self.conv1(x) + x)

    def fuse(self) -> None:
        """Become one convolution; see :func:`ppocr_lite.modeling.fuse`."""
        kernel, shift = fold(values(self.conv.conv.weight), self.conv.bn)
        points = values(self.conv1.weight) + identity_kernel(self.channels, self.channels)
        kernel, bias = fold(kernel + surround(points, _KERNEL), self.bn, shift)
        del self.conv, self.conv1, self.bn
        self.reparam_conv = convolution(kernel, bias, padding=_KERNEL // 2, groups=self.channels)
        self.fused = True


class TokenMixer(nn.Layer):
    """A depthwise convolution, of several branches where it keeps the shape, and an optional gate.

    Args:
        channels: Of the input and of the output.
        stride: One stride, or (vertical, horizontal).
        branched: Whether the convolution is a :class:`RepDWConv`.
        use_se: Whether a squeeze-and-excitation gate follows.

    Shape:
        (N, channels, H, W) → (N, channels, H / stride, W / stride)
    """

    def __init__(self, channels: int, stride: Stride, branched: bool, use_se: bool) -> None:
        super().__init__()
        self.branched, self.use_se = branched, use_se
        if branched:
            self.rep_dw = RepDWConv(channels)
        else:
            self.dw_conv = FusibleConvBN(channels, channels, _KERNEL, stride=stride, groups=channels)
        if use_se:
            self.se = SEModule(channels, slope=_SE_SLOPE)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.rep_dw(x) if self.branched else self.dw_conv(x)
        return self.se(x) if self.use_se else x


class ChannelMixer(nn.Layer):
    """Two 1×1 convolutions, twice as many channels between them.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        starts_at_zero: Whether the output is 0 at first, for a residual block that begins as the identity.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H, W)
    """

    def __init__(self, in_channels: int, out_channels: int, starts_at_zero: bool) -> None:
        super().__init__()
        self.expand = FusibleConvBN(in_channels, _EXPANSION * in_channels, 1)
        self.compress = FusibleConvBN(
            _EXPANSION * in_channels, out_channels, 1, first_scale=0.0 if starts_at_zero else 1.0
        )

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return self.compress(nn.gelu(self.expand(x)))


class LCNetV4Block(nn.Layer):
    """Mix places, then channels, the latter beside the input where the block keeps the shape.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: One stride, or (vertical, horizontal).
        use_se: Whether there is a gate between the two.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H / stride, W / stride)

    Source:
        Yu et al., MetaFormer, CVPR 2022; RepViT: Wang et al., CVPR 2024, §3.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Stride, use_se: bool) -> None:
        super().__init__()
        self.residual = in_channels == out_channels and stride == 1
        self.token_mixer = TokenMixer(in_channels, stride, self.residual, use_se)
        self.channel_mixer = ChannelMixer(in_channels, out_channels, self.residual)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.token_mixer(x)  # (N, in_channels, H / stride, W / stride)
        return x + self.channel_mixer(x) if self.residual else self.channel_mixer(x)


@BACKBONES.register
class PPLCNetV4(nn.Layer):
    """PP-LCNetV4: blocks that mix places and channels in turn, with branches that become one convolution.

    Args:
        in_channels: Channels of the image.
        model_type: ``"det"`` returns four maps, ``"rec"`` and ``"cls"`` one map one row high.
        model_size: Which of the published sizes.
        det: As PaddleOCR writes it beside the name; None for what *model_type* says.

    Attributes:
        out_channels: Four channel counts (det) or one (rec, cls).

    Shape:
        det: (N, in_channels, H, W) → maps with 1/4, 1/8, 1/16 and 1/32 of the sides.
        rec, cls: (N, in_channels, H, W) → (N, out_channels, 1, W / 8); H / 16 rows are averaged, 3 for a height of 48.

    Raises:
        ConfigError: If *det* says otherwise than *model_type*.

    Source:
        PaddleOCR, PP-OCRv6, 2026. Strides, widths and order of ``small`` are those of the published graphs, and of the
        others those of PaddleOCR's tables.
    """

    out_channels: int | tuple[int, ...]

    def __init__(
        self,
        in_channels: int = 3,
        model_type: Literal["det", "cls", "rec"] = "det",
        model_size: Size = "small",
        det: bool | None = None,
    ) -> None:
        super().__init__()
        check_det(det, model_type, "PPLCNetV4")
        self.model_type = model_type
        plan = (_DET if model_type == "det" else _REC)[model_size]
        names = _DET_NAMES if model_type == "det" else _REC_NAMES
        stem = StemBlock(in_channels, *plan.stem) if plan.branched else _plain_stem(in_channels, *plan.stem)
        self.add_sublayer(names[0], stem)
        channels = plan.stem[1]
        for name, stage in zip(names[1:], plan.stages, strict=True):
            self.add_sublayer(name, _stage(channels, stage))
            channels = stage.channels
        if model_type == "det":
            self.out_channels = tuple(stage.channels for stage in plan.stages)
        else:
            self.out_channels = channels
            self.pool = LinePool()

    def forward(self, x: nn.Tensor) -> nn.Tensor | list[nn.Tensor]:
        """See *Shape* of the class."""
        if self.model_type != "det":
            x = self.blocks3(self.blocks2(self.conv1(x)))  # (N, C, H / 4, W / 4)
            return self.pool(self.blocks5(self.blocks4(x)))  # (N, out_channels, 1, W / 8)
        x = self.stem(x)
        maps = []
        for blocks in (self.blocks_s1, self.blocks_s2, self.blocks_s3, self.blocks_s4):
            x = blocks(x)  # (N, out_channels[i], H / 2^(i + 2), W / 2^(i + 2))
            maps.append(x)
        return maps


# Names of stem and stages, as the published weights have them.
_DET_NAMES = ("stem", "blocks_s1", "blocks_s2", "blocks_s3", "blocks_s4")
_REC_NAMES = ("conv1", "blocks2", "blocks3", "blocks4", "blocks5")


def _stage(in_channels: int, stage: _Stage) -> nn.Layer:
    """Return the blocks of a stage."""
    before: Sequence[int] = (in_channels, *(stage.channels,) * (len(stage.gates) - 1))
    blocks = (
        LCNetV4Block(channels, stage.channels, stage.stride if place == 0 else 1, gate == "g")
        for place, (channels, gate) in enumerate(zip(before, stage.gates, strict=True))
    )
    return nn.Sequential(*blocks)


def _plain_stem(in_channels: int, mid_channels: int, out_channels: int) -> nn.Layer:
    """Return two convolutions of stride 2."""
    return nn.Sequential(
        FusibleConvBN(in_channels, mid_channels, 3, stride=2),
        GELU(),
        FusibleConvBN(mid_channels, out_channels, 3, stride=2),
    )


def _relu(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Layer:
    activation: Activation = "relu"
    return FusibleConvBN(in_channels, out_channels, kernel_size, stride=stride, activation=activation)


def _beyond(x: nn.Tensor) -> nn.Tensor:
    """Return *x* with a column of zeros to its right and a row below, for a window of 2 to keep the size."""
    return nn.pad(x, [0, 1, 0, 1])
