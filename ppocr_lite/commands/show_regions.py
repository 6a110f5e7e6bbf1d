"""What a two-stage detector learns from a page, drawn: the truth, the anchors by their label, and the masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from ppocr_lite import visualize
from ppocr_lite.config import Config
from ppocr_lite.geometry import (
    AnchorGenerator,
    BalancedPositiveNegativeSampler,
    BoxCoder,
    Matcher,
    RegionTruth,
    label_anchors,
    mask_in_box,
    paste_mask,
)
from ppocr_lite.io.images import Image

TEXT, BACKGROUND, IGNORED = (20, 160, 20), (30, 30, 190), (150, 150, 150)  # BGR
_SHOWN = 40  # anchors of background, of the hundreds that are drawn for learning
_SIDE = 28  # cells of a mask


def anchor_settings(config: Config) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Return the arguments of the anchors and of the loss of proposals; None of a config without such."""
    head = ((config.Architecture or {}).get("Head")) or {}
    if "anchors" not in head:
        return None
    return head["anchors"], dict((config.Loss or {}).get("rpn") or {})


def draw_regions(image: Image, truth: RegionTruth, settings: tuple[Mapping[str, Any], Mapping[str, Any]]) -> Image:
    """Return three pictures of *image* side by side.

    Args:
        image: BGR (H, W, 3).
        truth: Of it.
        settings: As :func:`anchor_settings` gives them.

    Returns:
        The boxes of text, and in gray those that are ignored; the anchors that are learnt from, text in green and some
        of the background in red; the masks, as the cells of each box know them.
    """
    boxes = visualize.draw_polygons(image, [corners(rect) for rect in truth.ignored], IGNORED)
    boxes = visualize.draw_polygons(boxes, [corners(rect) for rect in truth.rects], TEXT)
    given, loss = settings
    generator = AnchorGenerator(**given)
    shapes = [(-(-truth.size[0] // stride), -(-truth.size[1] // stride)) for stride in generator.strides]
    anchors = np.concatenate(generator.grid(shapes))
    limits = {name: loss[name] for name in ("high", "low") if name in loss}
    sizes = {name: loss[name] for name in ("batch_size_per_image", "positive_fraction") if name in loss}
    index, labels, _ = label_anchors(
        anchors,
        generator.visible(anchors, truth.size),
        truth,
        Matcher(**limits),
        BalancedPositiveNegativeSampler(**sizes),
        BoxCoder(),
    )
    text, rest = anchors[index[labels == 1]], anchors[index[labels == 0]]
    learnt = visualize.draw_polygons(
        image, [corners(rect) for rect in rest[:: max(1, len(rest) // _SHOWN)]], BACKGROUND
    )
    learnt = visualize.draw_polygons(learnt, [corners(rect) for rect in text], TEXT)
    plane = np.zeros(image.shape[:2], np.float32)
    for rect, outline in zip(truth.rects, truth.outlines, strict=True):
        part, (x, y) = paste_mask(mask_in_box(outline, rect, _SIDE), rect, truth.size)
        rows, columns = slice(y, y + part.shape[0]), slice(x, x + part.shape[1])
        plane[rows, columns] = np.maximum(plane[rows, columns], part)
    return cv2.hconcat(
        [
            visualize.titled(boxes, f"{len(truth.rects)} texts, {len(truth.ignored)} ignored"),
            visualize.titled(learnt, f"anchors: {len(text)} text, {len(rest)} background"),
            visualize.titled(visualize.draw_map(image, plane), f"masks of {_SIDE} x {_SIDE} cells"),
        ]
    ).astype(np.uint8)


def corners(rect: Any) -> Any:
    """Return the corners (4, 2) float32 of an upright box (4,)."""
    x0, y0, x1, y1 = rect
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
