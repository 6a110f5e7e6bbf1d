"""Upright boxes: how far two overlap, which of several on one place stays, and boxes as offsets from others.

A box is (x0, y0, x1, y1) with x1 - x0 pixels between its sides, float32; several are (N, 4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry.polygons import Array

# The largest factor by which decoding may widen a box, so that no offset overflows: Faster R-CNN's 1000 / 16.
LARGEST_GROWTH = math.log(1000.0 / 16.0)


def box_areas(rects: Array) -> Array:
    """Return the area of each box (N, 4), (N,) float32; 0 for one whose sides are the wrong way round."""
    sides = np.maximum(rects[..., 2:] - rects[..., :2], np.float32(0))
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def intersections(first: Array, second: Array) -> Array:
    """Return the area that each box of *first* (M, 4) shares with each of *second* (N, 4), (M, N) float32."""
    area = np.maximum(np.minimum(first[:, None, 2], second[:, 2]) - np.maximum(first[:, None, 0], second[:, 0]), 0)
    area *= np.maximum(np.minimum(first[:, None, 3], second[:, 3]) - np.maximum(first[:, None, 1], second[:, 1]), 0)
    return np.asarray(area, np.float32)


def box_iou(first: Array, second: Array) -> Array:
    """Return intersection over union of each box of *first* (M, 4) with each of *second* (N, 4), (M, N) float32.

    0 where neither has an area.
    """
    shared = intersections(first, second)
    union = box_areas(first)[:, None] + box_areas(second) - shared
    return np.asarray(shared / np.maximum(union, np.float32(1e-9)), np.float32)


def nms(rects: Array, scores: Array, threshold: float) -> NDArray[np.int64]:
    """Return which boxes stay where of two that overlap by more than *threshold* the better one does.

    Args:
        rects: (N, 4) float32.
        scores: (N,) float32; of equal ones the earlier box is the better.
        threshold: Intersection over union.

    Returns:
        (K,) int64, the best first.
    """
    order = np.argsort(-scores, kind="stable")
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        order = rest[box_iou(rects[best : best + 1], rects[rest])[0] <= threshold]
    return np.asarray(kept, np.int64)


class BoxCoder:
    """Boxes as offsets from anchors, and back; each is the other's inverse.

    With an anchor of centre a, width w and height h, and a box of centre b, width u and height v, the offsets are
    ``((b.x - a.x) / w, (b.y - a.y) / h, log(u / w), log(v / h))``, each times its weight.

    Args:
        weights: Of the four offsets: larger ones ask the network for larger numbers, and count for more in the loss.
        clip: Largest offset of the logarithms that is decoded, before ``exp``.

    Raises:
        ConfigError: If a weight or *clip* is not above 0.

    Source:
        Girshick et al., Rich Feature Hierarchies, CVPR 2014, appendix C; the weights: Girshick, Fast R-CNN, ICCV 2015.
    """

    def __init__(
        self, weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0), clip: float = LARGEST_GROWTH
    ) -> None:
        if min(weights) <= 0 or clip <= 0:
            raise ConfigError(f"BoxCoder needs weights and clip above 0. Received: {weights}, {clip}")
        self.weights, self.clip = np.asarray(weights, np.float32), clip

    def encode(self, rects: Array, anchors: Array) -> Array:
        """Return the offsets of boxes (N, 4) from anchors (N, 4), both with an area, (N, 4) float32."""
        size, base = rects[:, 2:] - rects[:, :2], anchors[:, 2:] - anchors[:, :2]
        moved = (rects[:, :2] + size / 2 - anchors[:, :2] - base / 2) / base
        return np.asarray(np.concatenate([moved, np.log(size / base)], axis=1) * self.weights, np.float32)

    def decode(self, deltas: Array, anchors: Array) -> Array:
        """Return the boxes that lie by *deltas* (N, 4) from anchors (N, 4), (N, 4) float32."""
        base = anchors[:, 2:] - anchors[:, :2]
        deltas = deltas / self.weights
        half = np.exp(np.minimum(deltas[:, 2:], np.float32(self.clip))) * base / 2
        centre = anchors[:, :2] + base / 2 + deltas[:, :2] * base
        return np.asarray(np.concatenate([centre - half, centre + half], axis=1), np.float32)


def clip_boxes(rects: Array, size: Sequence[float]) -> Array:
    """Return boxes (N, 4) cut off at the border of an image of *size* (height, width)."""
    height, width = size
    return np.clip(rects, np.float32(0), np.array([width, height, width, height], np.float32))
