"""Reading the lines of a page a second time, another way: what both readings agree on is seldom wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from ppocr_lite.geometry import min_area_quad, move_sides, side_lengths
from ppocr_lite.io.images import Image
from ppocr_lite.predict.crop import crop_line, turn
from ppocr_lite.textline import Points

BORDER = 0.1  # how far the second look reaches beyond a line on every side, as a share of its height
# Line images → the text and the score of each.
LineReader = Callable[[list[Image]], Sequence[tuple[str, float]]]


def read_regions(
    image: Image, polygons: Sequence[Points], read: LineReader, angles: Sequence[int] = (), border: float = 0.0
) -> list[str]:
    """Return what *read* reads in regions of a page.

    Args:
        image: BGR uint8 (H, W, 3).
        polygons: Each (P, 2), pixels.
        read: Reads line images.
        angles: By how much each line is turned, 0 or 180; none if no line is.
        border: How far the look reaches beyond each line on every side, as a share of its height.
    """
    crops = []
    for index, polygon in enumerate(polygons):
        quad = np.asarray(polygon if len(polygon) == 4 else min_area_quad(polygon), np.float32)
        outwards = np.full((1, 4), border * min(side_lengths(quad)))
        crop = crop_line(image, move_sides(quad[None], outwards)[0] if border else quad)
        crops.append(turn(crop, angles[index]) if angles else crop)
    return [text for text, _ in read(crops)] if crops else []


def with_border(line: Image, border: float = BORDER) -> Image:
    """Return a line image with its edges carried outwards by *border* of its height on every side."""
    pixels = max(1, round(border * line.shape[0]))
    return np.asarray(cv2.copyMakeBorder(line, *[pixels] * 4, cv2.BORDER_REPLICATE), np.uint8)
