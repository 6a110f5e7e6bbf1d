"""Boxes with masks → text polygons."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import area, largest_outline, order_quad, paste_mask
from ppocr_lite.postprocess.base import POSTPROCESSES
from ppocr_lite.results import Detections
from ppocr_lite.textline import Points

BOX = 5  # x0, y0, x1, y1 and the probability, before the mask
APPROXIMATION = 0.002  # tolerance of a curved outline as a share of its length; DB reference configuration


@POSTPROCESSES.register
class MaskRCNNPostProcess:
    """Paste the mask of each detection onto the page and trace its largest part.

    Args:
        score_thresh: A detection that is text with less probability is dropped.
        mask_thresh: A pixel above this probability belongs to the text.
        box_type: ``"quad"`` returns the smallest rotated rectangle around the text, ``"poly"`` its outline, of any
            number of points.
        min_size: A text whose quad has a shorter side, in pixels, is dropped.

    Raises:
        ConfigError: If a probability is not from 0 to 1.

    Source:
        He et al., Mask R-CNN, ICCV 2017, §3.1; tracing: Lyu et al., Mask TextSpotter, ECCV 2018.
    """

    def __init__(
        self,
        score_thresh: float = 0.5,
        mask_thresh: float = 0.5,
        box_type: Literal["quad", "poly"] = "quad",
        min_size: float = 3.0,
    ) -> None:
        if not (0 <= score_thresh <= 1 and 0 <= mask_thresh <= 1):
            raise ConfigError(
                f"MaskRCNNPostProcess needs probabilities from 0 to 1. Received: {score_thresh}, {mask_thresh}"
            )
        self.score_thresh, self.mask_thresh = score_thresh, mask_thresh
        self.box_type, self.min_size = box_type, min_size

    def output_shape(self, size: tuple[int, int]) -> None:
        """Say that the shape of what the network returns follows from its config, not from the *size* of the input."""
        del size

    def __call__(self, regions: NDArray[Any]) -> Detections:
        """Return the polygons of one image, in pixels of the input of the network.

        Args:
            regions: (1, D, 5 + side²) or (D, 5 + side²), as a :class:`MaskRCNNHead` predicts them.

        Raises:
            ValueError: If *regions* is not of one image.
        """
        rows = np.asarray(regions, np.float32)
        side = round((rows.shape[-1] - BOX) ** 0.5) if rows.ndim in (2, 3) and rows.shape[-1] > BOX else 0
        if not side or rows.size != rows.shape[-2] * rows.shape[-1] or side**2 != rows.shape[-1] - BOX:
            raise ValueError(f"Expected the detections of one image, (1, D, 5 + side²). Received: {rows.shape}")
        found = Detections([], [])
        for row in rows.reshape(-1, rows.shape[-1]):
            if not (row[BOX - 1] >= self.score_thresh and row[BOX - 1] > 0):  # also drops a NaN
                continue
            polygon = self._trace(row[: BOX - 1], row[BOX:].reshape(side, side))
            if polygon is not None:
                found.polygons.append(polygon)
                found.scores.append(float(row[BOX - 1]))
        return found

    def _trace(self, rect: Points, mask: Points) -> Points | None:
        """Return the polygon of a text, None if there is too little of it."""
        page = np.ceil(np.maximum(rect[[3, 2]], 1)).astype(int) + 1
        pixels, corner = paste_mask(mask, rect, (int(page[0]), int(page[1])))
        outline = largest_outline(pixels > self.mask_thresh) if pixels.size else None
        if outline is None:
            return None
        centre, (width, height), degrees = cv2.minAreaRect(outline)
        # An outline runs through the centres of its pixels, which reach half a pixel farther.
        width, height = width + 1, height + 1
        if min(width, height) < self.min_size:
            return None
        shift = np.asarray(corner, np.float32) + np.float32(0.5)
        if self.box_type == "quad":
            return order_quad(np.asarray(cv2.boxPoints((centre, (width, height), degrees)), np.float32) + shift)
        tolerance = APPROXIMATION * cv2.arcLength(outline, True)
        traced = np.asarray(cv2.approxPolyDP(outline, tolerance, True)[:, 0], np.float32) + shift
        return traced if len(traced) >= 4 and area(traced) > 0 else None
