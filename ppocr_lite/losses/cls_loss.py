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
        outputs: ``logits`` (N, C); batch: ``label`` (N,) int64. Returns the scalar ``loss``.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(
        self, outputs: Mapping[str, paddle.Tensor], batch: Mapping[str, paddle.Tensor]
    ) -> dict[str, paddle.Tensor]:
        """See *Shape* of the class."""
        labels = batch["label"].astype("int64").flatten()
        return {"loss": F.cross_entropy(outputs["logits"].astype("float32"), labels)}
