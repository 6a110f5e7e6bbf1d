"""The second look at a proposal: is it text, and where exactly."""

from __future__ import annotations

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import BoxCoder
from ppocr_lite.modeling.regions import boxes
from ppocr_lite.modeling.regions.proposals import small_normal

BACKGROUND, TEXT = 0, 1


class BoxHead(nn.Layer):
    """Two fully connected layers, and from them the scores of background and text, and the offsets of the box.

    Args:
        in_channels: Channels of the features.
        resolution: Cells of a box in each direction.
        channels: Of the two layers.

    Shape:
        (R, in_channels, resolution, resolution) → logits (R, 2), offsets (R, 4) from the proposal

    Source:
        Girshick, Fast R-CNN, ICCV 2015; two layers: Lin et al., Feature Pyramid Networks, CVPR 2017.
    """

    def __init__(self, in_channels: int, resolution: int = 7, channels: int = 1024) -> None:
        super().__init__()
        if channels < 1:
            raise ConfigError(f"BoxHead.channels must be at least 1. Received: {channels}")
        self.fc1 = nn.Linear(in_channels * resolution**2, channels)
        self.fc2 = nn.Linear(channels, channels)
        self.classes = nn.Linear(channels, 2, weight_attr=small_normal())
        self.regression = nn.Linear(channels, 4, weight_attr=nn.ParamAttr(initializer=nn.Normal(0.0, 0.001)))

    def forward(self, x: nn.Tensor) -> tuple[nn.Tensor, nn.Tensor]:
        """See *Shape* of the class."""
        x = nn.relu(self.fc2(nn.relu(self.fc1(x.flatten(1)))))
        return self.classes(x), self.regression(x)


class BoxPostProcess(nn.Layer):
    """Turn what a :class:`BoxHead` says of proposals into boxes: score threshold, suppression, at most so many.

    Args:
        coder: As the offsets were learnt.
        score_thresh: A box that is text with less probability is dropped.
        nms_thresh: Of two boxes that overlap by more the better one stays.
        max_detections: Boxes that stay.

    Raises:
        ConfigError: If a threshold is not from 0 to 1, or *max_detections* below 1.

    Shape:
        logits (N K, 2), offsets (N K, 4), proposals (N, K, 4), their scores (N, K), limits (N, 1, 4) → boxes
        (N, max_detections, 4), the best first, and their probabilities (N, max_detections), 0 where there is none
    """

    def __init__(
        self, coder: BoxCoder, score_thresh: float = 0.05, nms_thresh: float = 0.5, max_detections: int = 100
    ) -> None:
        super().__init__()
        if not (0 <= score_thresh <= 1 and 0 <= nms_thresh <= 1) or max_detections < 1:
            raise ConfigError(
                "BoxPostProcess needs score_thresh and nms_thresh from 0 to 1 and max_detections >= 1. "
                f"Received: {score_thresh}, {nms_thresh}, {max_detections}"
            )
        self.coder, self.score_thresh, self.nms_thresh = coder, score_thresh, nms_thresh
        self.max_detections = max_detections

    def forward(
        self, logits: nn.Tensor, deltas: nn.Tensor, proposals: nn.Tensor, found: nn.Tensor, limits: nn.Tensor
    ) -> tuple[nn.Tensor, nn.Tensor]:
        """See *Shape* of the class."""
        count = proposals.shape[1]
        score = nn.softmax(logits, axis=1)[:, TEXT].reshape([-1, count])
        score = score * nn.cast(nn.logical_and(found > 0, score >= self.score_thresh), "float32")
        rects = boxes.decode(deltas.reshape([-1, count, boxes.COLUMNS]), proposals, self.coder)
        rects = boxes.clip(rects, limits)
        score = score * nn.cast(boxes.areas(rects) > 0, "float32")
        score, order = boxes.best(score, count)
        rects = boxes.take_rows(rects, order)
        score, index = boxes.best(boxes.suppress(rects, score, self.nms_thresh), self.max_detections)
        return boxes.take_rows(rects, index), score
