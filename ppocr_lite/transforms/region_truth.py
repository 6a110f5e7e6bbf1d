"""What a two-stage detector learns from a page: the boxes and outlines of its texts."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ppocr_lite import geometry
from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.base import TRANSFORMS, Sample


@TRANSFORMS.register
class MakeRegionTruth:
    """Gather the upright box and the outline of each text, cut off at the border of the image.

    A text that is ignored, or lower or narrower than *min_size* inside the image, is neither text nor background; one
    that lies outside, or has no area, is left out.

    Args:
        min_size: Smallest side of the box of a text that is learnt, pixels.

    Raises:
        ConfigError: If *min_size* is below 0.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "polys", "ignore_tags", "rng")
    provides: ClassVar[tuple[str, ...]] = ("truth",)

    def __init__(self, min_size: float = 4.0) -> None:
        if min_size < 0:
            raise ConfigError(f"MakeRegionTruth.min_size must not be negative. Received: {min_size}")
        self.min_size = min_size

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``truth``, a :class:`~ppocr_lite.geometry.RegionTruth`."""
        height, width = sample["image"].shape[:2]
        outlines: list[geometry.Array] = []
        ignored: list[geometry.Array] = []
        for polygon, unreadable in zip(sample["polys"], sample["ignore_tags"], strict=True):
            part = geometry.intersect_rect(polygon, (0, 0, width, height))
            rect = None if part is None else geometry.bounding_rect(part)
            if part is None or rect is None or min(rect[2:] - rect[:2]) <= 0:
                continue
            if unreadable or min(rect[2:] - rect[:2]) < self.min_size:
                ignored.append(rect)
            else:
                outlines.append(part)
        truth = geometry.RegionTruth(
            _stack([geometry.bounding_rect(outline) for outline in outlines]),
            tuple(outlines),
            _stack(ignored),
            (height, width),
            int(sample["rng"].integers(1 << 31)),
        )
        return sample | {"truth": truth}


def _stack(rects: list[geometry.Array]) -> geometry.Array:
    return np.asarray(rects, np.float32).reshape(-1, 4)
