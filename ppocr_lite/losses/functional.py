"""The terms that losses are made of: each maps tensors to one non-negative scalar in float32."""

from __future__ import annotations

from ppocr_lite import nn

_EPSILON = 1e-6
FOCAL_GAMMA = 2.0
FOCAL_ALPHA = 0.25


def dice(prediction: nn.Tensor, truth: nn.Tensor, mask: nn.Tensor, eps: float = _EPSILON) -> nn.Tensor:
    """Return one minus the Dice coefficient, ``1 - (2 |P ∩ T| + eps) / (|P| + |T| + eps)``, over the whole batch.

    With *eps* in both places an empty prediction of an empty truth, or nothing but masked pixels, costs 0.

    Args:
        prediction: (N, H, W), in [0, 1].
        truth: (N, H, W), 0 or 1.
        mask: (N, H, W), 1 where the truth is known.
        eps: Keeps the quotient finite.

    Source:
        Milletari et al., V-Net, 3DV 2016, without the squares; as in Liao et al., DB, AAAI 2020.
    """
    overlap = (prediction * truth * mask).sum()
    total = (prediction * mask).sum() + (truth * mask).sum()
    return 1.0 - (2.0 * overlap + eps) / (total + eps)


def soft_iou(prediction: nn.Tensor, truth: nn.Tensor, mask: nn.Tensor, eps: float = _EPSILON) -> nn.Tensor:
    """Return one minus the Jaccard index, ``1 - (|P ∩ T| + eps) / (|P| + |T| - |P ∩ T| + eps)``, over the whole batch.

    Args:
        prediction: (N, H, W), in [0, 1].
        truth: (N, H, W), 0 or 1.
        mask: (N, H, W), 1 where the truth is known.
        eps: Keeps the quotient finite.

    Source:
        Rahman and Wang, Optimizing Intersection-over-Union in Deep Neural Networks, ISVC 2016.
    """
    overlap = (prediction * truth * mask).sum()
    total = (prediction * mask).sum() + (truth * mask).sum()
    return 1.0 - (overlap + eps) / (total - overlap + eps)


def masked_l1(prediction: nn.Tensor, truth: nn.Tensor, mask: nn.Tensor, eps: float = _EPSILON) -> nn.Tensor:
    """Return the mean absolute difference where *mask* is 1; 0 if it is nowhere.

    Args:
        prediction: (N, H, W).
        truth: (N, H, W).
        mask: (N, H, W), 0 or 1.
        eps: Keeps the quotient finite.

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, eq. 9.
    """
    return ((prediction - truth).abs() * mask).sum() / (mask.sum() + eps)


def pixel_bce(prediction: nn.Tensor, truth: nn.Tensor) -> nn.Tensor:
    """Return the binary cross-entropy of each pixel, same shape.

    Args:
        prediction: Probabilities; exact 0 and 1 are allowed and give at most 100.
        truth: 0 or 1, same shape.
    """
    return nn.binary_cross_entropy(prediction, truth, reduction="none")


def pixel_focal(
    prediction: nn.Tensor, truth: nn.Tensor, alpha: float = FOCAL_ALPHA, gamma: float = FOCAL_GAMMA
) -> nn.Tensor:
    """Return the focal loss of each pixel, same shape: easy pixels count less.

    Args:
        prediction: Probabilities.
        truth: 0 or 1, same shape.
        alpha: Weight of what is 1; the rest has 1 - alpha.
        gamma: How much less easy pixels count.

    Source:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, eq. 5.
    """
    hardness = truth * (1.0 - prediction) ** gamma * alpha
    hardness = hardness + (1.0 - truth) * prediction**gamma * (1.0 - alpha)
    return hardness * pixel_bce(prediction, truth)


def masked_mean(values: nn.Tensor, mask: nn.Tensor, eps: float = _EPSILON) -> nn.Tensor:
    """Return the mean of *values* where *mask* is 1; 0 if it is nowhere. Both (N, H, W)."""
    return (values * mask).sum() / (mask.sum() + eps)


