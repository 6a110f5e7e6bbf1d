"""What a detector of regions learns from one page, and masks of boxes: from outlines, and back onto the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry.anchors import BalancedPositiveNegativeSampler, Indices, Matcher, without_ignored
from ppocr_lite.geometry.boxes import BoxCoder
from ppocr_lite.geometry.polygons import Array, fill

_PARTS = 4  # of a cell in each direction, to tell how much of it is text
_STAGE = 0  # of the seed: the second stage of a detector draws with another


@dataclass(frozen=True, eq=False)
class RegionTruth:
    """The texts of one image.

    Attributes:
        rects: (M, 4) float32, upright boxes with an area, inside the image.
        outlines: For each the outline of the text, (P, 2) float32.
        ignored: (K, 4) float32, boxes of what is neither text nor background.
        size: (height, width) of the image, before any padding.
        seed: Decides what is drawn for learning.
    """

    rects: Array
    outlines: tuple[Array, ...]
    ignored: Array
    size: tuple[int, int]
    seed: int = 0

    def __eq__(self, other: object) -> bool:
        """Say whether both have the same numbers."""
        if not isinstance(other, RegionTruth):
            return NotImplemented
        pairs = zip(self._arrays(), other._arrays(), strict=False)
        rest = (self.size, self.seed, len(self.outlines)) == (other.size, other.seed, len(other.outlines))
        return rest and all(np.array_equal(mine, its) for mine, its in pairs)

    __hash__ = None  # type: ignore[assignment]

    def _arrays(self) -> tuple[Array, ...]:
        return (self.rects, self.ignored, *self.outlines)


def label_anchors(
    anchors: Array,
    visible: NDArray[np.bool_],
    truth: RegionTruth,
    matcher: Matcher,
    sampler: BalancedPositiveNegativeSampler,
    coder: BoxCoder,
) -> tuple[Indices, Indices, Array]:
    """Return what is learnt from the anchors of an image: each is matched with the truth, and some are drawn.

    Args:
        anchors: (N, 4), of all levels.
        visible: (N,), of which alone anything is learnt.
        truth: Of the image.
        matcher: Says which anchor stands for a text.
        sampler: Draws some.
        coder: Of the offsets.

    Returns:
        Which anchors are drawn (S,), text first; their labels (S,), 1 or 0; the offsets of their texts (S, 4), 0 for
        background.
    """
    places = np.flatnonzero(visible)
    seen = anchors[places]
    matched = matcher.match(truth.rects, seen)
    labels = without_ignored(Matcher.labels(matched), seen, truth.ignored)
    positive, negative = sampler(labels, np.random.default_rng((truth.seed, _STAGE)))
    offsets = np.zeros((len(positive) + len(negative), 4), np.float32)
    offsets[: len(positive)] = coder.encode(truth.rects[matched[positive]], seen[positive])
    chosen = np.concatenate([positive, negative])
    return places[chosen], (np.arange(len(chosen)) < len(positive)).astype(np.int64), offsets


def mask_in_box(outline: Array, rect: Array, side: int) -> Array:
    """Return which cells of *rect* (4,), cut into *side* by *side*, lie in *outline* (P, 2) by at least half.

    Returns:
        (side, side) float32 of zeros and ones.
    """
    parts = side * _PARTS
    scale = np.float32(parts) / np.maximum(rect[2:] - rect[:2], np.float32(1e-3))
    mask = np.zeros((parts, parts), np.float32)
    # No coordinate far outside: what is cut off there changes nothing inside.
    placed = np.clip((outline - rect[:2]) * scale - np.float32(0.5), -1e4, 1e4)
    fill(mask, [np.asarray(placed, np.float32)], 1.0)
    shares = mask.reshape(side, _PARTS, side, _PARTS).mean(axis=(1, 3))
    return np.asarray(shares >= 0.5, np.float32)


def paste_mask(mask: Array, rect: Array, size: Sequence[int]) -> tuple[Array, tuple[int, int]]:
    """Return the mask of a box as pixels of the page, between its cells interpolated, and 0 beyond them.

    The centre of the pixel in column x is at x + 0.5, and cell j of M has its own at ``x0 + (j + 0.5) (x1 - x0) / M``.

    Args:
        mask: (M, M), from 0 to 1.
        rect: x0, y0, x1, y1, with an area.
        size: (height, width) of the page; of a box outside it nothing is left.

    Returns:
        The part of the page that the box covers, (h, w) float32, and the (x, y) of its first pixel.
    """
    height, width = size
    x0, y0 = np.clip(np.floor(rect[:2]), 0, (width, height)).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(rect[2:]), 0, (width, height)).astype(int).tolist()
    if x1 <= x0 or y1 <= y0:
        return np.zeros((0, 0), np.float32), (x0, y0)
    columns = _cells(np.arange(x0, x1), rect[0], rect[2], mask.shape[1])
    rows = _cells(np.arange(y0, y1), rect[1], rect[3], mask.shape[0])
    return np.asarray(rows @ mask @ columns.T, np.float32), (x0, y0)


def _cells(pixels: NDArray[np.int64], low: float, high: float, count: int) -> Array:
    """Return how much each of *count* cells counts for each pixel of a row, (pixels, count): a linear interpolation."""
    place = (pixels + 0.5 - low) * (count / (high - low)) - 0.5
    return np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(count))).astype(np.float32)


def largest_outline(mask: NDArray[np.bool_]) -> Array | None:
    """Return the outline (P, 2) float32 of the largest connected part of *mask* (H, W), in its pixels; None of none."""
    contours, _ = cv2.findContours(np.asarray(mask, np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    return np.asarray(max(contours, key=cv2.contourArea)[:, 0], np.float32)
