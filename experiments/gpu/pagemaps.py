"""The targets of a detector, drawn once a page and moved with it afterwards.

The distance by which DB shrinks a polygon grows with the polygon, so a page that is scaled, turned or mirrored together
with its maps has the maps that would have been drawn for it.  What is too small to be learnt depends on the final size;
a layer with the height of the text at each pixel decides that when the crop is made.
"""

from __future__ import annotations

import numpy as np

from ppocr_lite import geometry
from ppocr_lite.transforms.det_targets import MakeBorderMap, MakeShrinkMap

IGNORED = 255  # in the layer of heights
BORDER, SHRINK = MakeBorderMap(), MakeShrinkMap(min_text_size=2)


def page_layers(image: np.ndarray, polygons: list[np.ndarray], ignored: list[bool]) -> np.ndarray:
    """Return (H, W, 6) uint8: the picture (BGR), threshold, text, height.

    threshold: 0 where it is not learnt, else 1 to 255 for 0 to 1. text: 255 in the shrunk polygons. height: of the text
    at a pixel, 1 to 254; 0 beside text, 255 where nothing is learnt.
    """
    sample = {"image": image, "polys": polygons, "ignore_tags": np.array(ignored, bool), "texts": [""] * len(polygons)}
    sample = SHRINK(BORDER(sample))
    layers = np.zeros((*image.shape[:2], 6), np.uint8)
    layers[..., :3] = image
    known = sample["threshold_mask"] > 0
    layers[..., 3][known] = np.clip(np.round(1 + sample["threshold_map"][known] * 254), 1, 255)
    layers[..., 4][sample["shrink_map"] > 0.5] = 255
    heights = np.zeros(image.shape[:2], np.float32)
    for polygon in polygons:
        quad = geometry.min_area_quad(np.asarray(polygon, np.float32))
        height = float(np.clip(min(geometry.side_lengths(quad)), 1, 254))
        geometry.fill(heights, [np.asarray(polygon, np.float32)], height)
    layers[..., 5] = np.round(heights)
    layers[..., 5][sample["shrink_mask"] < 0.5] = IGNORED
    return layers
