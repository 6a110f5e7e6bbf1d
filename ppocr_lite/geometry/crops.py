"""Cut a text line out of a page, upright as far as its shape tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry.quads import TALL, min_area_quad, move_sides

Points = NDArray[np.float32]
# Lines of fewer pixels are sampled with a cubic kernel; on taller ones it reads no better than a linear one, which
# takes half the time.  See doc/benchmarks.md.
SMALL_PX = 40
_UNIT = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)


def crop_line(
    image: NDArray[Any], polygon: Points, max_height: int | None = None, margin: float = 0.0
) -> NDArray[np.uint8]:
    """Straighten the region of *polygon* into a rectangle of its own size; arguments as for :func:`crop_lines`."""
    return crop_lines(image, [polygon], max_height, margin)[0]


def crop_lines(
    image: NDArray[Any], polygons: Sequence[Points], max_height: int | None = None, margin: float = 0.0
) -> list[NDArray[np.uint8]]:
    """Straighten each region into a rectangle of its own size, or a smaller one.

    Args:
        image: (H, W, 3) uint8.
        polygons: Each (P, 2) float32, (x, y) pixels. Four points are taken as the corners, clockwise from the top left;
            of more, the smallest enclosing rectangle is cut.
        max_height: A line taller than this many pixels is cut at this height, in the same step.
        margin: What is cut beyond both ends of a line, as a share of its height.

    Returns:
        For each, (h, w, 3) uint8, at least 1 by 1; a region taller than 1.5 times its width is turned a quarter
        anticlockwise, so that a line written downwards lies on its side.
    """
    if not len(polygons):
        return []
    corners = np.array([p if len(p) == 4 else min_area_quad(p) for p in polygons], np.float32)
    own = _sizes(corners)  # (N, 2), width and height
    downwards = own[:, 1] >= TALL * own[:, 0]
    if margin:
        beyond = margin * own.min(axis=1)
        corners = move_sides(corners, np.stack([beyond * downwards, beyond * ~downwards] * 2, axis=1))
        own = _sizes(corners)
    heights = np.where(downwards, own[:, 0], own[:, 1])
    shrink = np.minimum(1.0, (max_height or np.inf) / heights)
    sizes = np.maximum(np.round(own * shrink[:, None]), 1)
    # Pixels are counted at their centres: what lies at x in a line of its own size is at (x + 0.5) * ratio - 0.5.
    targets = ((_UNIT * own[:, None] + 0.5) * (sizes / own)[:, None] - 0.5).astype(np.float32)  # (N, 4, 2)
    kernels = np.where(heights < SMALL_PX, cv2.INTER_CUBIC, cv2.INTER_LINEAR).tolist()
    crops = []
    for quad, target, size, kernel, down in zip(
        corners, targets, sizes.astype(int).tolist(), kernels, downwards.tolist(), strict=True
    ):
        matrix = cv2.getPerspectiveTransform(quad, target)
        crop = cv2.warpPerspective(image, matrix, size, flags=kernel, borderMode=cv2.BORDER_REPLICATE)
        crops.append(np.asarray(cv2.rotate(crop, cv2.ROTATE_90_COUNTERCLOCKWISE) if down else crop, np.uint8))
    return crops


def _sizes(corners: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (width, height) in whole pixels of each quad (N, 4, 2): the longer of two opposite sides, at least 1."""
    sides = corners[:, [1, 2, 3, 0]].astype(np.float64) - corners
    top, right, bottom, left = np.hypot(sides[:, :, 0], sides[:, :, 1]).T
    return np.maximum(np.round(np.stack([np.maximum(top, bottom), np.maximum(right, left)], axis=1)), 1)


def turn(image: NDArray[np.uint8], angle: int) -> NDArray[np.uint8]:
    """Return *image* turned by 0 or 180 degrees."""
    return np.ascontiguousarray(image[::-1, ::-1]) if angle == 180 else image
