"""The loss of a classifier."""

from __future__ import annotations

from collections.abc import Mapping

from ppocr_lite import nn
from ppocr_lite.losses.base import LOSSES


@LOSSES.register
class ClsLoss(nn.Layer):
    """Cross-entropy, mean over the batch.

    Shape:
        outputs: ``logits`` (N, C); batch: ``label``, (N,) int64, or (N, C) float32 with the share of each class, as
        ``Mixup`` and ``CutMix`` make it. Returns the scalar ``loss``.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, outputs: Mapping[str, nn.Tensor], batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        logits, labels = nn.cast(outputs["logits"], "float32"), batch["label"]
        shares = labels.ndim == 2
        target = nn.cast(labels, "float32") if shares else nn.cast(labels, "int64").flatten()
        return {"loss": nn.cross_entropy(logits, target, soft_label=shares)}
