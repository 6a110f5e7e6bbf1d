"""What CTPN learns from a page, drawn: the anchors that are drawn for learning, by their label."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ppocr_lite import visualize
from ppocr_lite.commands.show_regions import BACKGROUND, TEXT
from ppocr_lite.io.images import Image
from ppocr_lite.transforms.base import Sample
from ppocr_lite.transforms.ctpn_targets import MakeCTPNTargets


def draw_columns(image: Image, sample: Sample, step: MakeCTPNTargets) -> Image:
    """Return two pictures of *image* side by side.

    Args:
        image: BGR (H, W, 3).
        sample: What *step* made of it.
        step: Says where the anchors are.

    Returns:
        The anchors of text in green and those of background in red; and for each anchor of text the box that it says
        the text has in its column.
    """
    labels, (centre, growth) = sample["anchor_labels"], sample["anchor_vertical"]
    anchor, row, column = np.nonzero(labels >= 0)
    size, middle = step.heights[anchor], (row + 0.5) * step.stride
    place = (anchor, row, column)
    boxes = _boxes(column, middle, size, step.stride)
    said = _boxes(column, middle + centre[place] * size, np.exp(growth[place]) * size, step.stride)
    text = labels[place] == 1
    anchors = visualize.draw_polygons(image, boxes[~text], BACKGROUND)
    anchors = visualize.draw_polygons(anchors, boxes[text], TEXT)
    panels = [
        visualize.titled(anchors, f"anchors: {text.sum()} text, {(~text).sum()} background"),
        visualize.titled(visualize.draw_polygons(image, said[text], TEXT), "what those of text say"),
    ]
    return np.asarray(cv2.hconcat(panels), np.uint8)


def _boxes(column: Any, middle: Any, height: Any, width: int) -> Any:
    """Return the corners of boxes one column wide, (N, 4, 2) float32."""
    x0, y0 = column * width, middle - height / 2
    x1, y1 = x0 + width, y0 + height
    return np.stack([np.stack(c, axis=1) for c in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))], axis=1).astype(np.float32)
