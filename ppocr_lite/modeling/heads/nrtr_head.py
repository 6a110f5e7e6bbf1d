"""A transformer that spells a text character by character: the head that guides CTC in training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.attention import Attention, FeedForward

_HEAD_WIDTH = 32  # features of each attention
_FEED_FORWARD = 4  # features inside the last part of a block, as a multiple
_MORE_CLASSES = 4  # than the characters and the blank of CTC; the last of them stands for nothing
_DROP = 0.1


class Embeddings(nn.Layer):
    """A vector for each class, times the root of its length.

    Args:
        channels: Length of a vector.
        classes: How many there are.

    Shape:
        (N, L) whole numbers → (N, L, channels)
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.scale = channels**0.5
        first = nn.ParamAttr(initializer=nn.Normal(std=channels**-0.5))
        self.embedding = nn.Embedding(classes, channels, weight_attr=first)

    def forward(self, labels: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return self.embedding(labels) * self.scale


class TransformerBlock(nn.Layer):
    """Attention to what is spelled so far, attention to the picture, a layer on each step; normalised after each.

    Args:
        channels: Features of each step.
        heads: Attentions side by side.
        hidden: Features inside the last part.

    Shape:
        (N, L, channels), memory (N, T, channels) → (N, L, channels)
    """

    def __init__(self, channels: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = Attention(channels, heads, output="out_proj")
        self.norm1 = nn.LayerNorm(channels)
        self.cross_attn = Attention(channels, heads, output="out_proj", across=True)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = FeedForward(channels, hidden, "relu", _DROP)
        self.norm3 = nn.LayerNorm(channels)
        self.drop = nn.Dropout(_DROP)

    def forward(self, x: nn.Tensor, memory: nn.Tensor, mask: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class; *mask* (L, L) hides later steps from earlier ones."""
        x = self.norm1(x + self.drop(self.self_attn(x, None, mask)))
        x = self.norm2(x + self.drop(self.cross_attn(x, memory)))
        return self.norm3(x + self.drop(self.mlp(x)))


class Projection(nn.Layer):
    """One fully connected layer without bias.

    Shape:
        (N, T, in_channels) → (N, T, out_channels)
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_channels, out_channels, bias_attr=False)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return self.fc(x)


class NRTRHead(nn.Layer):
    """Predicts each character of a text from those before it and from the picture.

    Args:
        num_classes: Characters plus one, as for CTC.
        nrtr_dim: Features inside, a multiple of 32.
        max_text_length: Most characters of a text.
        num_decoder_layers: Blocks.

    Raises:
        ConfigError: If *nrtr_dim* is not such a multiple; when called, if texts are longer.

    Shape:
        picture (N, T, nrtr_dim), labels (N, L + 1) as ``MultiLabelEncode`` makes them → (N, L, num_classes + 4),
        the class of each next character, before softmax

    Source:
        Sheng et al., NRTR: A No-Recurrence Sequence-to-Sequence Model for Scene Text Recognition, ICDAR 2019; as the
        guide of CTC: PaddleOCR, docs on PP-OCRv4, 2023.
    """

    def __init__(
        self,
        num_classes: int,
        nrtr_dim: int = 256,
        max_text_length: int = 25,
        num_decoder_layers: int = 4,
    ) -> None:
        super().__init__()
        if nrtr_dim < _HEAD_WIDTH or nrtr_dim % _HEAD_WIDTH:
            raise ConfigError(f"NRTRHead.nrtr_dim must be a multiple of {_HEAD_WIDTH}. Received: {nrtr_dim}")
        self.nrtr_dim, self.max_text_length = nrtr_dim, max_text_length
        classes = num_classes + _MORE_CLASSES
        self.embedding = Embeddings(nrtr_dim, classes)
        self.drop = nn.Dropout(_DROP)
        heads, hidden = nrtr_dim // _HEAD_WIDTH, _FEED_FORWARD * nrtr_dim
        self.decoder = nn.LayerList([TransformerBlock(nrtr_dim, heads, hidden) for _ in range(num_decoder_layers)])
        first = nn.ParamAttr(initializer=nn.Normal(std=nrtr_dim**-0.5))
        self.tgt_word_prj = nn.Linear(nrtr_dim, classes, weight_attr=first, bias_attr=False)
        steps = max_text_length + 1
        self.register_buffer("positions", nn.to_tensor(positions(steps, nrtr_dim)), persistable=False)
        later = np.triu(np.full((steps, steps), -np.inf, np.float32), 1)
        self.register_buffer("later", nn.to_tensor(later), persistable=False)

    def forward(self, x: nn.Tensor, labels: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        labels = nn.cast(labels[:, :-1], "int64")  # the last character predicts nothing
        steps = labels.shape[1]
        if steps > self.max_text_length + 1:
            raise ConfigError(
                f"NRTRHead.max_text_length is {self.max_text_length}, but Global.max_text_length is {steps - 1}. "
                "Give both one value."
            )
        y = self.drop(self.embedding(labels) + self.positions[:steps])  # (N, L, nrtr_dim)
        mask = self.later[:steps, :steps]
        for block in self.decoder:
            y = block(y, x, mask)
        return nn.cast(self.tgt_word_prj(y), "float32")  # (N, L, num_classes + 4)


def positions(steps: int, channels: int) -> NDArray[np.float32]:
    """Return a vector for each place of a sequence, (steps, channels): sines and cosines of falling frequency.

    Source:
        Vaswani et al., Attention Is All You Need, NeurIPS 2017, §3.5.
    """
    place = np.arange(steps)[:, None] * np.exp(-np.log(10000.0) * np.arange(0, channels, 2) / channels)
    found = np.zeros((steps, channels), np.float32)
    found[:, 0::2], found[:, 1::2] = np.sin(place), np.cos(place)
    return found
