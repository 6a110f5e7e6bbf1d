"""The region proposal network: which anchors may hold text, and the boxes they become.

Source:
    Ren et al., Faster R-CNN, NIPS 2015.
"""

from __future__ import annotations

from collections.abc import Sequence

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import AnchorGenerator, BoxCoder
from ppocr_lite.modeling.regions import boxes

_STD = 0.01


def small_normal() -> nn.ParamAttr:
    """Return how what predicts starts: near 0, so that boxes start at their anchors."""
    return nn.ParamAttr(initializer=nn.Normal(0.0, _STD))


class RPNHead(nn.Layer):
    """A 3×3 convolution, and from it for each anchor of each place how likely it holds text, and its offsets.

    Args:
        in_channels: Channels of every level.
        per_place: Anchors of a place, A.

    Shape:
        levels (N, in_channels, H, W) → for each the logits (N, A, H, W) and the offsets (N, 4 A, H, W)
    """

    def __init__(self, in_channels: int, per_place: int) -> None:
        super().__init__()
        self.conv = nn.Conv2D(in_channels, in_channels, 3, padding=1, weight_attr=small_normal())
        self.objectness = nn.Conv2D(in_channels, per_place, 1, weight_attr=small_normal())
        self.regression = nn.Conv2D(in_channels, 4 * per_place, 1, weight_attr=small_normal())

    def forward(self, levels: Sequence[nn.Tensor]) -> tuple[list[nn.Tensor], list[nn.Tensor]]:
        """See *Shape* of the class."""
        hidden = [nn.relu(self.conv(level)) for level in levels]
        return [self.objectness(x) for x in hidden], [self.regression(x) for x in hidden]


class RPNPostProcess(nn.Layer):
    """Decode, clip, drop the small, take the best of each level, suppress, take the best of all.

    Args:
        anchors: Of the levels.
        pre_nms_top_n: Boxes of a level that are looked at.
        post_nms_top_n: Boxes that stay of all levels.
        nms_thresh: Of two boxes of a level that overlap by more the better one stays.
        min_size: A box with a smaller side is dropped, pixels.

    Raises:
        ConfigError: If a number is below 1, or the threshold not from 0 to 1.

    Shape:
        logits, offsets (as of :class:`RPNHead`), limits (N, 1, 4) → boxes (N, post_nms_top_n, 4), the best first, and
        their scores (N, post_nms_top_n), 0 where there is no box
    """

    def __init__(
        self,
        anchors: AnchorGenerator,
        pre_nms_top_n: int = 500,
        post_nms_top_n: int = 200,
        nms_thresh: float = 0.7,
        min_size: float = 0.0,
    ) -> None:
        super().__init__()
        if min(pre_nms_top_n, post_nms_top_n) < 1 or not 0 <= nms_thresh <= 1:
            raise ConfigError(
                "RPNPostProcess needs pre_nms_top_n and post_nms_top_n >= 1 and nms_thresh from 0 to 1. "
                f"Received: {pre_nms_top_n}, {post_nms_top_n}, {nms_thresh}"
            )
        self.pre_nms_top_n, self.post_nms_top_n = pre_nms_top_n, post_nms_top_n
        self.nms_thresh, self.min_size = nms_thresh, min_size
        self.coder = BoxCoder()
        self.steps = [float(step) for step in anchors.steps]
        for level, base in enumerate(anchors.base):
            self.register_buffer(f"base_{level}", nn.to_tensor(base), persistable=False)

    def forward(
        self, objectness: Sequence[nn.Tensor], regression: Sequence[nn.Tensor], limits: nn.Tensor
    ) -> tuple[nn.Tensor, nn.Tensor]:
        """See *Shape* of the class."""
        rects, scores = [], []
        for level in range(len(objectness)):
            found = self._level(level, objectness[level], regression[level], limits)
            rects.append(found[0])
            scores.append(found[1])
        score, index = boxes.best(nn.concat(scores, axis=1), self.post_nms_top_n)
        return boxes.take_rows(nn.concat(rects, axis=1), index), score

    def _level(
        self, level: int, objectness: nn.Tensor, regression: nn.Tensor, limits: nn.Tensor
    ) -> tuple[nn.Tensor, nn.Tensor]:
        """Return the boxes (N, pre_nms_top_n, 4) of one level and their scores, those that are suppressed 0."""
        objectness, regression = nn.cast(objectness, "float32"), nn.cast(regression, "float32")
        logits = by_anchor(objectness, 1).flatten(1)  # (N, H W A)
        score, index = boxes.best(nn.sigmoid(logits), self.pre_nms_top_n)
        deltas = boxes.take_rows(by_anchor(regression, boxes.COLUMNS), index)
        rects = boxes.clip(boxes.decode(deltas, self._anchors(level, index, objectness), self.coder), limits)
        sides = nn.minimum(rects[:, :, 2] - rects[:, :, 0], rects[:, :, 3] - rects[:, :, 1])
        score = score * nn.cast(sides > self.min_size, "float32")
        return rects, boxes.suppress(rects, score, self.nms_thresh)

    def _anchors(self, level: int, index: nn.Tensor, like: nn.Tensor) -> nn.Tensor:
        """Return those anchors (N, K, 4) of the grid of a map (N, A, H, W) that *index* (N, K) says.

        The grid is that of :func:`~ppocr_lite.geometry.grid_anchors`. Indices are computed with as floats, which hold
        whole numbers up to 16 million exactly; the half keeps quotients away from where rounding would decide.
        """
        base = getattr(self, f"base_{level}")
        flat, count, columns = nn.cast(index, "float32"), float(base.shape[0]), nn.length(like, 3)
        place = ((flat + 0.5) / count).floor()
        row = ((place + 0.5) / columns).floor()
        own = nn.cast(flat - place * count, "int64").flatten()
        anchors = nn.index_select(base, own, 0).reshape([-1, self.pre_nms_top_n, boxes.COLUMNS])
        x, y = (shift.unsqueeze(2) * self.steps[level] for shift in (place - row * columns, row))
        return anchors + nn.concat([x, y, x, y], axis=2)


def by_anchor(x: nn.Tensor, columns: int) -> nn.Tensor:
    """Return (N, A columns, H, W) as (N, H W A, columns): in the order of the anchors of a grid."""
    values = nn.transpose(x, [0, 2, 3, 1]).flatten(1, 2)  # (N, H W, A columns)
    return nn.split_last(values, [-1, columns]).flatten(1, 2)
