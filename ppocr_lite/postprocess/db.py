"""A probability map → text polygons, for detectors trained with differentiable binarization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.geometry import area, offset, order_quad, perimeter, undo_distance
from ppocr_lite.postprocess.base import POSTPROCESSES
from ppocr_lite.results import Detections, Points

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
        max_candidates: Regions looked at per image, the largest first.
        unclip_ratio: Growth of a region: the offset is ``area * unclip_ratio / perimeter`` pixels.
        use_dilation: Thicken the thresholded map by one pixel before tracing.
        score_mode: ``"fast"`` averages over the enclosing quad, ``"slow"`` over the traced region itself.
        box_type: ``"quad"`` returns four points per region, ``"poly"`` an outline of any number.
        min_size: A region whose shorter side, before growing, is under this many map pixels is dropped.
        shrink_ratio: Instead of ``unclip_ratio``, grow by exactly what targets of this ``shrink_ratio`` were shrunk,
            whatever the aspect of the line: with 0.4, a ratio of 1.5 undoes the shrink of a square, long lines
            would need 3.

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
        self.thresh = thresh
        self.box_thresh = box_thresh
        self.max_candidates = max_candidates
        self.unclip_ratio = unclip_ratio
        self.use_dilation = use_dilation
        self.score_mode = score_mode
        self.box_type = box_type
        self.min_size = min_size
        self.shrink_ratio = shrink_ratio

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
        found = Detections([], [])
        for contour in self._regions(plane):
            grown = self._read(plane, contour)
            if grown is not None:
                found.polygons.append(grown[0])
                found.scores.append(grown[1])
        return found

    def _regions(self, plane: Points) -> Iterator[NDArray[np.int32]]:
        """Yield the outer outline (P, 1, 2) of each region above the threshold, also of one inside another."""
        mask = (plane > self.thresh).astype(np.uint8)
        if self.use_dilation:
            mask = np.asarray(cv2.dilate(mask, np.ones((2, 2), np.uint8)), np.uint8)
        noisy = np.count_nonzero(mask[:, 1:] != mask[:, :-1]) > NOISE_EDGES
        mode = cv2.RETR_EXTERNAL if noisy else cv2.RETR_CCOMP
        contours, hierarchy = cv2.findContours(mask, mode, cv2.CHAIN_APPROX_SIMPLE)
        outer = [c for c, links in zip(contours, hierarchy[0], strict=True) if links[3] < 0] if len(contours) else []
        if len(outer) > self.max_candidates:
            outer = sorted(outer, key=cv2.contourArea, reverse=True)[: self.max_candidates]
        for contour in outer:
            yield np.asarray(contour, np.int32)

    def _read(self, plane: Points, contour: NDArray[np.int32]) -> tuple[Points, float] | None:
        """Return the grown polygon of one region and its score, or None if it is too small or too unsure."""
        rect = cv2.minAreaRect(contour)
        if min(rect[1]) < self.min_size:
            return None
        if self.box_type == "poly":
            outline = cv2.approxPolyDP(contour, APPROXIMATION * cv2.arcLength(contour, True), True)[:, 0]
            if len(outline) < 4 or not area(outline.astype(np.float32)) > 0:
                return None
        else:
            outline = cv2.boxPoints(rect)
        score = mean_inside(plane, contour[:, 0] if self.score_mode == "slow" else outline)
        if not score >= self.box_thresh:  # also drops a NaN
            return None
        if self.box_type == "quad":
            return grow_quad(rect, self._distance(rect[1][0] * rect[1][1], 2 * sum(rect[1]))), score
        polygon = np.asarray(outline, np.float32)
        return offset(polygon, self._distance(area(polygon), perimeter(polygon)))[0], score

    def _distance(self, size: float, length: float) -> float:
        """Return by how many pixels a region of this area and perimeter grows."""
        if self.shrink_ratio is None:
            return size * self.unclip_ratio / length
        return undo_distance(size, length, self.shrink_ratio)


def mean_inside(plane: Points, polygon: NDArray[Any]) -> float:
    """Return the mean of *plane* (H, W) inside *polygon* (P, 2), looking only at its bounding box."""
    height, width = plane.shape
    low = np.clip(np.floor(polygon.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    high = np.clip(np.ceil(polygon.max(axis=0)).astype(int), 0, (width - 1, height - 1))
    crop = plane[low[1] : high[1] + 1, low[0] : high[0] + 1]
    mask = np.zeros(crop.shape, np.uint8)
    cv2.fillPoly(mask, [(polygon - low).astype(np.int32)], (1,))
    return float(cv2.mean(crop, mask)[0])


def grow_quad(rect: Any, distance: float) -> Points:
    """Move each side of a rotated rectangle outwards by *distance* pixels.

    That is the smallest rectangle around the one grown with rounded corners, so there is nothing to search for.

    Args:
        rect: ((x, y), (width, height), degrees), as ``cv2.minAreaRect`` returns it.
        distance: Pixels, 0 for none.

    Returns:
        (4, 2) float32, clockwise from the top left.
    """
    centre, (width, height), degrees = rect
    corners = cv2.boxPoints((centre, (width + 2 * distance, height + 2 * distance), degrees))
    return order_quad(np.asarray(corners, np.float32))
