"""Anchors: the boxes a detector starts from, which truth each stands for, and which of them are learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry.boxes import box_areas, box_iou, intersections
from ppocr_lite.geometry.polygons import Array

Indices = NDArray[np.int64]
_COVERED = 0.5  # share of a box from which on it counts as ignored, where a region is
_BLOCK_VALUES = 1 << 22  # overlaps held at once, so that thousands of truths need no more memory than ten


def grid_anchors(base: Array, step: float, shape: Sequence[int]) -> Array:
    """Return *base* anchors moved to every place of a feature map.

    Args:
        base: (A, 4) float32, those of the first place, in pixels of the image.
        step: Pixels of the image from one place to the next.
        shape: (rows, columns) of the map.

    Returns:
        (rows * columns * A, 4) float32: row by row, and at each place in the order of *base*.
    """
    y, x = np.meshgrid(*(np.arange(count, dtype=np.float32) * np.float32(step) for count in shape), indexing="ij")
    return (np.stack([x, y, x, y], axis=-1)[:, :, None] + base).reshape(-1, 4)


class AnchorGenerator:
    """Boxes of given sizes and proportions at every place of every feature map.

    The *stride* of a level says how many pixels of the image one place of its map stands for: it is what the strides
    of the convolutions before it multiply to, 16 for the conv5_3 of VGG-16. The first anchor of a level is a square of
    that side at the first place, centred at half a stride; its proportions are changed at equal area, and then it is
    enlarged to each size. *anchor_stride* is something else: by how many pixels the anchors move from one place to the
    next. That is the same number, because the places are a stride apart, and any other would put anchors where the
    features do not look.

    Args:
        strides: Of each level, pixels.
        sizes: Square root of the area of the anchors, pixels: with one level, as many as there are to be at each
            place; with several, one for each level.
        aspect_ratios: Heights divided by widths, at every level.
        straddle_thresh: By how many pixels a visible anchor may reach across the border of the image; below 0 every
            anchor is visible.
        anchor_stride: Pixels between places, for each level; None for *strides*.
        round_base: Round width and height of the first square, in all proportions, to whole pixels before enlarging
            it, as the published anchors are; otherwise the areas are exactly equal.

    Attributes:
        base: For each level, the anchors (A, 4) of the first place.
        per_place: A.

    Raises:
        ConfigError: If a number is not above 0, or sizes do not fit the levels.

    Source:
        Ren et al., Faster R-CNN, NIPS 2015, §3.1.1; one size a level: Lin et al., Feature Pyramid Networks, CVPR 2017.
    """

    def __init__(
        self,
        strides: list[int],
        sizes: list[float],
        aspect_ratios: list[float],
        straddle_thresh: float = 0.0,
        anchor_stride: list[int] | None = None,
        round_base: bool = True,
    ) -> None:
        steps = strides if anchor_stride is None else anchor_stride
        if not (strides and sizes and aspect_ratios) or min(*strides, *sizes, *aspect_ratios, *steps) <= 0:
            raise ConfigError(
                "AnchorGenerator needs strides, sizes, aspect_ratios and anchor_stride above 0. "
                f"Received: {strides}, {sizes}, {aspect_ratios}, {anchor_stride}"
            )
        if len(steps) != len(strides) or (len(strides) > 1 and len(sizes) != len(strides)):
            raise ConfigError(
                "AnchorGenerator needs, for several levels, one size and one anchor_stride for each of the strides. "
                f"Received: strides {strides}, sizes {sizes}, anchor_stride {anchor_stride}"
            )
        self.strides, self.steps, self.straddle_thresh = list(strides), list(steps), straddle_thresh
        levels = [sizes] if len(strides) == 1 else [[size] for size in sizes]
        self.base = [
            base_anchors(stride, own, aspect_ratios, round_base) for stride, own in zip(strides, levels, strict=True)
        ]
        self.per_place = len(self.base[0])

    def grid(self, shapes: Sequence[Sequence[int]]) -> list[Array]:
        """Return for each level, whose map has the (rows, columns) of *shapes*, its anchors (rows * columns * A, 4).

        Raises:
            ConfigError: If there are not as many maps as levels.
        """
        if len(shapes) != len(self.strides):
            raise ConfigError(
                f"AnchorGenerator has {len(self.strides)} strides, {self.strides}, but the network gives "
                f"{len(shapes)} maps. Give one stride for each."
            )
        return [grid_anchors(*level) for level in zip(self.base, self.steps, shapes, strict=True)]

    def visible(self, anchors: Array, size: Sequence[float]) -> NDArray[np.bool_]:
        """Return which anchors (N, 4) lie in an image of *size* (height, width), but for ``straddle_thresh``, (N,)."""
        if self.straddle_thresh < 0:
            return np.ones(len(anchors), np.bool_)
        height, width = size
        border = np.array([width, height], np.float32) + np.float32(self.straddle_thresh)
        inside = (anchors[:, :2] >= -self.straddle_thresh).all(axis=1) & (anchors[:, 2:] <= border).all(axis=1)
        return np.asarray(inside, np.bool_)


def base_anchors(stride: float, sizes: Sequence[float], aspect_ratios: Sequence[float], rounded: bool) -> Array:
    """Return the anchors (A, 4) float32 at the first place of a map: ratio by ratio, and for each the sizes in order.

    See :class:`AnchorGenerator`.
    """
    ratios = np.asarray(aspect_ratios, np.float64)
    widths = np.sqrt(stride**2 / ratios)
    if rounded:
        widths = np.maximum(np.round(widths), 1)
        heights = np.maximum(np.round(widths * ratios), 1)
    else:
        heights = widths * ratios
    scales = np.asarray(sizes, np.float64) / stride
    half = (np.stack([widths, heights], axis=1)[:, None] * scales[:, None] / 2).reshape(-1, 2)
    return np.concatenate([stride / 2 - half, stride / 2 + half], axis=1).astype(np.float32)


class Matcher:
    """Says which truth an anchor stands for: the one it overlaps most, if by enough.

    Args:
        high: From this overlap on an anchor stands for its truth.
        low: Below this it is background; between the two it is neither.
        allow_low_quality_matches: The anchors that overlap a truth most, if at all, stand for the truth that they
            overlap most, however little: so hardly a truth is left without.

    Attributes:
        BETWEEN: What a match is called that is neither.
        BELOW: What background is called.

    Raises:
        ConfigError: Unless 0 ≤ low ≤ high ≤ 1.

    Source:
        Ren et al., Faster R-CNN, NIPS 2015, §3.1.2.
    """

    BETWEEN = -1
    BELOW = -2

    def __init__(self, high: float = 0.7, low: float = 0.3, allow_low_quality_matches: bool = True) -> None:
        if not 0 <= low <= high <= 1:
            raise ConfigError(f"Matcher needs 0 <= low <= high <= 1. Received: low {low}, high {high}")
        self.high, self.low, self.allow_low_quality_matches = high, low, allow_low_quality_matches

    def __call__(self, quality: Array) -> Indices:
        """Return for each anchor the index of its truth, or ``BETWEEN`` or ``BELOW``.

        Args:
            quality: (truths, anchors), overlaps.

        Returns:
            (anchors,) int64.
        """
        return self._match([quality], quality.shape[1])

    def match(self, truths: Array, anchors: Array) -> Indices:
        """Return the same for boxes (M, 4) and anchors (N, 4); of thousands of truths a part at a time."""
        rows = max(1, _BLOCK_VALUES // max(len(anchors), 1))
        blocks = (box_iou(truths[start : start + rows], anchors) for start in range(0, len(truths), rows))
        return self._match(blocks, len(anchors))

    def _match(self, blocks: Iterable[Array], count: int) -> Indices:
        best, found = np.zeros(count, np.float32), np.full(count, self.BELOW, np.int64)
        wanted = np.zeros(count, np.bool_)
        begin = 0
        for quality in blocks:
            if quality.size:
                own = quality.argmax(axis=0)
                overlap = quality[own, np.arange(count)]
                better = overlap > best
                best[better], found[better] = overlap[better], own[better] + begin
                most = quality.max(axis=1, keepdims=True)
                wanted |= ((quality == most) & (most > 0)).any(axis=0)
            begin += len(quality)
        matched = np.where(best >= self.high, found, np.where(best < self.low, self.BELOW, self.BETWEEN))
        matched[found < 0] = self.BELOW
        if self.allow_low_quality_matches:
            matched[wanted] = found[wanted]
        return np.asarray(matched, np.int64)

    @staticmethod
    def labels(matched: Indices) -> Indices:
        """Return 1 where an anchor stands for a truth, 0 where for background, -1 where for neither, (N,) int64."""
        return np.where(matched >= 0, 1, np.where(matched == Matcher.BELOW, 0, -1)).astype(np.int64)


class BalancedPositiveNegativeSampler:
    """Draws the anchors of an image that are learnt from.

    Args:
        batch_size_per_image: How many; fewer only where there are no more.
        positive_fraction: The largest share of positive ones; negative ones fill what is missing.

    Raises:
        ConfigError: If the number is below 1, or the share not from 0 to 1.

    Source:
        Ren et al., Faster R-CNN, NIPS 2015, §3.1.3.
    """

    def __init__(self, batch_size_per_image: int = 256, positive_fraction: float = 0.5) -> None:
        if batch_size_per_image < 1 or not 0 <= positive_fraction <= 1:
            raise ConfigError(
                "BalancedPositiveNegativeSampler needs batch_size_per_image >= 1 and positive_fraction from 0 to 1. "
                f"Received: {batch_size_per_image}, {positive_fraction}"
            )
        self.batch_size_per_image, self.positive_fraction = batch_size_per_image, positive_fraction

    def __call__(self, labels: Indices, rng: np.random.Generator) -> tuple[Indices, Indices]:
        """Return which are drawn of the positive and of the negative ones, each ascending int64.

        Args:
            labels: (N,), 1 positive, 0 negative, -1 neither.
            rng: Of the sample, so that what is drawn depends on nothing else.
        """
        positive, negative = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
        count = min(len(positive), int(self.batch_size_per_image * self.positive_fraction))
        rest = min(len(negative), self.batch_size_per_image - count)
        drawn = rng.choice(positive, count, replace=False), rng.choice(negative, rest, replace=False)
        return np.sort(drawn[0]), np.sort(drawn[1])


def without_ignored(labels: Indices, rects: Array, ignored: Array) -> Indices:
    """Return *labels* (N,) of boxes (N, 4) with -1 for background of which at least half lies in an ignored box."""
    for region in ignored:
        covered = intersections(region[None], rects)[0] >= _COVERED * np.maximum(box_areas(rects), np.float32(1e-6))
        labels = np.where((labels == 0) & covered, -1, labels)
    return labels
