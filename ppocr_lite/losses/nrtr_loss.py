"""The loss of the head that guides CTC."""

from __future__ import annotations

from collections.abc import Mapping

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.losses.base import LOSSES

_SMOOTHED = 0.1  # share of the truth that is spread over all other classes
_PADDING = 0  # class of what follows the end of a text


@LOSSES.register
class NRTRLoss(nn.Layer):
    """Cross-entropy of each next character, mean over all characters and ends of texts of the batch.

    Args:
        smoothing: Whether a tenth of the truth is spread over all other classes.

    Raises:
        ConfigError: When called, if the head has no guide.

    Shape:
        outputs: ``gtc`` (N, L, C), before softmax; batch: ``label_gtc`` (N, L + 1) int32, as ``MultiLabelEncode`` makes
        it: the start, the characters, the end, padded with 0. Returns the scalar ``loss``.

    Source:
        Sheng et al., NRTR, ICDAR 2019; smoothing: Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, §7.
    """

    def __init__(self, smoothing: bool = True) -> None:
        super().__init__()
        self.smoothing = smoothing

    def forward(self, outputs: Mapping[str, nn.Tensor], batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        if "gtc" not in outputs:
            raise ConfigError("NRTRLoss needs a MultiHead with an NRTRHead in its head_list.")
        logits = nn.cast(outputs["gtc"], "float32").flatten(0, 1)  # (N L, C)
        truth = nn.cast(batch["label_gtc"][:, 1:], "int64").flatten()  # (N L,)
        logs = nn.log_softmax(logits, axis=1)
        chosen = nn.take_along_axis(logs, truth.unsqueeze(1), 1).flatten()  # (N L,)
        values = -chosen
        if self.smoothing:
            others = (logs.sum(1) - chosen) / (logits.shape[1] - 1)  # mean over the other classes
            values = -(1 - _SMOOTHED) * chosen - _SMOOTHED * others
        weights = nn.cast(truth != _PADDING, "float32")
        return {"loss": (values * weights).sum() / weights.sum().clip(min=1.0)}
