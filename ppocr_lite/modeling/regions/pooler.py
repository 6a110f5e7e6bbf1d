"""The features of boxes, from the level of the pyramid that suits their size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import Array, box_areas
from ppocr_lite.modeling.regions.boxes import areas, ones

_CANONICAL_SIDE = 224.0  # a box of this side is taken from the level of this stride
_CANONICAL_STRIDE = 16.0


class RoIAlign(nn.Layer):
    """Cuts boxes out of the levels, each from one level: the coarser, the larger its area.

    A box of 224 × 224 pixels belongs to the level of stride 16, one of half the side to the next finer, and so on;
    what would belong to a level that is not there belongs to the nearest. ``forward`` cuts every box out of all levels
    and lets the others count 0, so that nothing depends on values while a network is traced; :meth:`cut` finds the
    same with a quarter of the work, where the boxes are known.

    A box thinner than one place of its level is looked at one place wide: there is nothing finer to be seen, and below
    that Paddle's operator has another gradient than the one of what it computes.

    Args:
        resolution: Cells of a box in each direction.
        strides: Pixels of the image for each place of the levels, from fine to coarse.

    Raises:
        ConfigError: If *resolution* is below 1.

    Shape:
        levels (N, C, H, W), boxes (R, 4) in pixels, how many are of each image (N,) int32 →
        (R, C, resolution, resolution)

    Source:
        He et al., Mask R-CNN, ICCV 2017, §3; the level: Lin et al., Feature Pyramid Networks, CVPR 2017, eq. 1.
    """

    def __init__(self, resolution: int, strides: Sequence[int]) -> None:
        super().__init__()
        if resolution < 1:
            raise ConfigError(f"RoIAlign.resolution must be at least 1. Received: {resolution}")
        self.resolution, self.strides = resolution, tuple(strides)

    def forward(self, levels: Sequence[nn.Tensor], rois: nn.Tensor, counts: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        size = areas(rois)
        parts = []
        for level in range(len(self.strides)):
            stride = self.strides[level]
            own = ones(size)
            if level > 0:
                own = own * nn.cast(size >= smallest_area(stride), "float32")
            if level < len(self.strides) - 1:
                own = own * nn.cast(size < smallest_area(self.strides[level + 1]), "float32")
            found = nn.roi_align(levels[level], self._widened(rois, stride), counts, self.resolution, 1.0 / stride)
            parts.append(found * own.unsqueeze(1).unsqueeze(2).unsqueeze(3))
        return nn.add_n(parts)

    def cut(self, levels: Sequence[nn.Tensor], rects: Array, counts: NDArray[np.int32]) -> nn.Tensor:
        """Return the same for boxes that are arrays."""
        size = box_areas(rects)
        own = np.searchsorted([smallest_area(stride) for stride in self.strides[1:]], size, side="right")
        image = np.repeat(np.arange(len(counts)), counts)
        parts, places = [], []
        for level, stride in enumerate(self.strides):
            place = np.flatnonzero(own == level)
            if len(place):
                each = np.bincount(image[place], minlength=len(counts)).astype(np.int32)
                rois, number = nn.tensor_like(rects[place], levels[0]), nn.tensor_like(each, levels[0])
                rois = self._widened(rois, stride)
                parts.append(nn.roi_align(levels[level], rois, number, self.resolution, 1.0 / stride))
                places.append(place)
        back = np.argsort(np.concatenate(places))
        return nn.index_select(nn.concat(parts, axis=0), nn.tensor_like(back, levels[0]), 0)

    @staticmethod
    def _widened(rois: nn.Tensor, stride: float) -> nn.Tensor:
        """Return boxes (R, 4) that are at least *stride* wide and high, about the same centre."""
        missing = (stride - (rois[:, 2:] - rois[:, :2])).clip(min=0.0) * 0.5
        return nn.concat([rois[:, :2] - missing, rois[:, 2:] + missing], axis=1)


def smallest_area(stride: float) -> float:
    """Return the area in pixels from which on a box is taken from the level of *stride*."""
    return (_CANONICAL_SIDE * stride / _CANONICAL_STRIDE) ** 2
