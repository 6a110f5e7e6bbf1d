"""Sequence → characters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr_lite import nn
from ppocr_lite.modeling.heads.base import HEADS
from ppocr_lite.modeling.layers import refuse_guide, uniform_attribute


@HEADS.register
class CTCHead(nn.Layer):
    """One class score per character, and one for the blank, at each step.

    Args:
        in_channels: Features of each step.
        num_classes: Characters plus one; index 0 is the blank.
        fc_decay: L2 penalty of this layer; replaces that of the optimizer unless 0.
        mid_channels: Width of a layer between, without activation; None for none.
        return_feats: Whether the loss also gets what enters the last layer, as ``CenterLoss`` needs.
        use_guide: Let no gradient through to the layers before, which then learn from the guiding head of a
            :class:`MultiHead` alone.

    Shape:
        forward: (N, T, in_channels) → {"logits": (N, T, num_classes)}, and "feats": (N, T, D) with *return_feats*,
            where D is mid_channels, or else in_channels
        predict: (N, T, in_channels) → {"probabilities": (N, T, num_classes)}

    Source:
        Graves et al., Connectionist Temporal Classification, ICML 2006.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        fc_decay: float = 0.0004,
        mid_channels: int | None = None,
        return_feats: bool = False,
        use_guide: bool = False,
    ) -> None:
        super().__init__()
        self.mid_channels, self.return_feats, self.use_guide = mid_channels, return_feats, use_guide
        if mid_channels is None:
            self.fc = _linear(in_channels, num_classes, fc_decay)
        else:
            self.fc1 = _linear(in_channels, mid_channels, fc_decay)
            self.fc2 = _linear(mid_channels, num_classes, fc_decay)

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> None:
        """Check what the signature cannot say; the Architecture section is read with this.

        Raises:
            ConfigError: If nothing would teach the backbone.
        """
        refuse_guide(arguments, path)

    def forward(self, x: nn.Tensor) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        x = x.detach() if self.use_guide else x
        feats = x if self.mid_channels is None else self.fc1(x)  # (N, T, D)
        logits = nn.cast(self.fc(x) if self.mid_channels is None else self.fc2(feats), "float32")  # (N, T, num_classes)
        return {"logits": logits, "feats": feats} if self.return_feats else {"logits": logits}

    def predict(self, x: nn.Tensor) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        return {"probabilities": nn.softmax(self.forward(x)["logits"], axis=2)}


def _linear(in_features: int, out_features: int, decay: float) -> nn.Layer:
    """Return a fully connected layer started uniformly, with its own L2 penalty on weight and bias."""
    return nn.Linear(
        in_features,
        out_features,
        weight_attr=uniform_attribute(in_features, decay),
        bias_attr=uniform_attribute(in_features, decay),
    )
