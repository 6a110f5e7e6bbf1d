"""From a feature map one row high to a sequence."""

from __future__ import annotations

from typing import Literal

from ppocr_lite import nn
from ppocr_lite.modeling.layers import uniform_attribute
from ppocr_lite.modeling.necks.base import NECKS

_FC_DECAY = 1e-5  # of the fully connected encoder, as PP-OCR trains it


class Im2Seq(nn.Layer):
    """Drop the height of 1 and put the width first.

    Shape:
        (N, C, 1, W) → (N, W, C)

    Raises:
        ValueError: If the height is not 1; an exported network cannot tell.
    """

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        if nn.in_dynamic_mode() and x.shape[2] != 1:
            raise ValueError(
                f"A sequence needs features one row high. Received: {tuple(x.shape)} (N, C, H, W). "
                "Use lines of the height the backbone is made for, usually 32."
            )
        return nn.transpose(x.flatten(2), [0, 2, 1])  # (N, W, C)


class EncoderWithRNN(nn.Layer):
    """Two bidirectional LSTM layers.

    Args:
        in_channels: Features of each step.
        hidden_size: Units of each direction.

    Shape:
        (N, T, in_channels) → (N, T, 2 * hidden_size)

    Source:
        Shi et al., An End-to-End Trainable Neural Network for Image-based Sequence Recognition, TPAMI 2017, §2.2.
    """

    def __init__(self, in_channels: int, hidden_size: int) -> None:
        super().__init__()
        self.out_channels = hidden_size * 2
        self.lstm = nn.LSTM(in_channels, hidden_size, num_layers=2, direction="bidirectional")

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x, _ = self.lstm(x)  # (N, T, 2 * hidden_size)
        return x


class EncoderWithFC(nn.Layer):
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
        self.fc = nn.Linear(
            in_channels,
            hidden_size,
            weight_attr=uniform_attribute(in_channels, _FC_DECAY),
            bias_attr=uniform_attribute(in_channels, _FC_DECAY),
        )

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return self.fc(x)  # (N, T, hidden_size)


@NECKS.register
class SequenceEncoder(nn.Layer):
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
    """

    out_channels: int

    def __init__(
        self, in_channels: int, encoder_type: Literal["rnn", "fc", "reshape"] = "rnn", hidden_size: int = 48
    ) -> None:
        super().__init__()
        self.encoder_reshape = Im2Seq()
        self.encoder_type = encoder_type
        if encoder_type == "reshape":
            self.out_channels = in_channels
        else:
            encoder = EncoderWithRNN if encoder_type == "rnn" else EncoderWithFC
            self.encoder = encoder(in_channels, hidden_size)
            self.out_channels = self.encoder.out_channels

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.encoder_reshape(x)  # (N, W, in_channels)
        return x if self.encoder_type == "reshape" else self.encoder(x)  # (N, W, out_channels)
