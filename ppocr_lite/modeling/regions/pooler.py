"""The features of boxes, from the level of the pyramid that suits their size."""

from __future__ import annotations

from collections.abc import Sequence

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.regions.boxes import areas

_CANONICAL_SIDE = 224.0  # a box of this side is taken from the level of this stride
_CANONICAL_STRIDE = 16.0


class RoIAlign(nn.Layer):
    """Cuts boxes out of the levels, each from one level: the coarser, the larger its area.

    A box of 224 × 224 pixels belongs to the level of stride 16, one of half the side to the next finer, and so on;
    what would belong to a level that is not there belongs to the nearest. Every box is cut out of all levels, and the
    others count 0: so nothing depends on values while a network is traced.

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
            own = nn.cast(nn.ones_like(size) > 0, "float32")
            if level > 0:
                own = own * nn.cast(size >= smallest_area(stride), "float32")
            if level < len(self.strides) - 1:
                own = own * nn.cast(size < smallest_area(self.strides[level + 1]), "float32")
            found = nn.roi_align(levels[level], rois, counts, self.resolution, 1.0 / stride)
            parts.append(found * own.unsqueeze(1).unsqueeze(2).unsqueeze(3))
        return nn.add_n(parts)


def smallest_area(stride: float) -> float:
    """Return the area in pixels from which on a box is taken from the level of *stride*."""
    return (_CANONICAL_SIDE * stride / _CANONICAL_STRIDE) ** 2
