"""From a feature map one row high to a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ppocr_lite import nn
from ppocr_lite.modeling.layers import refuse_guide, uniform_attribute
from ppocr_lite.modeling.necks.base import NECKS
from ppocr_lite.modeling.necks.svtr import EncoderWithLightSVTR, EncoderWithSVTR

_ON_MAPS = ("svtr", "lightsvtr")  # encoders that take the map itself
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
        check_row(x)
        return nn.transpose(x.flatten(2), [0, 2, 1])  # (N, W, C)


def check_row(x: nn.Tensor) -> None:
    """Check that a feature map is one row high; an exported network cannot.

    Raises:
        ValueError: If it is not.
    """
    if nn.in_dynamic_mode() and x.shape[2] != 1:
        raise ValueError(
            f"A sequence needs features one row high. Received: {tuple(x.shape)} (N, C, H, W). "
            "Use lines of the height the backbone is made for, usually 32."
        )


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
        encoder_type: ``"rnn"``: two bidirectional LSTM layers; ``"fc"``: one fully connected layer; ``"reshape"``: the
            features as they are; ``"svtr"``: attention, :class:`EncoderWithSVTR`; ``"lightsvtr"``:
            :class:`EncoderWithLightSVTR`.
        hidden_size: rnn: units of each LSTM direction; fc: outputs.
        dims: svtr, lightsvtr: features of each step of the result.
        depth: svtr, lightsvtr: blocks of attention; None for 2 and 1.
        hidden_dims: svtr: features inside.
        kernel_size: svtr: window of two of its convolutions, [vertical, horizontal].
        num_heads: svtr, lightsvtr: attentions side by side.
        mlp_ratio: svtr, lightsvtr: features inside a block's second part, as a multiple; None for 2 and 4.
        drop_rate: svtr, lightsvtr: share of features that training leaves out.
        attn_drop_rate: svtr, lightsvtr: share of attention weights that training leaves out.
        local_kernel: lightsvtr: columns of its depthwise convolution.
        use_guide: svtr, lightsvtr: let no gradient through to the backbone, which then learns from the guiding head of
            a :class:`MultiHead` alone.

    Attributes:
        out_channels: Features of each step.

    Shape:
        (N, in_channels, 1, W) → (N, W, out_channels)
    """

    out_channels: int

    def __init__(
        self,
        in_channels: int,
        encoder_type: Literal["rnn", "fc", "reshape", "svtr", "lightsvtr"] = "rnn",
        hidden_size: int = 48,
        dims: int = 64,
        depth: int | None = None,
        hidden_dims: int = 120,
        kernel_size: tuple[int, int] = (3, 3),
        num_heads: int = 8,
        mlp_ratio: float | None = None,
        drop_rate: float = 0.1,
        attn_drop_rate: float = 0.1,
        local_kernel: int = 7,
        use_guide: bool = False,
    ) -> None:
        super().__init__()
        self.encoder_reshape = Im2Seq()
        self.encoder_type, self.use_guide = encoder_type, use_guide
        self.out_channels = in_channels
        if encoder_type == "reshape":
            return
        self.encoder: Any
        if encoder_type == "svtr":
            self.encoder = EncoderWithSVTR(
                in_channels,
                dims,
                2 if depth is None else depth,
                hidden_dims,
                kernel_size,
                num_heads,
                2.0 if mlp_ratio is None else mlp_ratio,
                drop_rate,
                attn_drop_rate,
            )
        elif encoder_type == "lightsvtr":
            self.encoder = EncoderWithLightSVTR(
                in_channels,
                dims,
                1 if depth is None else depth,
                local_kernel,
                num_heads,
                4.0 if mlp_ratio is None else mlp_ratio,
                drop_rate,
                attn_drop_rate,
            )
        else:
            self.encoder = (EncoderWithRNN if encoder_type == "rnn" else EncoderWithFC)(in_channels, hidden_size)
        self.out_channels = self.encoder.out_channels

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> None:
        """Check what the signature cannot say; the Architecture section is read with this.

        Raises:
            ConfigError: If nothing would teach the backbone.
        """
        refuse_guide(arguments, path)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        if self.encoder_type in _ON_MAPS:
            check_row(x)
            return self.encoder_reshape(self.encoder(x.detach() if self.use_guide else x))  # (N, W, out_channels)
        x = self.encoder_reshape(x)  # (N, W, in_channels)
        return x if self.encoder_type == "reshape" else self.encoder(x)  # (N, W, out_channels)
