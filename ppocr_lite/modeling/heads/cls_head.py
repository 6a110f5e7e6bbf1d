"""Features → one class for the whole image."""

from __future__ import annotations

from ppocr_lite import nn
from ppocr_lite.modeling.heads.base import HEADS
from ppocr_lite.modeling.layers import uniform_attribute


@HEADS.register
class ClsHead(nn.Layer):
    """Mean over the map, then one fully connected layer.

    Args:
        in_channels: Channels of the features.
        class_dim: Number of classes.

    Shape:
        forward: (N, in_channels, H, W) → {"logits": (N, class_dim)}
        predict: (N, in_channels, H, W) → {"probabilities": (N, class_dim)}
    """

    def __init__(self, in_channels: int, class_dim: int = 2) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.fc = nn.Linear(
            in_channels,
            class_dim,
            weight_attr=uniform_attribute(in_channels),
            bias_attr=uniform_attribute(in_channels),
        )

    def forward(self, x: nn.Tensor) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        return {"logits": nn.cast(self.fc(self.pool(x).flatten(1)), "float32")}  # (N, class_dim)

    def predict(self, x: nn.Tensor) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        return {"probabilities": nn.softmax(self.forward(x)["logits"], axis=1)}
