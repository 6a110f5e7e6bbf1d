"""How well text regions are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.install import optional
from ppocr_lite.metrics.base import METRICS, Counter, main_first

shapely = optional("shapely")


@METRICS.register
class DetMetric(Counter):
    """Precision, recall and their harmonic mean over text regions.

    A found region counts if it covers a true one with an intersection over union of at least *iou_thresh*;
    each true and each found region is used once. Found regions more than half inside an ignored one are left out.
    ``false_per_image``, the found regions that match nothing, says what happens on images without text too.

    Args:
        main_indicator: Entry that decides which checkpoint is best.
        iou_thresh: Least intersection over union of a match.
        ignore_thresh: A found region with more than this share of its area in an ignored one is left out.

    Source:
        Karatzas et al., ICDAR 2015 Competition on Robust Reading, task 4.1, the published evaluation protocol.
    """

    def __init__(
        self,
        main_indicator: Literal["hmean", "precision", "recall"] = "hmean",
        iou_thresh: float = 0.5,
        ignore_thresh: float = 0.5,
    ) -> None:
        super().__init__("matched", "found", "true", "images")
        self.main_indicator = main_indicator
        self.iou_thresh = iou_thresh
        self.ignore_thresh = ignore_thresh

    def update(self, result: Mapping[str, Any], truth: Mapping[str, Any]) -> None:
        """Count one image.

        Args:
            result: ``polygons``: what was found, each (P, 2).
            truth: ``polys``: what is there, each (P, 2), in the same frame; ``ignore_tags``: (N,) bool.
        """
        pairs, left_out, ignore = match_regions(result, truth, self.iou_thresh, self.ignore_thresh)
        self.add(matched=len(pairs), found=int((~left_out).sum()), true=int((~ignore).sum()), images=1)

    def compute(self) -> dict[str, float]:
        """Return ``hmean``, ``precision`` and ``recall`` in [0, 1], and ``false_per_image``."""
        precision, recall = self.mean("matched", "found"), self.mean("matched", "true")
        hmean = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        false = self.mean("found", "images") - self.mean("matched", "images")
        values = {"hmean": hmean, "precision": precision, "recall": recall, "false_per_image": false}
        return main_first(values, self.main_indicator)


def match_regions(
    result: Mapping[str, Any], truth: Mapping[str, Any], iou_thresh: float, ignore_thresh: float
) -> tuple[list[tuple[int, int]], NDArray[np.bool_], NDArray[np.bool_]]:
    """Pair found regions with true ones.

    Args:
        result: ``polygons``, each (P, 2).
        truth: ``polys``, each (P, 2), in the same frame; ``ignore_tags``: (N,) bool.
        iou_thresh: Least intersection over union of a pair.
        ignore_thresh: A found region with more than this share of its area in an ignored one takes no part.

    Returns:
        The (found, true) index pairs, which found regions take no part, which true ones are ignored.

    Raises:
        ValueError: If there is not one ignore tag a true region.
    """
    found, there = _shapes(result["polygons"]), _shapes(truth["polys"])
    ignore = np.asarray(truth["ignore_tags"], bool).reshape(-1)
    if len(ignore) != len(there):
        raise ValueError(f"Expected one ignore tag per polygon. Received: {len(ignore)} for {len(there)}")
    common = _intersections(found, there)  # (found, there)
    area_found, area_there = shapely.area(found), shapely.area(there)
    inside = common[:, ignore] / np.maximum(area_found, 1e-9)[:, None]
    left_out = np.asarray((inside > ignore_thresh).any(axis=1), np.bool_)
    iou = common / np.maximum(area_found[:, None] + area_there[None] - common, 1e-9)
    iou[left_out] = -1.0
    iou[:, ignore] = -1.0
    return _match(iou, iou_thresh), left_out, ignore


def _match(iou: NDArray[np.float64], threshold: float) -> list[tuple[int, int]]:
    """Return the pairs a single pass makes: true regions in order, each taking the first free found one."""
    free = np.ones(iou.shape[0], bool)
    pairs = []
    for index, column in enumerate(iou.T):
        candidates = np.flatnonzero(free & (column >= threshold))
        if len(candidates):
            free[candidates[0]] = False
            pairs.append((int(candidates[0]), index))
    return pairs


def _shapes(polygons: Sequence[Any]) -> NDArray[Any]:
    """Return valid shapely polygons; one that crosses itself becomes its outline's own area."""
    shapes = np.empty(len(polygons), object)
    for index, points in enumerate(polygons):
        shapes[index] = shapely.Polygon(np.asarray(points, np.float64))
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        shapes[broken] = shapely.buffer(shapes[broken], 0)
    return shapes


def _intersections(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Return the common area of each pair, (len(first), len(second)); only pairs whose bounds meet are cut."""
    common = np.zeros((len(first), len(second)))
    if not len(first) or not len(second):
        return common
    rows, columns = shapely.STRtree(second).query(first)
    common[rows, columns] = shapely.area(shapely.intersection(first[rows], second[columns]))
    return common
