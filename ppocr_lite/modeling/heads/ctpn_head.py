"""What CTPN says of the anchors in each column of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.heads.base import HEADS


@HEADS.register
class CTPNHead(nn.Layer):
    """A 3×3 convolution, a recurrent layer along each row of the map, and three predictions for each anchor.

    Of several maps the last is read: it must have the stride of the anchors, 16, which a backbone with ``stages: 3``
    gives.

    Args:
        in_channels: Channels of the map, or of several maps.
        anchors: Anchors at each place: as many as the targets and the post-processing have heights.
        mid_channels: Channels after the 3×3 convolution.
        recurrent: What relates the places of a row in both directions: ``"gru"``, ``"lstm"`` as in the paper, or
            ``"none"``.
        hidden_size: Its units in each direction.
        fc_channels: Channels before the predictions.

    Shape:
        forward: (N, in_channels, h, w) → ``scores`` (N, 2 A, h, w), logits: those of background, then those of text;
            ``vertical`` (N, 2 A, h, w): centres, then logarithms of heights; ``sides`` (N, A, h, w).
        predict: → ``anchors`` (N, 4 A, h, w): probabilities of text, centres, logarithms of heights, sides.

    Raises:
        ConfigError: If a number is below 1.

    Source:
        Tian et al., Connectionist Text Proposal Network, ECCV 2016, §3.1 to §3.3.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        anchors: int = 10,
        mid_channels: int = 512,
        recurrent: Literal["none", "gru", "lstm"] = "lstm",
        hidden_size: int = 128,
        fc_channels: int = 512,
    ) -> None:
        super().__init__()
        if min(anchors, mid_channels, hidden_size, fc_channels) < 1:
            raise ConfigError(
                "CTPNHead needs anchors, mid_channels, hidden_size and fc_channels of at least 1. "
                f"Received: {anchors}, {mid_channels}, {hidden_size}, {fc_channels}"
            )
        self.anchors, self.recurrent = anchors, recurrent
        channels = in_channels if isinstance(in_channels, int) else in_channels[-1]
        self.conv = nn.Conv2D(channels, mid_channels, 3, padding=1)
        channels = mid_channels
        if recurrent != "none":
            layer = nn.GRU if recurrent == "gru" else nn.LSTM
            self.rnn = layer(mid_channels, hidden_size, direction="bidirectional")
            channels = 2 * hidden_size
        self.fc = nn.Conv2D(channels, fc_channels, 1)
        self.scores = nn.Conv2D(fc_channels, 2 * anchors, 1)
        self.vertical = nn.Conv2D(fc_channels, 2 * anchors, 1)
        self.sides = nn.Conv2D(fc_channels, anchors, 1)

    def forward(self, x: nn.Tensor | list[nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        x = nn.relu(self.conv(x[-1] if isinstance(x, list) else x))  # (N, mid_channels, h, w)
        if self.recurrent != "none":
            x = self._along_rows(x)  # (N, 2 * hidden_size, h, w)
        x = nn.relu(self.fc(x))  # (N, fc_channels, h, w)
        return {"scores": self.scores(x), "vertical": self.vertical(x), "sides": self.sides(x)}

    def _along_rows(self, x: nn.Tensor) -> nn.Tensor:
        """Run the recurrent layer along each row of (N, C, h, w), whatever N, h and w are."""
        rows = nn.transpose(x, [0, 2, 3, 1]).flatten(0, 1)  # (N * h, w, C)
        rows, _ = self.rnn(rows)  # (N * h, w, 2 * hidden_size)
        return nn.map_of_rows(rows, x)

    def predict(self, x: nn.Tensor | list[nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        found = self.forward(x)
        scores = nn.cast(found["scores"], "float32")
        probability = nn.sigmoid(scores[:, self.anchors :] - scores[:, : self.anchors])  # softmax over the two
        vertical, sides = nn.cast(found["vertical"], "float32"), nn.cast(found["sides"], "float32")
        return {"anchors": nn.concat([probability, vertical, sides], axis=1)}  # (N, 4 A, h, w)
