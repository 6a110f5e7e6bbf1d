"""VGG-16."""

from __future__ import annotations

from typing import Literal

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.backbones.base import BACKBONES, MAPS, check_stages

_WIDTHS = (64, 128, 256, 512, 512)
_DEPTHS = (2, 2, 3, 3, 3)


class VGGConv(nn.Layer):
    """A 3×3 convolution with a bias, a batch normalisation if wanted, and a rectifier.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        batch_norm: Whether there is a batch normalisation.

    Shape:
        (N, in_channels, H, W) → (N, out_channels, H, W)
    """

    def __init__(self, in_channels: int, out_channels: int, batch_norm: bool) -> None:
        super().__init__()
        self.batch_norm = batch_norm
        self.conv = nn.Conv2D(
            in_channels, out_channels, 3, padding=1, weight_attr=nn.ParamAttr(initializer=nn.KaimingNormal())
        )
        if batch_norm:
            self.bn = nn.BatchNorm2D(out_channels)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.conv(x)
        return nn.relu(self.bn(x) if self.batch_norm else x)


@BACKBONES.register
class VGG(nn.Layer):
    """VGG-16 without its fully connected layers; its layers are called conv1_1 … conv5_3, as in the paper.

    The maps of a detector are conv3_3, conv4_3, conv5_3 and conv5_3 after the fifth pooling; CTPN reads conv5_3, the
    last with ``stages: 3``. A recogniser gets a map that keeps the width.

    Args:
        in_channels: Channels of the image.
        model_type: ``"det"`` returns maps, ``"rec"`` and ``"cls"`` one map that keeps the width.
        batch_norm: Whether each convolution is followed by a batch normalisation. Without one the network learns far
            more slowly from weights that nobody trained.
        stages: Maps of a detector, 1 to 4, the finest first. What comes after the last is not built.
        freeze_at: Leave the first so many of the five groups of convolutions as they are, 0 to 5; meant for
            pretrained weights.

    Attributes:
        out_channels: Channel counts of the maps (det), or one (rec, cls).

    Shape:
        det: (N, in_channels, H, W) → *stages* maps with 1/4, 1/8, 1/16 and 1/32 of the sides, rounded down.
        rec, cls: (N, in_channels, H, W) → (N, 512, H / 32, W / 4)

    Raises:
        ConfigError: If *stages* or *freeze_at* is out of range, or *stages* is given to a family without maps.

    Source:
        Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
        configuration D.
    """

    out_channels: int | tuple[int, ...]

    def __init__(
        self,
        in_channels: int = 3,
        model_type: Literal["det", "cls", "rec"] = "det",
        batch_norm: bool = False,
        stages: int = MAPS,
        freeze_at: int = 0,
    ) -> None:
        super().__init__()
        check_stages("VGG", stages, model_type)
        self.is_det = model_type == "det"
        depths = _DEPTHS[: stages + 2] if self.is_det else _DEPTHS
        if not 0 <= freeze_at <= len(depths):
            raise ConfigError(f"VGG.freeze_at must be from 0 to {len(depths)}. Received: {freeze_at}")
        channels = in_channels
        self._groups: list[list[str]] = []
        for group, (depth, width) in enumerate(zip(depths, _WIDTHS, strict=False), 1):
            names = [f"conv{group}_{index}" for index in range(1, depth + 1)]
            for name in names:
                layer = VGGConv(channels, width, batch_norm)
                if group <= freeze_at:
                    nn.freeze(layer)
                self.add_sublayer(name, layer)
                channels = width
            self._groups.append(names)
        # Lines of text lose height alone after the second pooling.
        self.pools = nn.LayerList([nn.MaxPool2D(2, stride=2)] * 2 + [self._later_pool() for _ in range(3)])
        self.stages = stages
        self.out_channels = (256, 512, 512, 512)[:stages] if self.is_det else channels

    def _later_pool(self) -> nn.Layer:
        return nn.MaxPool2D(2, stride=2) if self.is_det else nn.MaxPool2D((2, 1), stride=(2, 1))

    def forward(self, x: nn.Tensor) -> nn.Tensor | list[nn.Tensor]:
        """See *Shape* of the class."""
        maps = []
        for group, names in enumerate(self._groups):
            if group > 0:
                x = self.pools[group - 1](x)
            for name in names:
                x = getattr(self, name)(x)  # (N, width, H / 2^group, W / 2^group)
            maps.append(x)
        if not self.is_det:
            return self.pools[4](x)  # (N, 512, H / 32, W / 4)
        if self.stages == MAPS:
            maps.append(self.pools[4](x))  # (N, 512, H / 32, W / 32)
        return maps[2:]
