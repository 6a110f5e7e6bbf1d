"""Layers of attention: between the steps of one sequence, or from one sequence to another."""

from __future__ import annotations

from typing import Any, Literal

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError


class Attention(nn.Layer):
    """Weigh the steps of a sequence by their likeness, in several heads, and add them up.

    Args:
        channels: Features of each step, a multiple of *heads*.
        heads: Attentions side by side, each on its share of the features.
        drop: Share of weights that training leaves out.
        output: Name of the last layer, as published weights have it.
        across: Whether keys and values come from another sequence.

    Raises:
        ConfigError: If *channels* is not a multiple of *heads*.

    Shape:
        x (N, T, channels), memory (N, S, channels) where *across* → (N, T, channels)

    Source:
        Vaswani et al., Attention Is All You Need, NeurIPS 2017, §3.2.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        drop: float = 0.0,
        output: Literal["proj", "out_proj"] = "proj",
        across: bool = False,
        weight_attr: Any = None,
    ) -> None:
        super().__init__()
        if channels % heads:
            raise ConfigError(
                f"The features of attention must be a multiple of its heads. Received: {channels}, {heads}"
            )
        self.heads, self.width = heads, channels // heads
        self.across, self.output = across, output
        if across:
            self.q = nn.Linear(channels, channels, weight_attr=weight_attr)
            self.kv = nn.Linear(channels, 2 * channels, weight_attr=weight_attr)
        else:
            self.qkv = nn.Linear(channels, 3 * channels, weight_attr=weight_attr)
        self.add_sublayer(output, nn.Linear(channels, channels, weight_attr=weight_attr))
        self.attn_drop = nn.Dropout(drop)

    def forward(self, x: nn.Tensor, memory: nn.Tensor | None = None, mask: nn.Tensor | None = None) -> nn.Tensor:
        """See *Shape* of the class; *mask* (T, S) is added to the likenesses, -inf where a step must not be seen."""
        if self.across:
            query = self._split(self.q(x), 1)[0]  # (N, heads, T, width)
            keys, found = self._split(self.kv(memory), 2)  # (N, heads, S, width), as the values
        else:
            query, keys, found = self._split(self.qkv(x), 3)
        likeness = (query * self.width**-0.5) @ nn.transpose(keys, [0, 1, 3, 2])  # (N, heads, T, S)
        if mask is not None:
            likeness = likeness + mask
        weights = self.attn_drop(nn.softmax(likeness, axis=-1))
        y = nn.transpose(weights @ found, [0, 2, 1, 3]).flatten(2)  # (N, T, channels)
        return self.proj(y) if self.output == "proj" else self.out_proj(y)

    def _split(self, x: nn.Tensor, parts: int) -> list[nn.Tensor]:
        """Return (N, T, parts * channels) as *parts* tensors (N, heads, T, width)."""
        x = nn.transpose(nn.split_last(x, [parts, self.heads, self.width]), [2, 0, 3, 1, 4])
        return [x[part] for part in range(parts)]


class FeedForward(nn.Layer):
    """Two fully connected layers, applied to each step.

    Args:
        channels: Features of each step.
        hidden: Features between the two.
        activation: After the first.
        drop: Share of features that training leaves out after each.

    Shape:
        (N, T, channels) → the same
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        activation: Literal["silu", "relu"],
        drop: float = 0.0,
        weight_attr: Any = None,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.fc1 = nn.Linear(channels, hidden, weight_attr=weight_attr)
        self.fc2 = nn.Linear(hidden, channels, weight_attr=weight_attr)
        self.drop = nn.Dropout(drop)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = self.fc1(x)
        x = self.drop(nn.silu(x) if self.activation == "silu" else nn.relu(x))
        return self.drop(self.fc2(x))
