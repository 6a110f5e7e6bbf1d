"""Which part of a box is the text."""

from __future__ import annotations

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError


class MaskHead(nn.Layer):
    """3×3 convolutions, a transposed one that doubles the sides, and the logit of each cell.

    Args:
        in_channels: Channels of the features.
        channels: Of the convolutions.
        convs: How many.

    Shape:
        (R, in_channels, M, M) → logits (R, 2 M, 2 M)

    Source:
        He et al., Mask R-CNN, ICCV 2017, figure 4, right.
    """

    def __init__(self, in_channels: int, channels: int = 256, convs: int = 4) -> None:
        super().__init__()
        if channels < 1 or convs < 1:
            raise ConfigError(f"MaskHead needs channels and convs >= 1. Received: {channels}, {convs}")
        kaiming = nn.ParamAttr(initializer=nn.KaimingNormal())
        self.convs = nn.LayerList()
        for index in range(convs):
            self.convs.append(
                nn.Conv2D(channels if index else in_channels, channels, 3, padding=1, weight_attr=kaiming)
            )
        self.up = nn.Conv2DTranspose(channels, channels, 2, stride=2, weight_attr=kaiming)
        self.logits = nn.Conv2D(channels, 1, 1)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        for conv in self.convs:
            x = nn.relu(conv(x))  # (R, channels, M, M)
        return self.logits(nn.relu(self.up(x))).squeeze(1)  # (R, 2 M, 2 M)
