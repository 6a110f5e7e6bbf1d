"""DBFPN and SequenceEncoder: the twins of ``ppocr_lite.modeling.necks``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ppocr_lite.engine.backends.torch.base import NECKS
from ppocr_lite.engine.backends.torch.layers import set_decay, uniform_init
from ppocr_lite.errors import ConfigError

_FC_DECAY = 1e-5  # of the fully connected encoder, as PP-OCR trains it


@NECKS.register
class DBFPN(nn.Module):
    """Feature pyramid: sum from coarse to fine, then join the four levels at the finest resolution.

    Args:
        in_channels: Channels of the four maps, from fine to coarse.
        out_channels: Channels of the sums; without *level_channels* also of the result, and then a multiple of 4.
        level_channels: Channels that each level gives to the result, from coarse to fine, as pruning leaves them; None
            for a quarter of *out_channels* each.

    Attributes:
        out_channels: Channels of the result.

    Shape:
        four maps (N, in_channels[i], H / 2^(i + 2), W / 2^(i + 2)) → (N, sum of level_channels, H / 4, W / 4)

    Raises:
        ConfigError: If the backbone does not give four maps, *level_channels* does not have four numbers, or
            *out_channels* is not a multiple of 4 without them.

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, figure 3.
    """

    def __init__(
        self, in_channels: Sequence[int], out_channels: int = 256, level_channels: list[int] | None = None
    ) -> None:
        super().__init__()
        if isinstance(in_channels, int) or len(in_channels) != 4:
            raise ConfigError(f"DBFPN needs four maps from the backbone. Received channels: {in_channels}")
        if level_channels is None and (out_channels < 4 or out_channels % 4):
            raise ConfigError(f"DBFPN.out_channels must be a multiple of 4. Received: {out_channels}")
        levels = [out_channels // 4] * 4 if level_channels is None else level_channels
        if len(levels) != 4 or min(levels) < 1:
            raise ConfigError(f"DBFPN.level_channels must have 4 positive numbers. Received: {levels}")
        self.out_channels = sum(levels)
        self.in2_conv = _convolution(in_channels[0], out_channels, 1)
        self.in3_conv = _convolution(in_channels[1], out_channels, 1)
        self.in4_conv = _convolution(in_channels[2], out_channels, 1)
        self.in5_conv = _convolution(in_channels[3], out_channels, 1)
        self.p5_conv = _convolution(out_channels, levels[0], 3)
        self.p4_conv = _convolution(out_channels, levels[1], 3)
        self.p3_conv = _convolution(out_channels, levels[2], 3)
        self.p2_conv = _convolution(out_channels, levels[3], 3)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """See *Shape* of the class."""
        c2, c3, c4, c5 = maps
        in5 = self.in5_conv(c5)  # (N, out_channels, H / 32, W / 32)
        out4 = self.in4_conv(c4) + enlarge(in5, 2)  # (N, out_channels, H / 16, W / 16)
        out3 = self.in3_conv(c3) + enlarge(out4, 2)  # (N, out_channels, H / 8, W / 8)
        out2 = self.in2_conv(c2) + enlarge(out3, 2)  # (N, out_channels, H / 4, W / 4)
        p5 = enlarge(self.p5_conv(in5), 8)  # (N, level_channels[0], H / 4, W / 4), as the next three
        p4 = enlarge(self.p4_conv(out4), 4)
        p3 = enlarge(self.p3_conv(out3), 2)
        p2 = self.p2_conv(out2)
        return torch.cat((p5, p4, p3, p2), dim=1)  # (N, sum of level_channels, H / 4, W / 4)


class EncoderWithRNN(nn.Module):
    """Two bidirectional LSTM layers.

    Args:
        in_channels: Features of each step.
        hidden_size: Units of each direction.

    Shape:
        (N, T, in_channels) → (N, T, 2 * hidden_size)
    """

    def __init__(self, in_channels: int, hidden_size: int) -> None:
        super().__init__()
        self.out_channels = hidden_size * 2
        self.lstm = nn.LSTM(in_channels, hidden_size, num_layers=2, bidirectional=True, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        y: Tensor = self.lstm(x)[0]
        return y


class EncoderWithFC(nn.Module):
    """One fully connected layer applied to each step.

    Args:
        in_channels: Features of each step.
        hidden_size: Features of each step of the result.

    Shape:
        (N, T, in_channels) → (N, T, hidden_size)
    """

    def __init__(self, in_channels: int, hidden_size: int) -> None:
        super().__init__()
        self.out_channels = hidden_size
        self.fc = nn.Linear(in_channels, hidden_size)
        uniform_init(self.fc)
        set_decay(self.fc, _FC_DECAY)

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        y: Tensor = self.fc(x)
        return y


@NECKS.register
class SequenceEncoder(nn.Module):
    """Turns a feature map one row high into a sequence, and relates its steps.

    Args:
        in_channels: Channels of the feature map.
        encoder_type: ``"rnn"``: two bidirectional LSTM layers; ``"fc"``: one fully connected layer;
            ``"reshape"``: the features as they are.
        hidden_size: Units of each LSTM direction, or outputs of the fully connected layer.

    Attributes:
        out_channels: Features of each step.

    Shape:
        (N, in_channels, 1, W) → (N, W, out_channels)

    Raises:
        ValueError: At the first image, if the height of the map is not 1.
    """

    def __init__(
        self, in_channels: int, encoder_type: Literal["rnn", "fc", "reshape"] = "rnn", hidden_size: int = 48
    ) -> None:
        super().__init__()
        self.encoder_type = encoder_type
        self.out_channels = in_channels
        if encoder_type != "reshape":
            encoder = EncoderWithRNN if encoder_type == "rnn" else EncoderWithFC
            self.encoder = encoder(in_channels, hidden_size)
            self.out_channels = self.encoder.out_channels

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        if x.shape[2] != 1:
            raise ValueError(
                f"A sequence needs features one row high. Received: {tuple(x.shape)} (N, C, H, W). "
                "Use lines of the height the backbone is made for, usually 32."
            )
        x = x.squeeze(2).transpose(1, 2)  # (N, W, in_channels)
        return x if self.encoder_type == "reshape" else self.encoder(x)  # (N, W, out_channels)


def enlarge(x: Tensor, factor: int) -> Tensor:
    """Repeat each pixel *factor* times in both directions."""
    return F.interpolate(x, scale_factor=factor, mode="nearest")


def _convolution(in_channels: int, out_channels: int, kernel_size: int) -> nn.Conv2d:
    """Return a convolution without bias that keeps the size, started as in He et al., ICCV 2015 (uniform)."""
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, padding=(kernel_size - 1) // 2, bias=False)
    nn.init.kaiming_uniform_(layer.weight)
    return layer
