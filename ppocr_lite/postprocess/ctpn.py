"""What CTPN says of its anchors → quads around lines of text."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry.boxes import LARGEST_GROWTH
from ppocr_lite.geometry.columns import COLUMN, check_anchors, nms_in_columns
from ppocr_lite.geometry.polygons import Array
from ppocr_lite.geometry.text_lines import follow, line_quads, number_lines
from ppocr_lite.postprocess.base import POSTPROCESSES
from ppocr_lite.results import Detections

logger = logging.getLogger(__name__)


@POSTPROCESSES.register
class CTPNPostProcess:
    """Decode the anchors that are text, keep the best of those on one place, and join them to lines.

    Args:
        heights: Of the anchors at each place, pixels; those that the network was trained with.
        stride: Pixels from one place of the map to the next; the width of an anchor.
        thresh: An anchor above this probability is text.
        nms_thresh: Of two boxes in a column that overlap by more (intersection over union) the better one stays.
        max_proposals: Anchors of text looked at per million pixels, and at least so many, the surest first; a warning
            says if there are more.
        max_distance: Between the left sides of two neighbours in a line, pixels.
        min_overlap: Least height that two neighbours share, as a share of the lower one's.
        min_similarity: Least height of the lower one of two neighbours, as a share of the higher one's.
        min_boxes: A line of fewer boxes is dropped.
        box_thresh: A line whose mean probability is below this is dropped.
        side_refinement: Move the ends of a line to where its outermost boxes say that it ends.

    Raises:
        ConfigError: If a probability or a share is not from 0 to 1, or a number not above 0.

    Source:
        Tian et al., Connectionist Text Proposal Network, ECCV 2016, §3.2 and §3.3.
    """

    def __init__(
        self,
        heights: list[float] | None = None,
        stride: int = COLUMN,
        thresh: float = 0.7,
        nms_thresh: float = 0.3,
        max_proposals: int = 10_000,
        max_distance: float = 50.0,
        min_overlap: float = 0.7,
        min_similarity: float = 0.7,
        min_boxes: int = 1,
        box_thresh: float = 0.7,
        side_refinement: bool = True,
    ) -> None:
        self.heights = check_anchors("CTPNPostProcess", heights, stride)
        shares = (thresh, nms_thresh, min_overlap, min_similarity, box_thresh)
        if min(shares) < 0 or max(shares) > 1 or min(max_proposals, min_boxes, max_distance) <= 0:
            raise ConfigError(
                "CTPNPostProcess needs thresh, nms_thresh, min_overlap, min_similarity and box_thresh from 0 to 1, and "
                f"max_proposals, min_boxes and max_distance above 0. Received: {shares}, {max_proposals}, {min_boxes}, "
                f"{max_distance}"
            )
        self.stride, self.thresh, self.nms_thresh, self.max_proposals = stride, thresh, nms_thresh, max_proposals
        self.max_distance, self.min_overlap, self.min_similarity = max_distance, min_overlap, min_similarity
        self.min_boxes, self.box_thresh, self.side_refinement = min_boxes, box_thresh, side_refinement

    def output_shape(self, size: tuple[int, int]) -> tuple[int, ...]:
        """Return what a network must return for one image of *size* (height, width), multiples of the stride."""
        return 1, 4 * len(self.heights), size[0] // self.stride, size[1] // self.stride

    def __call__(self, anchors: NDArray[Any]) -> Detections:
        """Return the lines of one image, in pixels of the network's input; they may reach past its border.

        Args:
            anchors: (1, 4 A, h, w), as :class:`~ppocr_lite.modeling.CTPNHead` predicts it.

        Raises:
            ValueError: If *anchors* is not of one image, or of other anchors.
        """
        if anchors.ndim != 4 or anchors.shape[:2] != (1, 4 * len(self.heights)):
            raise ValueError(f"Expected (1, {4 * len(self.heights)}, h, w). Received: {anchors.shape}")
        rects, scores, ends = self.proposals(anchors)
        kept = nms_in_columns(rects, scores, self.nms_thresh)
        rects, scores, ends = rects[kept], scores[kept], ends[kept]
        after = follow(rects, scores, self.max_distance, self.min_overlap, self.min_similarity)
        lines = number_lines(after)
        count = np.bincount(lines)
        means = np.bincount(lines, scores) / np.maximum(count, 1)
        quads = line_quads(rects, lines, ends if self.side_refinement else None)
        sure = np.flatnonzero((means >= self.box_thresh) & (count >= self.min_boxes))
        return Detections(list(quads[sure]), means[sure].tolist())

    def proposals(self, anchors: NDArray[Any]) -> tuple[Array, Array, Array]:
        """Return the anchors of text: boxes (N, 4), probabilities (N,), and x where the text ends (N,), float32."""
        count, (rows, columns) = len(self.heights), anchors.shape[2:]
        score, centre, growth, side = anchors[0].reshape(4, count, rows, columns).astype(np.float32)
        place = self._text(score)
        anchor, row, column = place
        size = self.heights[anchor]
        middle = (row + np.float32(0.5)) * self.stride + centre[place] * size
        half = np.exp(np.clip(growth[place], -LARGEST_GROWTH, LARGEST_GROWTH)) * size / 2
        x = column.astype(np.float32) * self.stride
        rects = np.stack([x, middle - half, x + self.stride, middle + half], axis=1).astype(np.float32)
        rects[:, 1::2] = np.clip(rects[:, 1::2], 0, rows * self.stride)
        ends = x + (side[place] + np.float32(0.5)) * self.stride
        return rects, score[place], ends.astype(np.float32)

    def _text(self, score: Array) -> tuple[NDArray[np.int64], ...]:
        """Return where in *score* (A, h, w) text is."""
        place = np.nonzero(score > self.thresh)
        pixels = score.shape[1] * score.shape[2] * self.stride**2
        most = round(self.max_proposals * max(1.0, pixels / 1e6))
        if len(place[0]) > most:
            logger.warning("%d anchors are text, of which the surest %d are looked at.", len(place[0]), most)
            best = np.sort(np.argsort(-score[place], kind="stable")[:most])
            place = tuple(axis[best] for axis in place)
        return place
