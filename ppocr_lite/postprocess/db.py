"""A probability map → text polygons, for detectors trained with differentiable binarization."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import area, offset, order_quads, perimeter, undo_distance
from ppocr_lite.postprocess.base import POSTPROCESSES
from ppocr_lite.results import Detections
from ppocr_lite.textline import Points

logger = logging.getLogger(__name__)
Contour: TypeAlias = NDArray[np.int32]  # (P, 1, 2)
Rect: TypeAlias = Any  # ((x, y), (width, height), degrees), as cv2.minAreaRect returns it

APPROXIMATION = 0.002  # tolerance of a curved outline as a share of its length; DB reference configuration
# A map with more changes along its rows is noise, as of an untrained network: tracing its thousands of holes would
# take half a second a map, so there a region inside another is not looked for.
NOISE_EDGES = 50_000


@POSTPROCESSES.register
class DBPostProcess:
    """Threshold, trace, score and grow the shrunk text regions of a probability map.

    Args:
        thresh: A pixel above this probability is text.
        box_thresh: A region whose mean probability is below this is dropped.
        max_candidates: Regions looked at per million pixels of the map, and at least so many, the largest first; a
            warning says if there are more.
        unclip_ratio: Growth of a region: the offset is ``area * unclip_ratio / perimeter`` pixels.
        use_dilation: Thicken the thresholded map by one pixel before tracing.
        score_mode: ``"fast"`` averages over the enclosing quad, ``"slow"`` over the traced region itself.
        box_type: ``"quad"`` returns four points per region, ``"poly"`` an outline of any number.
        min_size: A region whose shorter side, before growing, is under this many map pixels is dropped.
        shrink_ratio: Instead of ``unclip_ratio``, grow by exactly what targets of this ``shrink_ratio`` were shrunk,
            whatever the aspect of the line: with 0.4, a ratio of 1.5 undoes the shrink of a square, long lines
            would need 3.

    Raises:
        ConfigError: If a probability is not from 0 to 1, or the growth negative.

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, section 3.5.
    """

    def __init__(
        self,
        thresh: float = 0.3,
        box_thresh: float = 0.6,
        max_candidates: int = 1000,
        unclip_ratio: float = 1.5,
        use_dilation: bool = False,
        score_mode: Literal["fast", "slow"] = "fast",
        box_type: Literal["quad", "poly"] = "quad",
        min_size: float = 3.0,
        shrink_ratio: float | None = None,
    ) -> None:
        if not (0 <= thresh <= 1 and 0 <= box_thresh <= 1 and unclip_ratio >= 0):
            raise ConfigError(
                "DBPostProcess: thresh and box_thresh must be from 0 to 1, unclip_ratio at least 0. "
                f"Received: {thresh}, {box_thresh}, {unclip_ratio}."
            )
        self.thresh = thresh
        self.box_thresh = box_thresh
        self.max_candidates = max_candidates
        self.unclip_ratio = unclip_ratio
        self.use_dilation = use_dilation
        self.score_mode = score_mode
        self.box_type = box_type
        self.min_size = min_size
        self.shrink_ratio = shrink_ratio

    def output_shape(self, size: tuple[int, int]) -> tuple[int, ...]:
        """Return what a network must return for one image of *size* (height, width)."""
        return 1, 1, *size

    def __call__(self, maps: NDArray[Any]) -> Detections:
        """Return the polygons of one map, in its own pixels; they may reach past its border.

        Args:
            maps: (H, W), or (1, 1, H, W) as the network returns it, probabilities in [0, 1].

        Raises:
            ValueError: If *maps* is not one map.
        """
        if maps.ndim < 2 or maps.size != maps.shape[-1] * maps.shape[-2]:
            raise ValueError(f"Expected one map, (H, W) or (1, 1, H, W). Received: {maps.shape}")
        plane = np.ascontiguousarray(maps.reshape(maps.shape[-2:]), np.float32)
        traced = [(contour, cv2.minAreaRect(contour)) for contour in self._regions(plane)]
        traced = [(contour, rect) for contour, rect in traced if min(rect[1]) >= self.min_size]
        return self._quads(plane, traced) if self.box_type == "quad" else self._outlines(plane, traced)

    def _regions(self, plane: Points) -> list[Contour]:
        """Return the outer outline (P, 1, 2) of each region above the threshold, also of one inside another."""
        mask = np.asarray(cv2.compare(plane, self.thresh, cv2.CMP_GT), np.uint8)
        if self.use_dilation:
            mask = np.asarray(cv2.dilate(mask, np.ones((2, 2), np.uint8)), np.uint8)
        area = max(1.0, mask.size / 1e6)
        noisy = np.count_nonzero(mask[:, 1:] != mask[:, :-1]) > NOISE_EDGES * area
        mode = cv2.RETR_EXTERNAL if noisy else cv2.RETR_CCOMP
        contours, hierarchy = cv2.findContours(mask, mode, cv2.CHAIN_APPROX_SIMPLE)
        outer = [contours[index] for index in np.flatnonzero(hierarchy[0, :, 3] < 0)] if len(contours) else []
        most = round(self.max_candidates * area)
        if len(outer) > most:
            logger.warning("%d regions found, of which the largest %d are kept: see max_candidates.", len(outer), most)
            outer = sorted(outer, key=cv2.contourArea, reverse=True)[:most]
        return outer

    def _quads(self, plane: Points, traced: Sequence[tuple[Contour, Rect]]) -> Detections:
        """Return the grown enclosing rectangle of each region that is sure enough."""
        boxes = [cv2.boxPoints(rect) for _, rect in traced]
        scores = means_inside(plane, [contour[:, 0] for contour, _ in traced] if self.score_mode == "slow" else boxes)
        sure = [index for index, score in enumerate(scores) if score >= self.box_thresh]  # also drops a NaN
        grown = []
        for rect in (traced[index][1] for index in sure):
            width, height = rect[1]
            grown.append(grow_rect(rect, self._distance(width * height, 2 * (width + height))))
        return Detections(list(order_quads(np.array(grown))) if grown else [], [scores[index] for index in sure])

    def _outlines(self, plane: Points, traced: Sequence[tuple[Contour, Rect]]) -> Detections:
        """Return the grown outline of each region that is sure enough."""
        found = Detections([], [])
        for contour, _ in traced:
            tolerance = APPROXIMATION * cv2.arcLength(contour, True)
            outline = np.asarray(cv2.approxPolyDP(contour, tolerance, True)[:, 0], np.float32)
            if len(outline) < 4 or not area(outline) > 0:
                continue
            score = mean_inside(plane, contour[:, 0] if self.score_mode == "slow" else outline)
            if score >= self.box_thresh:
                found.polygons.append(offset(outline, self._distance(area(outline), perimeter(outline)))[0])
                found.scores.append(score)
        return found

    def _distance(self, size: float, length: float) -> float:
        """Return by how many pixels a region of this area and perimeter grows."""
        if self.shrink_ratio is None:
            return size * self.unclip_ratio / length
        return undo_distance(size, length, self.shrink_ratio)


def mean_inside(plane: Points, polygon: NDArray[Any]) -> float:
    """Return the mean of *plane* (H, W) inside *polygon* (P, 2), looking only at its bounding box."""
    return means_inside(plane, [polygon])[0]


def means_inside(plane: Points, polygons: Sequence[NDArray[Any]]) -> list[float]:
    """Return the mean of *plane* (H, W) inside each polygon (P, 2), looking only at their bounding boxes."""
    if not polygons:
        return []
    last = (plane.shape[1] - 1, plane.shape[0] - 1)
    low = np.clip(np.floor([polygon.min(axis=0) for polygon in polygons]).astype(int), 0, last)
    high = np.clip(np.ceil([polygon.max(axis=0) for polygon in polygons]).astype(int), 0, last)
    means = []
    for polygon, corner, (left, top), (right, bottom) in zip(polygons, low, low.tolist(), high.tolist(), strict=True):
        crop = plane[top : bottom + 1, left : right + 1]
        mask = np.zeros(crop.shape, np.uint8)
        cv2.fillPoly(mask, [(polygon - corner).astype(np.int32)], (1,))
        means.append(float(cv2.mean(crop, mask)[0]))
    return means


def grow_rect(rect: Rect, distance: float) -> Points:
    """Move each side of a rotated rectangle outwards by *distance* pixels.

    That is the smallest rectangle around the one grown with rounded corners, so there is nothing to search for.

    Args:
        rect: ((x, y), (width, height), degrees), as ``cv2.minAreaRect`` returns it.
        distance: Pixels, 0 for none.

    Returns:
        (4, 2) float32, in the order of ``cv2.boxPoints``.
    """
    centre, (width, height), degrees = rect
    return np.asarray(cv2.boxPoints((centre, (width + 2 * distance, height + 2 * distance), degrees)), np.float32)