def weighted_bce(prediction: nn.Tensor, truth: nn.Tensor, mask: nn.Tensor, eps: float = _EPSILON) -> nn.Tensor:
    """Return the mean cross-entropy of the known pixels, positive ones times ``negatives / positives``.

    So both kinds weigh the same, however rare text is. A batch without a positive or a negative pixel has nothing to
    balance and gets the plain mean.

    Args:
        prediction: (N, H, W), probabilities.
        truth: (N, H, W), 0 or 1.
        mask: (N, H, W), 1 where the truth is known.
        eps: Keeps the quotient finite.

    Source:
        Ronneberger et al., U-Net, MICCAI 2015, eq. 1, with one weight for each class.
    """
    positives, negatives = (truth * mask).sum(), ((1.0 - truth) * mask).sum()
    mixed = (positives > 0) & (negatives > 0)
    weight = nn.where(mixed, negatives / positives.clip(min=1.0), nn.ones_like(positives))
    return masked_mean(pixel_bce(prediction, truth) * (truth * weight + 1.0 - truth), mask, eps)


def hard_negative_mean(
    values: nn.Tensor, truth: nn.Tensor, mask: nn.Tensor, ratio: float, eps: float = _EPSILON
) -> nn.Tensor:
    """Return the mean over all positive pixels and the hardest negative ones, *ratio* times as many at most.

    A batch without a positive pixel has nothing to balance: all its negatives count, so that the network still
    learns what is not text.

    Args:
        values: (N, H, W), loss of each pixel, ≥ 0.
        truth: (N, H, W), 0 or 1.
        mask: (N, H, W), 1 where the truth is known.
        ratio: Most negatives per positive.
        eps: Keeps the quotient finite.

    Source:
        Shrivastava et al., Online Hard Example Mining, CVPR 2016; ratio 3: Liao et al., DB, AAAI 2020, eq. 8.
    """
    positive, negative = truth * mask, (1.0 - truth) * mask
    positives, negatives = int(positive.sum().item()), int(negative.sum().item())
    if positives == 0 or negatives == 0:
        return masked_mean(values, mask, eps)
    count = min(negatives, int(positives * ratio))
    # Masked pixels cost 0 here, so among the hardest they change nothing.
    hardest, _ = nn.topk((values * negative).flatten(), count, sorted=False)
    return ((values * positive).sum() + hardest.sum()) / (positives + count + eps)


def bernoulli_divergence(first: nn.Tensor, second: nn.Tensor, eps: float = _EPSILON) -> nn.Tensor:
    """Return the mean over pixels of ``(KL(first ‖ second) + KL(second ‖ first)) / 2`` of two probability maps.

    For one pixel the sum is ``(p - q) * (logit(p) - logit(q))``, so 0 exactly where both agree.

    Args:
        first: Probabilities, any shape.
        second: Same shape.
        eps: Probabilities are clipped to [eps, 1 - eps].

    Source:
        Zhang et al., Deep Mutual Learning, CVPR 2018; symmetric as in Du et al., PP-OCRv2, 2021.
    """
    p, q = first.clip(eps, 1.0 - eps), second.clip(eps, 1.0 - eps)
    return ((p - q) * ((p / (1.0 - p)).log() - (q / (1.0 - q)).log())).mean() / 2.0


def categorical_divergence(first: nn.Tensor, second: nn.Tensor) -> nn.Tensor:
    """Return ``(KL(first ‖ second) + KL(second ‖ first)) / 2`` of each position of two sequences.

    Args:
        first: (N, T, C) or (N, C), logarithms of probabilities over the last axis.
        second: Same shape.

    Returns:
        (N, T) or (N,).

    Source:
        Zhang et al., Deep Mutual Learning, CVPR 2018; symmetric as in Du et al., PP-OCRv2, 2021.
    """
    return ((first.exp() - second.exp()) * (first - second)).sum(-1) / 2.0
