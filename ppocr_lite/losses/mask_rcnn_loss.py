"""The loss of a two-stage detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr_lite import nn
from ppocr_lite.config.check import check_arguments
from ppocr_lite.errors import ConfigError
from ppocr_lite.losses.base import LOSSES
from ppocr_lite.losses.rpn_loss import RPNLoss, cross_entropy_of_logits, smooth_l1


@LOSSES.register
class MaskRCNNLoss(nn.Layer):
    """Proposals, classes, boxes and masks of a :class:`MaskRCNNHead`, added up.

    Classes cost their cross-entropy; boxes the smooth L1 distance of the offsets of text, divided by the number of all
    sampled proposals; masks the mean binary cross-entropy of the cells of text. Without text in a batch only
    background is learnt, and boxes and masks cost 0.

    Args:
        rpn: Arguments of :class:`~ppocr_lite.losses.rpn_loss.RPNLoss`.
        beta: Below this difference the loss of the offsets of the second stage is quadratic.
        weight_rpn: Weight of both terms of the proposals.
        weight_box: Weight of classes and boxes.
        weight_mask: Weight of masks.

    Raises:
        ConfigError: If a weight is below 0, or *beta* not above 0.

    Shape:
        outputs: as a :class:`MaskRCNNHead` returns them in training; batch: ``truth``. Returns scalars ``loss``,
        ``loss_rpn_objectness``, ``loss_rpn_box``, ``loss_class``, ``loss_box`` and ``loss_mask``, weights included.

    Source:
        He et al., Mask R-CNN, ICCV 2017, §3.
    """

    def __init__(
        self,
        rpn: dict[str, Any] | None = None,
        beta: float = 1.0,
        weight_rpn: float = 1.0,
        weight_box: float = 1.0,
        weight_mask: float = 1.0,
    ) -> None:
        super().__init__()
        if min(weight_rpn, weight_box, weight_mask) < 0 or beta <= 0:
            raise ConfigError(
                "MaskRCNNLoss needs weights of at least 0 and beta > 0. "
                f"Received: {weight_rpn}, {weight_box}, {weight_mask}, {beta}"
            )
        self.rpn = RPNLoss(**self.check({"rpn": rpn}, "Loss"))
        self.beta, self.weight_rpn, self.weight_box, self.weight_mask = beta, weight_rpn, weight_box, weight_mask

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Check the arguments of the loss of proposals, and return them.

        Raises:
            ConfigError: Names the path of what is unknown or of the wrong type.
        """
        return check_arguments(RPNLoss, dict(arguments.get("rpn") or {}), f"{path}.rpn")

    def forward(self, outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        samples, logits = outputs["samples"], outputs["logits"]
        labels = nn.tensor_like(samples.labels, logits)
        moved = smooth_l1(outputs["deltas"] - nn.tensor_like(samples.deltas, logits), self.beta).sum(-1)
        masks = cross_entropy_of_logits(outputs["masks"], nn.tensor_like(samples.masks, logits))
        weights = nn.tensor_like(samples.mask_weights / len(samples.mask_weights), logits)
        terms = {name: self.weight_rpn * value for name, value in self.rpn(outputs, batch).items()}
        terms["loss_class"] = self.weight_box * nn.cross_entropy(logits, labels)
        terms["loss_box"] = self.weight_box * (moved * nn.cast(labels, "float32")).mean()
        terms["loss_mask"] = self.weight_mask * (masks.mean([1, 2]) * weights).sum()
        return {"loss": nn.add_n(list(terms.values())), **terms}
