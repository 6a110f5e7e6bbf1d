"""The loss of a classifier."""

from __future__ import annotations

from collections.abc import Mapping

import paddle
from paddle import nn
from paddle.nn import functional as F

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

    def forward(
        self, outputs: Mapping[str, paddle.Tensor], batch: Mapping[str, paddle.Tensor]
    ) -> dict[str, paddle.Tensor]:
        """See *Shape* of the class."""
        logits, labels = outputs["logits"].astype("float32"), batch["label"]
        shares = labels.ndim == 2
        target = labels.astype("float32") if shares else labels.astype("int64").flatten()
        return {"loss": F.cross_entropy(logits, target, soft_label=shares)}
