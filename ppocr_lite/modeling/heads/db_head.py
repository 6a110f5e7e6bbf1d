"""The two branches of DB and its differentiable threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.heads.base import HEADS
from ppocr_lite.modeling.layers import uniform_attribute

_BN_BIAS = 1e-4  # MhLiao/DB, decoders/seg_detector.py, weights_init


class Head(nn.Layer):
    """One branch: a 3×3 convolution and two learned enlargements, ending in a sigmoid.

    Args:
        in_channels: Channels of the input.
        hidden_channels: Channels after the first and after the second convolution.

    Shape:
        (N, in_channels, H / 4, W / 4) → (N, 1, H, W), float32 in (0, 1)
    """

    def __init__(self, in_channels: int, hidden_channels: Sequence[int]) -> None:
        super().__init__()
        first, second = hidden_channels
        self.conv1 = nn.Conv2D(in_channels, first, 3, padding=1, weight_attr=_kaiming(), bias_attr=False)
        self.conv_bn1 = _batch_norm(first)
        self.conv2 = nn.Conv2DTranspose(
            first, second, 2, stride=2, weight_attr=_kaiming(), bias_attr=uniform_attribute(first)
        )
        self.conv_bn2 = _batch_norm(second)
        self.conv3 = nn.Conv2DTranspose(
            second, 1, 2, stride=2, weight_attr=_kaiming(), bias_attr=uniform_attribute(second)
        )

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = nn.relu(self.conv_bn1(self.conv1(x)))  # (N, hidden_channels[0], H / 4, W / 4)
        x = nn.relu(self.conv_bn2(self.conv2(x)))  # (N, hidden_channels[1], H / 2, W / 2)
        return nn.sigmoid(nn.cast(self.conv3(x), "float32"))  # (N, 1, H, W); bfloat16 would round near 1


@HEADS.register
class DBHead(nn.Layer):
    """Probability map, threshold map, and the binary map between the two.

    Args:
        in_channels: Channels of the features.
        k: Steepness of the differentiable threshold.
        hidden_channels: Channels after the first and after the second convolution of each branch, as pruning leaves
            them; None for a quarter of *in_channels*.

    Shape:
        forward: (N, in_channels, H / 4, W / 4) → {"maps": (N, 3, H, W)}: probability, threshold, binary, in (0, 1).
        predict: (N, in_channels, H / 4, W / 4) → {"maps": (N, 1, H, W)}, the probability alone.
            The other branch does not run.

    Raises:
        ConfigError: If *hidden_channels* does not have two numbers.

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, eq. 2.
    """

    def __init__(self, in_channels: int, k: float = 50.0, hidden_channels: list[int] | None = None) -> None:
        super().__init__()
        self.k = k
        hidden = [in_channels // 4] * 2 if hidden_channels is None else hidden_channels
        if len(hidden) != 2 or min(hidden) < 1:
            raise ConfigError(f"DBHead.hidden_channels must have 2 positive numbers. Received: {hidden}")
        self.binarize = Head(in_channels, hidden)
        self.thresh = Head(in_channels, hidden)

    def step_function(self, probability: nn.Tensor, threshold: nn.Tensor) -> nn.Tensor:
        """Return ``1 / (1 + exp(-k * (probability - threshold)))``, eq. 2 of the paper."""
        return nn.sigmoid(self.k * (probability - threshold))

    def forward(self, x: nn.Tensor) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        probability = self.binarize(x)  # (N, 1, H, W)
        threshold = self.thresh(x)  # (N, 1, H, W)
        binary = self.step_function(probability, threshold)
        return {"maps": nn.concat([probability, threshold, binary], axis=1)}  # (N, 3, H, W)

    def predict(self, x: nn.Tensor) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        return {"maps": self.binarize(x)}  # (N, 1, H, W)


def _kaiming() -> Any:
    """Return the attribute of a weight started as in He et al., ICCV 2015 (uniform, fan-in)."""
    return nn.ParamAttr(initializer=nn.KaimingUniform())


def _batch_norm(channels: int) -> nn.Layer:
    """Return a batch normalisation that starts at weight 1 and bias 1e-4."""
    return nn.BatchNorm2D(
        channels,
        weight_attr=nn.ParamAttr(initializer=nn.Constant(1.0)),
        bias_attr=nn.ParamAttr(initializer=nn.Constant(_BN_BIAS)),
    )
