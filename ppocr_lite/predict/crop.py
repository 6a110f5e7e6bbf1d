"""Cut a text line out of a page, upright as far as its shape tells."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry import min_area_quad, side_lengths
from ppocr_lite.results import Points

TALL = 1.5  # a crop this many times taller than wide is a line written downwards (PP-OCR 2.x)
# Lines of fewer pixels are sampled with a cubic kernel; on taller ones it reads no better than a linear one, which
# takes half the time.  See doc/benchmarks.md.
SMALL_PX = 40


def crop_line(image: NDArray[Any], polygon: Points, max_height: int | None = None) -> NDArray[np.uint8]:
    """Straighten the region of *polygon* into a rectangle of its own size, or a smaller one.

    Args:
        image: (H, W, 3) uint8.
        polygon: (P, 2) float32, (x, y) pixels. Four points are taken as the corners, clockwise from the top left;
            of more, the smallest enclosing rectangle is cut.
        max_height: A line taller than this many pixels is cut at this height, in the same step.

    Returns:
        (h, w, 3) uint8, at least 1 by 1; a region taller than 1.5 times its width is turned a quarter
        anticlockwise, so that a line written downwards lies on its side.
    """
    corners = polygon if len(polygon) == 4 else min_area_quad(polygon)
    width, height = (max(round(side), 1) for side in side_lengths(corners))
    downwards = height >= TALL * width
    line_height = width if downwards else height
    shrink = 1.0 if max_height is None else min(1.0, max_height / line_height)
    size = max(round(width * shrink), 1), max(round(height * shrink), 1)
    # pixels are counted at their centres: what lies at x in the line of its own size is at (x + 0.5) * ratio - 0.5
    ratio = np.array(size, np.float32) / np.array([width, height], np.float32)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), (target + 0.5) * ratio - 0.5)
    kernel = cv2.INTER_CUBIC if line_height < SMALL_PX else cv2.INTER_LINEAR
    crop = cv2.warpPerspective(image, matrix, size, flags=kernel, borderMode=cv2.BORDER_REPLICATE)
    if downwards:
        crop = cv2.rotate(crop, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return np.asarray(crop, np.uint8)


def turn(image: NDArray[np.uint8], angle: int) -> NDArray[np.uint8]:
    """Return *image* turned by 0 or 180 degrees."""
    return np.ascontiguousarray(image[::-1, ::-1]) if angle == 180 else image
