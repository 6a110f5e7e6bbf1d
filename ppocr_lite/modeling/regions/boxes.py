"""Boxes as tensors, in whatever a network is traced to: decoded, clipped, and thinned out where they overlap.

All have a fixed number of rows, so that nothing depends on values while a network is traced: a row whose score is 0
holds no box.
"""

from __future__ import annotations

from ppocr_lite import nn
from ppocr_lite.geometry import BoxCoder

# Looks at which box is suppressed by which. Two suffice unless a suppressed box would have suppressed another; each
# further one settles the next box of such a chain, and chains as long as this do not occur.
ROUNDS = 12
COLUMNS = 4


def decode(deltas: nn.Tensor, anchors: nn.Tensor, coder: BoxCoder) -> nn.Tensor:
    """Return the boxes that lie by *deltas* (N, K, 4) from *anchors* (N, K, 4), as :meth:`BoxCoder.decode`."""
    x, y, w, h = (float(weight) for weight in coder.weights)
    base_w, base_h = anchors[:, :, 2] - anchors[:, :, 0], anchors[:, :, 3] - anchors[:, :, 1]
    centre_x = anchors[:, :, 0] + base_w * 0.5 + deltas[:, :, 0] * base_w / x
    centre_y = anchors[:, :, 1] + base_h * 0.5 + deltas[:, :, 1] * base_h / y
    half_w = (deltas[:, :, 2] / w).clip(max=coder.clip).exp() * base_w * 0.5
    half_h = (deltas[:, :, 3] / h).clip(max=coder.clip).exp() * base_h * 0.5
    sides = [centre_x - half_w, centre_y - half_h, centre_x + half_w, centre_y + half_h]
    return nn.concat([side.unsqueeze(2) for side in sides], axis=2)


def clip(rects: nn.Tensor, limits: nn.Tensor) -> nn.Tensor:
    """Return boxes (N, K, 4) cut off at 0 and at *limits* (N, 1, 4): width, height, width, height."""
    return nn.minimum(rects.clip(min=0.0), limits)


def areas(rects: nn.Tensor) -> nn.Tensor:
    """Return the area of boxes (…, 4), (…)."""
    return (rects[..., 2] - rects[..., 0]) * (rects[..., 3] - rects[..., 1])


def take_rows(values: nn.Tensor, index: nn.Tensor) -> nn.Tensor:
    """Return rows *index* (N, K) of *values* (N, M, 4), (N, K, 4)."""
    return nn.take_along_axis(values, nn.concat([index.unsqueeze(2)] * COLUMNS, axis=2), 1)


def best(scores: nn.Tensor, count: int) -> tuple[nn.Tensor, nn.Tensor]:
    """Return the *count* largest of *scores* (N, M), each above 0, and where they are, both (N, count).

    Where there are fewer, the rest has the score 0 and some place.
    """
    none = scores[:, :1] * 0.0
    found, index = nn.topk(nn.concat([scores, *[none] * count], axis=1), count, axis=1)
    return found, nn.where(found > 0, index, nn.cast(found * 0.0, "int64"))


def suppress(rects: nn.Tensor, scores: nn.Tensor, threshold: float) -> nn.Tensor:
    """Return the scores with 0 where a better box that stays overlaps by more than *threshold*.

    Every round asks for each box whether a better one that stayed in the round before overlaps it. From the first box
    on, one after the other has its final answer, at least one a round, so this is the greedy suppression of
    :func:`~ppocr_lite.geometry.nms` as long as no chain of boxes is longer than :data:`ROUNDS`.

    Args:
        rects: (N, K, 4), the best first.
        scores: (N, K), 0 where there is no box.
        threshold: Intersection over union.
    """
    low = nn.maximum(rects.unsqueeze(2)[..., :2], rects.unsqueeze(1)[..., :2])
    high = nn.minimum(rects.unsqueeze(2)[..., 2:], rects.unsqueeze(1)[..., 2:])
    shared = (high - low).clip(min=0.0)
    shared = shared[..., 0] * shared[..., 1]  # (N, K, K)
    own = areas(rects)
    overlap = shared / (own.unsqueeze(2) + own.unsqueeze(1) - shared).clip(min=1e-9)
    rank = nn.arange(0, scores.shape[1], like=scores)
    better = nn.cast(rank.unsqueeze(1) < rank.unsqueeze(0), "float32").unsqueeze(0)
    beats = nn.cast(overlap > threshold, "float32") * better
    there = nn.cast(scores > 0, "float32").unsqueeze(1)  # (N, 1, K)
    stays = there
    for _ in range(ROUNDS):
        stays = there * nn.cast(nn.matmul(stays, beats) < 0.5, "float32")
    return scores * stays.squeeze(1)


def counts_of(rows: nn.Tensor) -> nn.Tensor:
    """Return for *rows* (N, K, …), as :func:`~ppocr_lite.nn.roi_align` wants it, how many each image has, (N,)."""
    return nn.cast(ones(rows[:, 0, 0]) * rows.shape[1], "int32")


def ones(x: nn.Tensor) -> nn.Tensor:
    """Return ones in the shape of *x*, finite numbers; ``ones_like`` warns where Paddle traces it."""
    return x * 0.0 + 1.0
