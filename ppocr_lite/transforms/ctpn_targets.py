"""What a CTPN detector learns: which anchors of 16-pixel columns are text, how high it is there, and where it ends."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import Array, BalancedPositiveNegativeSampler, min_area_quad
from ppocr_lite.geometry.columns import COLUMN, Slices, check_anchors, match_columns, slice_quads
from ppocr_lite.transforms.base import TRANSFORMS, Sample

_NONE = np.zeros((0, 4, 2), np.float32)


@TRANSFORMS.register
class MakeCTPNTargets:
    """Match the anchors of every column with text, and draw those that are learnt from.

    A text of more than four points counts as the smallest rotated rectangle around it. One without an area, and one
    lower than *min_height*, is treated as if it were ignored: nothing is learnt there.

    Args:
        heights: Of the anchors at each place, pixels; the post-processing must have the same.
        stride: Pixels from one place of the network's map to the next; the width of an anchor.
        high: An anchor is text from this intersection over union on, or where it is the best of a column's text.
        low: It is background below this.
        samples: Anchors of an image that are learnt from.
        positive_fraction: The largest share of text among them; background fills what is missing.
        side_reach: Anchors whose centre is so near to the end of a text learn where it ends, pixels.
        min_height: Least height, of a text in a column, that is learnt, pixels.

    Raises:
        ConfigError: If a number makes no sense; when called, if the sides of the image are no multiples of *stride*.

    Source:
        Tian et al., Connectionist Text Proposal Network, ECCV 2016, §3.1, §3.3 and §3.4.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "polys", "ignore_tags", "rng")
    provides: ClassVar[tuple[str, ...]] = ("anchor_labels", "anchor_vertical", "anchor_sides", "anchor_side_mask")

    def __init__(
        self,
        heights: list[float] | None = None,
        stride: int = COLUMN,
        high: float = 0.7,
        low: float = 0.5,
        samples: int = 128,
        positive_fraction: float = 0.5,
        side_reach: float = 32.0,
        min_height: float = 4.0,
    ) -> None:
        self.heights = check_anchors("MakeCTPNTargets", heights, stride)
        if not 0 < low <= high <= 1:
            raise ConfigError(f"MakeCTPNTargets needs 0 < low <= high <= 1. Received: low {low}, high {high}")
        self.sampler = BalancedPositiveNegativeSampler(samples, positive_fraction)
        self.stride, self.high, self.low = stride, high, low
        self.side_reach, self.min_height = side_reach, min_height

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with its targets; the map has one place for each *stride* × *stride* pixels.

        ``anchor_labels`` (A, h, w) int64: 1 text, 0 background, -1 not learnt from; ``anchor_vertical`` (2, A, h, w):
        by how much the text's centre is lower than the anchor's, as a share of the anchor's height, and the logarithm
        of its height in anchors; ``anchor_sides`` (A, h, w): by how much the nearer end of the text is to the right of
        the anchor's centre, as a share of its width; ``anchor_side_mask``: where that is learnt. All but the first are
        float32, and 0 where there is no text.
        """
        height, width = sample["image"].shape[:2]
        if height % self.stride or width % self.stride:
            raise ConfigError(
                f"MakeCTPNTargets: the sides of a training image must be multiples of the stride {self.stride}. "
                f"Received: {height} x {width}. Crop to such a size, with EastRandomCropData."
            )
        shape = (height // self.stride, width // self.stride)
        quads = np.stack([_as_quad(polygon) for polygon in sample["polys"]]) if len(sample["polys"]) else _NONE
        slices = slice_quads(quads, shape[1], self.stride)
        learnt = ~np.asarray(sample["ignore_tags"], bool)[slices.owner] & (
            slices.bottom - slices.top >= self.min_height
        )
        texts, ignored = _part(slices, learnt), _part(slices, ~learnt)
        match = match_columns(texts, ignored, self.heights, shape, self.high, self.low, self.stride)
        labels = np.full(match.labels.shape, -1, np.int64)
        for value, drawn in zip((1, 0), self.sampler(match.labels.ravel(), sample["rng"]), strict=True):
            labels.ravel()[drawn] = value
        return sample | {"anchor_labels": labels} | self._offsets(labels, match.found, texts, quads)

    def _offsets(
        self, labels: NDArray[np.int64], found: NDArray[np.int64], texts: Slices, quads: Array
    ) -> dict[str, Array]:
        """Return what the anchors of text say of it."""
        vertical = np.zeros((2, *labels.shape), np.float32)
        sides, mask = np.zeros(labels.shape, np.float32), np.zeros(labels.shape, np.float32)
        place = np.nonzero(labels == 1)
        anchor, row, column = place
        own = found[place]
        size = self.heights[anchor]
        top, bottom = texts.top[own], texts.bottom[own]
        vertical[0][place] = ((top + bottom) / 2 - (row + 0.5) * self.stride) / size
        vertical[1][place] = np.log((bottom - top) / size)
        x = quads[texts.owner[own], :, 0]
        away = np.stack([x.min(axis=1), x.max(axis=1)]) - (column + 0.5) * self.stride
        nearer = np.where(np.abs(away[0]) <= np.abs(away[1]), *away)
        sides[place], mask[place] = nearer / self.stride, np.abs(nearer) <= self.side_reach
        sides *= mask
        return {"anchor_vertical": vertical, "anchor_sides": sides, "anchor_side_mask": mask}


def _as_quad(polygon: Array) -> Array:
    return polygon if len(polygon) == 4 else min_area_quad(polygon)


def _part(slices: Slices, chosen: NDArray[np.bool_]) -> Slices:
    return Slices(slices.owner[chosen], slices.column[chosen], slices.top[chosen], slices.bottom[chosen])
