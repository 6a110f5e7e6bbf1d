"""The loss that counts characters."""

from __future__ import annotations

from collections.abc import Mapping

from ppocr_lite import nn
from ppocr_lite.losses.base import LOSSES

_LEAST = 1e-10  # probability of a class that counts as never predicted


@LOSSES.register
class ACELoss(nn.Layer):
    """How often each character is predicted against how often the text has it, wherever it stands.

    With the probabilities of each class averaged over the T steps, ``p[k]``, and the share of the text that is class k,
    ``n[k] / T``, the blank taking the T - length steps that are left: ``loss = -Σ over k of n[k] / T * log p[k]``, mean
    over the batch. A text longer than T leaves the blank less than nothing and is left out. Added to :class:`CTCLoss`
    in :class:`CombinedLoss` the two are called A-CTC.

    Shape:
        outputs: ``logits`` (N, T, C), before softmax; batch: ``label`` (N, L) int32, padded with anything, and
        ``length`` (N,) int64. Returns the scalar ``loss``.

    Source:
        Xie et al., Aggregation Cross-Entropy for Sequence Recognition, CVPR 2019, eq. 7 and 8.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, outputs: Mapping[str, nn.Tensor], batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        logits = nn.cast(outputs["logits"], "float32")
        steps = logits.shape[1]
        labels, lengths = nn.cast(batch["label"], "int64"), nn.cast(batch["length"], "int64").flatten()
        inside = nn.cast(nn.arange(0, labels.shape[1], labels).unsqueeze(0) < lengths.unsqueeze(1), "float32")  # (N, L)
        counts = nn.put_along_axis(nn.zeros_like(logits[:, 0]), labels, inside, axis=1, reduce="add")  # (N, C)
        counts[:, 0] += nn.cast(steps - lengths, "float32")
        predicted = nn.softmax(logits, axis=2).mean(1)  # (N, C)
        values = -(counts / steps * predicted.clip(min=_LEAST).log()).sum(1)  # (N,)
        fits = nn.cast(lengths <= steps, "float32")
        return {"loss": (values * fits).sum() / fits.sum().clip(min=1.0)}
