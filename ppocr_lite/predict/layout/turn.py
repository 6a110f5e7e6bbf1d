"""Which way a page stands, and the page turned upright."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry import clip
from ppocr_lite.io.images import Image
from ppocr_lite.textline import Points

PageAngle: TypeAlias = Literal["auto", 0, 90, 180, 270]
PAGE_ANGLES = ("auto", 0, 90, 180, 270)
FRAMED_PX, FRAME = 64, 0.5  # a page with a side of at most that many pixels gets a frame, as a share of that side
LONG = 1.5  # longer side ÷ shorter side of the regions that have a direction
ALIKE_DEGREES = 10.0
MOST = 0.75  # a page is turned if this share of its text, by length, runs in one direction
ASKEW_DEGREES = 17.0  # lines that lean less are found and read as they are
LEAST_ON_THEIR_SIDE, LEAST_ASKEW = 3, 4  # regions that a page must have to be turned by a quarter, or by less
UPSIDE_DOWN = 2 / 3  # share of the text, by length, that the classifier must find on its head


@dataclass(frozen=True)
class View:
    """A page as it is looked at.

    Attributes:
        pixels: BGR (H', W', 3), turned.
        size: (height, width) of the page as it was given.
        angle: How far it stood turned clockwise, degrees from 0 to 359.
        back: (2, 3), from pixels of the view to pixels of the page; None if they are the same.
    """

    pixels: Image
    size: tuple[int, int]
    angle: int = 0
    back: NDArray[np.float64] | None = None

    @functools.cached_property
    def gray(self) -> NDArray[np.uint8]:
        """The pixels without their colours, (H', W')."""
        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_BGR2GRAY), np.uint8)

    def restore(self, polygons: Sequence[Points]) -> list[Points]:
        """Return polygons (P, 2) of the view in pixels of the page, inside its borders; their first point stays so."""
        if self.back is None:
            return list(polygons)
        moved = [polygon @ self.back[:, :2].T + self.back[:, 2] for polygon in polygons]
        return [np.asarray(clip(polygon.astype(np.float32), self.size), np.float32) for polygon in moved]


def turned_back(image: Image, angle: int, frame: int = 0) -> View:
    """Return a page turned back.

    Args:
        image: BGR (H, W, 3).
        angle: How far it stands turned clockwise, degrees.
        frame: Pixels to put around it, in the colour of its border.
    """
    height, width = size = (image.shape[0], image.shape[1])
    angle %= 360
    if frame:
        pixels = cv2.copyMakeBorder(image, *[frame] * 4, cv2.BORDER_CONSTANT, value=_ground(image))
        view = turned_back(np.asarray(pixels, np.uint8), angle)
        back = np.eye(2, 3) if view.back is None else view.back
        return View(view.pixels, size, angle, back - [[0, 0, frame]])
    if angle == 0:
        return View(image, size)
    quarters, rest = divmod(angle, 90)
    if rest == 0:
        pixels = np.ascontiguousarray(np.rot90(image, quarters))
        rows = {
            90: ((0, -1, width), (1, 0, 0)),
            180: ((-1, 0, width), (0, -1, height)),
            270: ((0, 1, 0), (-1, 0, height)),
        }
        return View(pixels, size, angle, np.array(rows[angle], np.float64))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    reach = np.abs(matrix[:, :2]) @ (width, height)
    matrix[:, 2] += (reach - (width, height)) / 2
    pixels = cv2.warpAffine(
        image, matrix, np.ceil(reach).astype(int).tolist(), flags=cv2.INTER_LINEAR, borderValue=_ground(image)
    )
    return View(np.asarray(pixels, np.uint8), size, angle, cv2.invertAffineTransform(matrix))


def frame_width(image: Image) -> int:
    """Return how many pixels a page needs around it: none, unless it is so low or narrow that text may fill it."""
    side = min(image.shape[:2])
    return max(1, round(FRAME * side)) if side <= FRAMED_PX else 0


def _ground(image: Image) -> list[float]:
    """Return the colour of most of the border of a page."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return [float(value) for value in np.median(edge, axis=0)]


def page_direction(polygons: Sequence[Points]) -> int:
    """Return how far a page stands turned clockwise by the shape of its regions, degrees from -73 to 90.

    Zero for a page that is upright or upside down, about so, or whose regions do not agree; 90 for one on its side,
    whichever.
    """
    quads = np.array([polygon for polygon in polygons if len(polygon) == 4], np.float64).reshape(-1, 4, 2)
    sides = np.stack([quads[:, 1] - quads[:, 0], quads[:, 2] - quads[:, 1]], axis=1)  # (N, 2, 2)
    lengths = np.hypot(sides[:, :, 0], sides[:, :, 1])
    long = lengths.max(axis=1) >= LONG * np.maximum(lengths.min(axis=1), 1.0)
    if np.count_nonzero(long) < LEAST_ON_THEIR_SIDE:
        return 0
    lengths, sides = lengths[long], sides[long]
    weights = lengths.max(axis=1)
    side = np.take_along_axis(sides, lengths.argmax(axis=1)[:, None, None], axis=1)[:, 0]
    angles = np.degrees(np.arctan2(side[:, 1], side[:, 0]))
    apart = (angles[:, None] - angles[None] + 90) % 180 - 90  # lines have a direction, but no sense
    support = (np.abs(apart) <= ALIKE_DEGREES) @ weights
    best = int(support.argmax())
    if support[best] < MOST * weights.sum():
        return 0
    near = np.abs(apart[:, best]) <= ALIKE_DEGREES
    angle = float(angles[best] + np.average(apart[near, best], weights=weights[near]))
    angle = (angle + 90) % 180 - 90  # from -90 to 90
    if abs(angle) > 90 - ASKEW_DEGREES:
        return 90
    return round(angle) if abs(angle) > ASKEW_DEGREES and np.count_nonzero(near) >= LEAST_ASKEW else 0


def is_upside_down(polygons: Sequence[Points], angles: Sequence[int]) -> bool:
    """Say whether most of the text of a page stands on its head.

    Args:
        polygons: Its lines.
        angles: What the classifier says of each, 0 or 180.
    """
    lengths = np.array([np.ptp(polygon, axis=0).max() for polygon in polygons])
    return bool(lengths[np.array(angles) == 180].sum() > UPSIDE_DOWN * lengths.sum()) if len(lengths) else False
