"""Which proposals of an image the second stage learns from, and what it is to say of each; NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry import (
    Array,
    BalancedPositiveNegativeSampler,
    BoxCoder,
    Matcher,
    RegionTruth,
    mask_in_box,
    without_ignored,
)
from ppocr_lite.geometry.anchors import Indices

_STAGE = 1  # of the seed: the first stage draws with another


@dataclass(frozen=True)
class Samples:
    """What the second stage learns from; R proposals of all images, of which M are text.

    Attributes:
        rects: (R, 4) float32.
        counts: (N,) int32, how many are of each image.
        labels: (R,) int64, 1 where text.
        deltas: (R, 4) float32, offsets of the truth from the proposal; 0 of background.
        mask_rects: (M, 4) float32, at least one.
        mask_counts: (N,) int32.
        masks: (M, side, side) float32, zeros and ones.
        mask_weights: (M,) float32, 0 for one that stands in where no proposal is text.
    """

    rects: Array
    counts: NDArray[np.int32]
    labels: Indices
    deltas: Array
    mask_rects: Array
    mask_counts: NDArray[np.int32]
    masks: Array
    mask_weights: Array


class RegionSampler:
    """Matches proposals with the truth and draws some of both kinds; the truths are proposals themselves.

    Args:
        coder: Of the offsets.
        mask_side: Cells of a mask in each direction.
        high: From this overlap on a proposal is text.
        low: Below this it is background.
        batch_size_per_image: How many are drawn.
        positive_fraction: Largest share of text.

    Source:
        Girshick, Fast R-CNN, ICCV 2015, §2.3.
    """

    def __init__(
        self,
        coder: BoxCoder,
        mask_side: int,
        high: float = 0.5,
        low: float = 0.5,
        batch_size_per_image: int = 128,
        positive_fraction: float = 0.25,
    ) -> None:
        self.coder, self.mask_side = coder, mask_side
        self.matcher = Matcher(high, low, allow_low_quality_matches=False)
        self.sampler = BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)

    def __call__(self, proposals: Sequence[Array], truths: Sequence[RegionTruth]) -> Samples:
        """Return what is drawn of the proposals, (K, 4) of each image."""
        drawn = [self._draw(rects, truth) for rects, truth in zip(proposals, truths, strict=True)]
        rects, labels, deltas, masks = (np.concatenate(part) for part in zip(*drawn, strict=True))
        counts = np.array([len(image[0]) for image in drawn], np.int32)
        mask_counts = np.array([int(image[1].sum()) for image in drawn], np.int32)
        text = rects[labels == 1]
        weights = np.ones(len(text), np.float32)
        if not len(text):  # one that counts nothing, so that the head has a gradient whatever is drawn
            text, weights = rects[:1], np.zeros(1, np.float32)
            masks = np.zeros((1, self.mask_side, self.mask_side), np.float32)
            mask_counts[0] = 1
        return Samples(rects, counts, labels, deltas, text, mask_counts, masks, weights)

    def _draw(self, proposals: Array, truth: RegionTruth) -> tuple[Array, Indices, Array, Array]:
        rects = np.concatenate([proposals, truth.rects])
        matched = self.matcher.match(truth.rects, rects)
        labels = without_ignored(Matcher.labels(matched), rects, truth.ignored)
        positive, negative = self.sampler(labels, np.random.default_rng((truth.seed, _STAGE)))
        if not len(positive) and not len(negative):  # an image wholly of ignored text: its first proposal is background
            negative, rects = np.zeros(1, np.int64), rects if len(rects) else _whole(truth)
        chosen = np.concatenate([positive, negative])
        deltas = np.zeros((len(chosen), 4), np.float32)
        deltas[: len(positive)] = self.coder.encode(truth.rects[matched[positive]], rects[positive])
        masks = np.zeros((len(positive), self.mask_side, self.mask_side), np.float32)
        for place, index in enumerate(positive):
            masks[place] = mask_in_box(truth.outlines[matched[index]], rects[index], self.mask_side)
        return rects[chosen], (np.arange(len(chosen)) < len(positive)).astype(np.int64), deltas, masks


def _whole(truth: RegionTruth) -> Array:
    height, width = truth.size
    return np.array([[0, 0, width, height]], np.float32)
