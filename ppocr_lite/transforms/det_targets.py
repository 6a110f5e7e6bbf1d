"""What a DB detector learns: the shrunk core of each text, and a ridge along its outline.

Source:
    Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, §3.4 (label generation).

Pixels are points at integer coordinates. All work on a polygon happens inside its own bounding box, on float32 rows
and columns that are broadcast, so a page with many small words costs what its words cover.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import geometry
from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.base import TRANSFORMS, Sample

Map = NDArray[np.float32]
_BLOCK_VALUES = 1 << 16  # intermediate values held at once: 256 KiB, which stays in a core's cache


@TRANSFORMS.register
class MakeShrinkMap:
    """Draw where texts are: 1 inside each shrunk polygon, and a mask that is 0 where nothing should be learnt.

    A polygon that is ignored, lower or narrower than *min_text_size*, or so thin that nothing is left of it after
    shrinking, is masked out as a whole.

    Args:
        shrink_ratio: r in the offset ``D = A (1 - r²) / L``; 0.4 in the paper.
        min_text_size: Smallest side, in pixels, of the upright bounding box of a text that is learnt.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "polys", "ignore_tags")
    provides: ClassVar[tuple[str, ...]] = ("shrink_map", "shrink_mask")

    def __init__(self, shrink_ratio: float = 0.4, min_text_size: float = 8) -> None:
        _check_ratio("MakeShrinkMap", shrink_ratio)
        self.shrink_ratio = shrink_ratio
        self.min_text_size = min_text_size

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``shrink_map`` and ``shrink_mask``, float32 (H, W), of zeros and ones."""
        size = sample["image"].shape[:2]
        shrink_map = np.zeros(size, dtype=np.float32)
        shrink_mask = np.ones(size, dtype=np.float32)
        for polygon, ignored in zip(sample["polys"], sample["ignore_tags"], strict=True):
            cores = [] if ignored or self._is_small(polygon) else geometry.shrink(polygon, self.shrink_ratio)
            if cores:
                geometry.fill(shrink_map, cores, 1.0)
            else:
                geometry.fill(shrink_mask, [polygon], 0.0)
        return sample | {"shrink_map": shrink_map, "shrink_mask": shrink_mask}

    def _is_small(self, polygon: geometry.Array) -> bool:
        x0, y0, x1, y1 = geometry.bounding_rect(polygon)
        return bool(min(x1 - x0, y1 - y0) < self.min_text_size)


@TRANSFORMS.register
class MakeBorderMap:
    """Draw the threshold that separates a text from its surroundings: highest on its outline, falling off within D.

    With d the distance of a pixel to the nearest edge, its value is ``1 - d / D`` where that is positive; polygons
    that overlap give the larger value. The values 0…1 are then scaled to *thresh_min* … *thresh_max*. Ignored polygons
    and polygons without an area contribute nothing.

    Args:
        shrink_ratio: r in the offset ``D = A (1 - r²) / L``; 0.4 in the paper.
        thresh_min: Value away from any outline.
        thresh_max: Value on an outline.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "polys", "ignore_tags")
    provides: ClassVar[tuple[str, ...]] = ("threshold_map", "threshold_mask")

    def __init__(self, shrink_ratio: float = 0.4, thresh_min: float = 0.3, thresh_max: float = 0.7) -> None:
        _check_ratio("MakeBorderMap", shrink_ratio)
        if not 0.0 <= thresh_min < thresh_max <= 1.0:
            raise ConfigError(f"MakeBorderMap needs 0 <= thresh_min < thresh_max <= 1, not {thresh_min}, {thresh_max}.")
        self.shrink_ratio = shrink_ratio
        self.thresh_min = thresh_min
        self.thresh_max = thresh_max

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``threshold_map`` and ``threshold_mask``, float32 (H, W).

        The mask is 1 inside each polygon grown by D; only there is the threshold learnt.
        """
        size = sample["image"].shape[:2]
        ridge = np.zeros(size, dtype=np.float32)
        mask = np.zeros(size, dtype=np.float32)
        for polygon, ignored in zip(sample["polys"], sample["ignore_tags"], strict=True):
            reach = geometry.offset_distance(polygon, self.shrink_ratio)
            if not ignored and reach > 0:
                _draw_ridge(polygon, reach, ridge, mask)
        ridge *= np.float32(self.thresh_max - self.thresh_min)
        ridge += np.float32(self.thresh_min)
        return sample | {"threshold_map": ridge, "threshold_mask": mask}


def _draw_ridge(polygon: geometry.Array, reach: float, ridge: Map, mask: Map) -> None:
    """Raise *ridge* along the outline of *polygon*, and set *mask* inside it and within *reach*, in place."""
    height, width = ridge.shape
    low = np.maximum(np.floor(polygon.min(axis=0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(polygon.max(axis=0) + reach) + 1, (width, height)).astype(int)
    if (high <= low).any():
        return
    rows, columns = slice(low[1], high[1]), slice(low[0], high[0])
    local = polygon - low.astype(np.float32)
    squared = _squared_distance(local, int(high[1] - low[1]), int(high[0] - low[0]))
    near = (squared <= np.float32(reach**2)).astype(np.float32)
    geometry.fill(near, [local], 1.0)
    np.maximum(mask[rows, columns], near, out=mask[rows, columns])
    value = np.sqrt(squared)
    value *= np.float32(-1.0 / reach)
    value += np.float32(1.0)
    np.maximum(ridge[rows, columns], value, out=ridge[rows, columns])  # ridge starts at 0, so negatives vanish


def _squared_distance(polygon: geometry.Array, height: int, width: int) -> Map:
    """Return, for each pixel of a (height, width) window, the squared distance to the nearest edge of *polygon*.

    In a frame with its origin in the middle of an edge and one axis along it, a pixel has the coordinates t (along)
    and s (across), each the sum of a term of its row and a term of its column. Its squared distance is
    ``max(|t| - length / 2, 0)² + s²``. All edges are computed at once, a few rows at a time.
    """
    step = geometry.following(polygon) - polygon
    length = np.hypot(step[:, 0], step[:, 1])
    dx, dy = (step / np.maximum(length, np.float32(1e-6))[:, None]).T[:, :, None]
    middle_x, middle_y = (polygon + step * np.float32(0.5)).T[:, :, None]
    x = np.arange(width, dtype=np.float32) - middle_x  # (edges, width)
    y = np.arange(height, dtype=np.float32) - middle_y  # (edges, height)
    along_x, across_x = (x * dx)[:, None, :], (x * dy)[:, None, :]
    along_y, across_y = (y * dy)[:, :, None], (y * dx)[:, :, None]
    half_length = (length * np.float32(0.5))[:, None, None]
    nearest = np.empty((height, width), dtype=np.float32)
    rows = max(1, _BLOCK_VALUES // (width * len(polygon)))
    for top in range(0, height, rows):
        part = slice(top, top + rows)
        beyond = along_y[:, part] + along_x
        np.abs(beyond, out=beyond)
        beyond -= half_length
        np.maximum(beyond, np.float32(0), out=beyond)
        beyond *= beyond
        across = across_y[:, part] - across_x
        across *= across
        across += beyond
        across.min(axis=0, out=nearest[part])
    return nearest


def _check_ratio(name: str, shrink_ratio: float) -> None:
    if not 0.0 < shrink_ratio < 1.0:
        raise ConfigError(f"{name}.shrink_ratio must lie between 0 and 1. Received: {shrink_ratio}")
