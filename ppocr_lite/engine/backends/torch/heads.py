"""DBHead, CTCHead, ClsHead: the twins of ``ppocr_lite.modeling.heads``."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ppocr_lite.engine.backends.torch.base import HEADS
from ppocr_lite.engine.backends.torch.layers import BatchNorm, set_decay, uniform_init
from ppocr_lite.errors import ConfigError

_BN_BIAS = 1e-4  # MhLiao/DB, decoders/seg_detector.py, weights_init


class Head(nn.Module):
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
        self.conv1 = nn.Conv2d(in_channels, first, 3, padding=1, bias=False)
        self.conv_bn1 = BatchNorm(first)
        self.conv2 = nn.ConvTranspose2d(first, second, 2, stride=2)
        self.conv_bn2 = BatchNorm(second)
        self.conv3 = nn.ConvTranspose2d(second, 1, 2, stride=2)
        for convolution in (self.conv1, self.conv2, self.conv3):
            nn.init.kaiming_uniform_(convolution.weight)
            if convolution.bias is not None:
                bound = convolution.in_channels**-0.5
                nn.init.uniform_(convolution.bias, -bound, bound)
        nn.init.constant_(self.conv_bn1.bias, _BN_BIAS)
        nn.init.constant_(self.conv_bn2.bias, _BN_BIAS)

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        x = F.relu(self.conv_bn1(self.conv1(x)))  # (N, hidden_channels[0], H / 4, W / 4)
        x = F.relu(self.conv_bn2(self.conv2(x)))  # (N, hidden_channels[1], H / 2, W / 2)
        return torch.sigmoid(self.conv3(x).float())  # (N, 1, H, W); bfloat16 would round near 1


@HEADS.register
class DBHead(nn.Module):
    """Probability map, threshold map, and the binary map between the two.

    Args:
        in_channels: Channels of the features.
        k: Steepness of the differentiable threshold.
        hidden_channels: Channels after the first and after the second convolution of each branch, as pruning leaves
            them; None for a quarter of *in_channels*.

    Shape:
        train: (N, in_channels, H / 4, W / 4) → {"maps": (N, 3, H, W)}: probability, threshold, binary, all in (0, 1).
        eval: (N, in_channels, H / 4, W / 4) → (N, 1, H, W), the probability alone; the other branch does not run.

    Raises:
        ConfigError: If *hidden_channels* does not have two numbers.

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, §3.2, eq. 2.
    """

    def __init__(self, in_channels: int, k: float = 50.0, hidden_channels: list[int] | None = None) -> None:
        super().__init__()
        self.k = k
        hidden = [in_channels // 4] * 2 if hidden_channels is None else hidden_channels
        if len(hidden) != 2 or min(hidden) < 1:
            raise ConfigError(f"DBHead.hidden_channels must have 2 positive numbers. Received: {hidden}")
        self.binarize = Head(in_channels, hidden)
        self.thresh = Head(in_channels, hidden)

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """See *Shape* of the class."""
        probability: Tensor = self.binarize(x)  # (N, 1, H, W)
        if not self.training:
            return probability
        threshold = self.thresh(x)  # (N, 1, H, W)
        binary = torch.sigmoid(self.k * (probability - threshold))
        return {"maps": torch.cat((probability, threshold, binary), dim=1)}  # (N, 3, H, W)


@HEADS.register
class CTCHead(nn.Module):
    """One class score per character, and one for the blank, at each step.

    Args:
        in_channels: Features of each step.
        num_classes: Characters plus one; index 0 is the blank.
        fc_decay: L2 penalty of this layer; replaces that of the optimizer unless 0.
        mid_channels: Width of a layer between, without activation; None for none.
        return_feats: Whether training also returns what enters the last layer, as ``CenterLoss`` needs.

    Shape:
        train: (N, T, in_channels) → {"logits": (N, T, num_classes)}, and "feats": (N, T, D) with *return_feats*, where
            D is mid_channels, or else in_channels
        eval: (N, T, in_channels) → (N, T, num_classes), probabilities
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        fc_decay: float = 0.0004,
        mid_channels: int | None = None,
        return_feats: bool = False,
    ) -> None:
        super().__init__()
        self.mid_channels, self.return_feats = mid_channels, return_feats
        if mid_channels is None:
            self.fc = _linear(in_channels, num_classes, fc_decay)
        else:
            self.fc1 = _linear(in_channels, mid_channels, fc_decay)
            self.fc2 = _linear(mid_channels, num_classes, fc_decay)

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """See *Shape* of the class."""
        feats = x if self.mid_channels is None else self.fc1(x)  # (N, T, D)
        logits = (self.fc(x) if self.mid_channels is None else self.fc2(feats)).float()  # (N, T, num_classes)
        if not self.training:
            return torch.softmax(logits, dim=2)
        return {"logits": logits, "feats": feats} if self.return_feats else {"logits": logits}


@HEADS.register
class ClsHead(nn.Module):
    """Mean over the map, then one fully connected layer.

    Args:
        in_channels: Channels of the features.
        class_dim: Number of classes.

    Shape:
        train: (N, in_channels, H, W) → {"logits": (N, class_dim)}
        eval: (N, in_channels, H, W) → (N, class_dim), probabilities
    """

    def __init__(self, in_channels: int, class_dim: int = 2) -> None:
        super().__init__()
        self.fc = _linear(in_channels, class_dim, 0.0)

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """See *Shape* of the class."""
        logits = self.fc(x.mean((2, 3))).float()  # (N, class_dim)
        return torch.softmax(logits, dim=1) if not self.training else {"logits": logits}


def _linear(in_features: int, out_features: int, decay: float) -> nn.Linear:
    """Return a fully connected layer started uniformly, with its own L2 penalty on weight and bias."""
    layer = nn.Linear(in_features, out_features)
    uniform_init(layer)
    set_decay(layer, decay)
    return layer
