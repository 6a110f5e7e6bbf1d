"""Cut a text line out of a page, upright as far as its shape tells."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry import min_area_quad, side_lengths
from ppocr_lite.results import Points

TALL = 1.5  # a crop this many times taller than wide is a line written downwards (PP-OCR 2.x)


def crop_line(image: NDArray[Any], polygon: Points) -> NDArray[np.uint8]:
    """Straighten the region of *polygon* into a rectangle of its own size.

    Args:
        image: (H, W, 3) uint8.
        polygon: (P, 2) float32, (x, y) pixels. Four points are taken as the corners, clockwise from the top left;
            of more, the smallest enclosing rectangle is cut.

    Returns:
        (h, w, 3) uint8, at least 1 by 1; a region taller than 1.5 times its width is turned a quarter
        anticlockwise, so that a line written downwards lies on its side.
    """
    corners = polygon if len(polygon) == 4 else min_area_quad(polygon)
    width, height = (max(round(side), 1) for side in side_lengths(corners))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), target)
    crop = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    if height >= TALL * width:
        crop = cv2.rotate(crop, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return np.asarray(crop, np.uint8)


def turn(image: NDArray[np.uint8], angle: int) -> NDArray[np.uint8]:
    """Return *image* turned by 0 or 180 degrees."""
    return np.ascontiguousarray(image[::-1, ::-1]) if angle == 180 else image
