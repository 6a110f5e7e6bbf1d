"""The loss of DB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import functional
from ppocr_lite.losses.base import LOSSES

MainLoss = Literal["DiceLoss", "SoftIoULoss", "WeightedBCELoss", "BCELoss", "FocalLoss", "Euclidean", "MaskL1Loss"]
# Those that see the whole map, and so need no balancing.
_WHOLE = {
    "DiceLoss": functional.dice,
    "SoftIoULoss": functional.soft_iou,
    "WeightedBCELoss": functional.weighted_bce,
}


@LOSSES.register
class DBLoss(nn.Layer):
    """Probability, threshold and binary map against their targets.

    ``loss = alpha * main(probability) + beta * L1(threshold) + Dice(binary)``. A network that returns the probability
    alone, as exported ones do, is taught that alone: the first term. A batch without any text is finite,
    and with a loss of pixels teaches background; ignored pixels (mask 0) cost nothing.

    Args:
        balance_loss: Average over the positives and the hardest negatives only. Changes losses of pixels; those of
            the whole map balance by themselves.
        main_loss_type: Loss of the probability map. Of the whole map: ``DiceLoss``, ``SoftIoULoss``,
            ``WeightedBCELoss``; of pixels: ``BCELoss`` (with *balance_loss* that of the paper), ``FocalLoss``,
            ``Euclidean`` (squared difference), ``MaskL1Loss``.
        alpha: Weight of the probability map.
        beta: Weight of the threshold map.
        ohem_ratio: Most negative pixels per positive one when balancing.
        eps: Keeps quotients finite.

    Raises:
        ConfigError: If a weight is below 0, or a ratio or *eps* not above 0.

    Shape:
        outputs: ``maps`` (N, 3, H, W), or (N, 1, H, W); batch: ``shrink_map``, ``shrink_mask``, and for three maps
        ``threshold_map``, ``threshold_mask`` (N, H, W). Returns scalars ``loss``, ``loss_shrink_maps``, and for three
        maps ``loss_threshold_maps``, ``loss_binary_maps``, the weights included.

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, eq. 7-9;
        Dice for the binary map and the weights 5 and 10: the authors' code, decoders/seg_detector_loss.py.
    """

    def __init__(
        self,
        balance_loss: bool = True,
        main_loss_type: MainLoss = "DiceLoss",
        alpha: float = 5.0,
        beta: float = 10.0,
        ohem_ratio: float = 3.0,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        if alpha < 0 or beta < 0 or ohem_ratio <= 0 or eps <= 0:
            raise ConfigError(
                "DBLoss needs alpha, beta ≥ 0 and ohem_ratio, eps > 0. "
                f"Received: alpha {alpha}, beta {beta}, ohem_ratio {ohem_ratio}, eps {eps}"
            )
        self.balance_loss, self.main_loss_type = balance_loss, main_loss_type
        self.alpha, self.beta, self.ohem_ratio, self.eps = alpha, beta, ohem_ratio, eps

    def forward(self, outputs: Mapping[str, nn.Tensor], batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        maps = nn.cast(outputs["maps"], "float32")
        truth, mask = batch["shrink_map"], batch["shrink_mask"]
        terms = {"loss_shrink_maps": self.alpha * self.main_loss(maps[:, 0], truth, mask)}
        if maps.shape[1] > 1:
            threshold = functional.masked_l1(maps[:, 1], batch["threshold_map"], batch["threshold_mask"], self.eps)
            terms["loss_threshold_maps"] = self.beta * threshold
            terms["loss_binary_maps"] = functional.dice(maps[:, 2], truth, mask, self.eps)
        return {"loss": nn.add_n(list(terms.values())), **terms}

    def main_loss(self, prediction: nn.Tensor, truth: nn.Tensor, mask: nn.Tensor) -> nn.Tensor:
        """Return the loss of the probability map, without its weight; all arguments (N, H, W)."""
        if self.main_loss_type in _WHOLE:
            return _WHOLE[self.main_loss_type](prediction, truth, mask, self.eps)
        if self.main_loss_type == "BCELoss":
            values = functional.pixel_bce(prediction, truth)
        elif self.main_loss_type == "FocalLoss":
            values = functional.pixel_focal(prediction, truth)
        elif self.main_loss_type == "Euclidean":
            values = (prediction - truth) ** 2
        else:
            values = (prediction - truth).abs()
        if self.balance_loss:
            return functional.hard_negative_mean(values, truth, mask, self.ohem_ratio, self.eps)
        return functional.masked_mean(values, mask, self.eps)
