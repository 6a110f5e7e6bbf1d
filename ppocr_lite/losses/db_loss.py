"""The loss of DB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import functional
from ppocr_lite.losses.base import LOSSES

MainLoss = Literal[
    "DiceLoss", "SoftIoULoss", "WeightedBCELoss", "BCELoss", "FocalLoss", "Euclidean", "MaskL1Loss", "DiceFocalLoss"
]
_LEVELS = ("p2", "p3", "p4")  # sums of the neck that a head may also learn from
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
            ``Euclidean`` (squared difference), ``MaskL1Loss``; of both, ``DiceFocalLoss``: the sum of ``DiceLoss`` and
            the mean of ``FocalLoss``, for the binary map as well.
        alpha: Weight of the probability map.
        beta: Weight of the threshold map.
        ohem_ratio: Most negative pixels per positive one when balancing.
        eps: Keeps quotients finite.
        focal_alpha: Of the focal losses: weight of positive pixels, in (0, 1).
        focal_gamma: Of the focal losses: how much less easy pixels count.
        aux_weight_p2: Weight of the same loss of ``aux_maps_p2``, which a :class:`DBHead` with *aux_in_channels* gives.
        aux_weight_p3: Likewise.
        aux_weight_p4: Likewise.

    Raises:
        ConfigError: If a weight is below 0, a ratio or *eps* not above 0, or *focal_alpha* not in (0, 1); when called,
            if the head gives no maps of a level that has a weight.

    Shape:
        outputs: ``maps`` (N, 3, H, W), or (N, 1, H, W), and the others likewise; batch: ``shrink_map``,
        ``shrink_mask``, and for three maps ``threshold_map``, ``threshold_mask`` (N, H, W). Returns scalars ``loss``,
        ``loss_shrink_maps``, and for three maps ``loss_threshold_maps``, ``loss_binary_maps``, the weights included,
        and ``loss_aux_p2`` and so on of the levels that have a weight.

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, eq. 7-9;
        Dice for the binary map and the weights 5 and 10: the authors' code, decoders/seg_detector_loss.py; auxiliary
        maps and DiceFocalLoss: PaddleOCR, PP-OCRv6, 2026.
    """

    def __init__(
        self,
        balance_loss: bool = True,
        main_loss_type: MainLoss = "DiceLoss",
        alpha: float = 5.0,
        beta: float = 10.0,
        ohem_ratio: float = 3.0,
        eps: float = 1e-6,
        focal_alpha: float = functional.FOCAL_ALPHA,
        focal_gamma: float = functional.FOCAL_GAMMA,
        aux_weight_p2: float = 0.0,
        aux_weight_p3: float = 0.0,
        aux_weight_p4: float = 0.0,
    ) -> None:
        super().__init__()
        levels = dict(zip(_LEVELS, (aux_weight_p2, aux_weight_p3, aux_weight_p4), strict=True))
        if min(alpha, beta, *levels.values()) < 0 or min(ohem_ratio, eps) <= 0:
            raise ConfigError(
                "DBLoss needs alpha, beta, aux_weight ≥ 0 and ohem_ratio, eps > 0. Received: "
                f"alpha {alpha}, beta {beta}, aux_weight {levels}, ohem_ratio {ohem_ratio}, eps {eps}"
            )
        if not 0 < focal_alpha < 1 or focal_gamma < 0:
            raise ConfigError(
                f"DBLoss needs focal_alpha in (0, 1) and focal_gamma ≥ 0. Received: {focal_alpha}, {focal_gamma}"
            )
        self.focal_alpha, self.focal_gamma = focal_alpha, focal_gamma
        self.levels = {level: weight for level, weight in levels.items() if weight}
        self.balance_loss, self.main_loss_type = balance_loss, main_loss_type
        self.alpha, self.beta, self.ohem_ratio, self.eps = alpha, beta, ohem_ratio, eps

    def forward(self, outputs: Mapping[str, nn.Tensor], batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        terms = self._terms(outputs["maps"], batch)
        for level, weight in self.levels.items():
            maps = outputs.get(f"aux_maps_{level}")
            if maps is None:
                raise ConfigError(f"DBLoss.aux_weight_{level} needs a DBHead with aux_in_channels.")
            terms[f"loss_aux_{level}"] = weight * nn.add_n(list(self._terms(maps, batch).values()))
        return {"loss": nn.add_n(list(terms.values())), **terms}

    def _terms(self, maps: nn.Tensor, batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """Return the weighted losses of probability, threshold and binary map, (N, 3, H, W), or of the first alone."""
        maps = nn.cast(maps, "float32")
        truth, mask = batch["shrink_map"], batch["shrink_mask"]
        terms = {"loss_shrink_maps": self.alpha * self.main_loss(maps[:, 0], truth, mask)}
        if maps.shape[1] > 1:
            threshold = functional.masked_l1(maps[:, 1], batch["threshold_map"], batch["threshold_mask"], self.eps)
            binary = self.dice_focal if self.main_loss_type == "DiceFocalLoss" else functional.dice
            terms["loss_threshold_maps"] = self.beta * threshold
            terms["loss_binary_maps"] = binary(maps[:, 2], truth, mask, self.eps)
        return terms

    def dice_focal(self, prediction: nn.Tensor, truth: nn.Tensor, mask: nn.Tensor, eps: float) -> nn.Tensor:
        """Return Dice loss plus mean focal loss; the maps (N, H, W)."""
        values = functional.pixel_focal(prediction, truth, self.focal_alpha, self.focal_gamma)
        return functional.dice(prediction, truth, mask, eps) + functional.masked_mean(values, mask, eps)

    def main_loss(self, prediction: nn.Tensor, truth: nn.Tensor, mask: nn.Tensor) -> nn.Tensor:
        """Return the loss of the probability map, without its weight; all arguments (N, H, W)."""
        if self.main_loss_type == "DiceFocalLoss":
            return self.dice_focal(prediction, truth, mask, self.eps)
        if self.main_loss_type in _WHOLE:
            return _WHOLE[self.main_loss_type](prediction, truth, mask, self.eps)
        if self.main_loss_type == "BCELoss":
            values = functional.pixel_bce(prediction, truth)
        elif self.main_loss_type == "FocalLoss":
            values = functional.pixel_focal(prediction, truth, self.focal_alpha, self.focal_gamma)
        elif self.main_loss_type == "Euclidean":
            values = (prediction - truth) ** 2
        else:
            values = (prediction - truth).abs()
        if self.balance_loss:
            return functional.hard_negative_mean(values, truth, mask, self.ohem_ratio, self.eps)
        return functional.masked_mean(values, mask, self.eps)
