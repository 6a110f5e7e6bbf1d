"""What region proposals cost: is there text at an anchor, and how far off is the box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ppocr_lite import nn
from ppocr_lite.geometry import BalancedPositiveNegativeSampler, BoxCoder, Matcher, label_anchors

_BETA = 1.0 / 9.0  # below it the loss of offsets is quadratic


class RPNLoss(nn.Layer):
    """Binary cross-entropy of the sampled anchors, and smooth L1 of the offsets of those that are text.

    Both are divided by the number of sampled anchors. An image without text teaches background alone.

    Args:
        high: From this overlap on an anchor stands for a text.
        low: Below this it is background.
        batch_size_per_image: Anchors of an image that are learnt from.
        positive_fraction: Largest share of those that stand for text.

    Shape:
        outputs: ``objectness``, ``regression``, ``anchors``, ``generator`` of a :class:`MaskRCNNHead`; batch:
            ``truth``. Returns the scalars ``loss_rpn_objectness`` and ``loss_rpn_box``.

    Source:
        Ren et al., Faster R-CNN, NIPS 2015, §3.1.2.
    """

    def __init__(
        self, high: float = 0.7, low: float = 0.3, batch_size_per_image: int = 256, positive_fraction: float = 0.5
    ) -> None:
        super().__init__()
        self.matcher = Matcher(high, low)
        self.sampler = BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self.coder = BoxCoder()

    def forward(self, outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        logits = nn.concat([_by_anchor(level, 1).flatten(1) for level in outputs["objectness"]], axis=1)  # (N, all)
        deltas = nn.concat([_by_anchor(level, 4) for level in outputs["regression"]], axis=1)  # (N, all, 4)
        anchors = np.concatenate(outputs["anchors"])
        indices, labels, targets = [], [], []
        for image, truth in enumerate(batch["truth"]):
            visible = outputs["generator"].visible(anchors, truth.size)
            index, label, target = label_anchors(anchors, visible, truth, self.matcher, self.sampler, self.coder)
            indices.append(index + image * len(anchors))
            labels.append(label)
            targets.append(target)
        index = np.concatenate(indices)
        weight = np.ones(len(index), np.float32)
        label, target = np.concatenate(labels).astype(np.float32), np.concatenate(targets)
        if not len(index):  # nothing is seen anywhere: one anchor that counts nothing keeps the gradient defined
            index, weight = np.zeros(1, np.int64), np.zeros(1, np.float32)
            label, target = np.zeros(1, np.float32), np.zeros((1, 4), np.float32)
        chosen = nn.tensor_like(index, logits)
        weights, truths = nn.tensor_like(weight / len(index), logits), nn.tensor_like(label, logits)
        costs = cross_entropy_of_logits(nn.index_select(logits.flatten(), chosen, 0), truths)
        moved = nn.index_select(deltas.flatten(0, 1), chosen, 0) - nn.tensor_like(target, logits)
        return {
            "loss_rpn_objectness": (costs * weights).sum(),
            "loss_rpn_box": (smooth_l1(moved, _BETA).sum(-1) * weights * truths).sum(),
        }


def cross_entropy_of_logits(logits: nn.Tensor, truth: nn.Tensor) -> nn.Tensor:
    """Return the binary cross-entropy of each logit, finite however large it is; both of one shape."""
    return nn.relu(logits) - logits * truth + ((-logits.abs()).exp() + 1.0).log()


def smooth_l1(difference: nn.Tensor, beta: float) -> nn.Tensor:
    """Return ``x² / (2 beta)`` where |x| is below *beta*, else ``|x| - beta / 2``; same shape.

    Source:
        Girshick, Fast R-CNN, ICCV 2015, eq. 3, with the *beta* of its successors.
    """
    size = difference.abs()
    return nn.where(size < beta, difference * difference * (0.5 / beta), size - 0.5 * beta)


def _by_anchor(x: nn.Tensor, columns: int) -> nn.Tensor:
    """Return (N, A columns, H, W) as (N, H W A, columns): in the order of the anchors of a grid."""
    return nn.split_last(nn.transpose(x, [0, 2, 3, 1]).flatten(1, 2), [-1, columns]).flatten(1, 2)
