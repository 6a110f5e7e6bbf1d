"""More text on a page: texts of another page, pasted where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite import geometry
from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.base import EXTRA, TRANSFORMS, Sample, maps_in

Pixels = NDArray[np.uint8]

_MOST_PASTED = 30  # on one page, as PaddleOCR does; each costs up to max_tries looks at the page
_MARGIN_PX = 2  # left free around a pasted text; more than the rounding of an outline drawn in pixels
_MARGIN = np.ones((2 * _MARGIN_PX + 1, 2 * _MARGIN_PX + 1), dtype=np.uint8)


@TRANSFORMS.register
class CopyPaste:
    """Paste texts of another page of the data set onto free places of this one.

    Each is cut out along its polygon, mirrored, scaled and turned at random, and put at a random place, wholly inside
    the page, where it covers neither text nor an ignored region. One that finds no place in *max_tries* attempts is
    left out. Only readable texts that lie wholly inside their own page are cut out. The pasted texts follow those of
    the page in ``polys``, ``texts`` and ``ignore_tags``; a mirrored one keeps the transcription it had, which only a
    detector may be trained with.

    Args:
        objects_paste_ratio: Share of the texts of the other page to paste; of any share above 0 at least one text,
            and never more than 30.
        limit_paste: Paste on free places only. False lets a text cover others, as PaddleOCR does; it still
            covers no ignored region.
        scale_ratio: Range of the factor of its size.
        flip_ratio: Share of the pasted texts that are mirrored left to right.
        max_degrees: A pasted text is turned by up to this angle to either side.
        max_tries: Attempts to find a place for a text.

    Raises:
        ConfigError: If a share lies outside [0, 1], *scale_ratio* is no range above 0, *max_degrees* lies outside
            [0, 180] or *max_tries* is not positive.

    Source:
        Ghiasi et al., Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation, CVPR 2021;
        for text: Du et al., PP-OCRv2, 2021, §2.1.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "polys", "texts", "ignore_tags", EXTRA, "rng")
    provides: ClassVar[tuple[str, ...]] = ("image", "polys", "texts", "ignore_tags")

    def __init__(
        self,
        objects_paste_ratio: float = 0.2,
        limit_paste: bool = True,
        scale_ratio: tuple[float, float] = (0.5, 3.0),
        flip_ratio: float = 0.5,
        max_degrees: float = 10.0,
        max_tries: int = 50,
    ) -> None:
        if not (0 <= objects_paste_ratio <= 1 and 0 <= flip_ratio <= 1):
            raise ConfigError(
                "CopyPaste needs objects_paste_ratio and flip_ratio in [0, 1]. "
                f"Received: {objects_paste_ratio} and {flip_ratio}"
            )
        if not 0 < scale_ratio[0] <= scale_ratio[1] or not 0 <= max_degrees <= 180 or max_tries < 1:
            raise ConfigError(
                "CopyPaste needs 0 < least ≤ greatest scale_ratio, max_degrees in [0, 180] and max_tries ≥ 1. "
                f"Received: {list(scale_ratio)}, {max_degrees}, {max_tries}"
            )
        self.objects_paste_ratio, self.limit_paste = objects_paste_ratio, limit_paste
        self.scale_ratio, self.flip_ratio = scale_ratio, flip_ratio
        self.max_degrees, self.max_tries = max_degrees, max_tries

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* without ``ext_data``, and with the texts that found a place."""
        rng: np.random.Generator = sample["rng"]
        other = sample[EXTRA][0]
        page = {key: value for key, value in sample.items() if key != EXTRA}
        chosen = self._choose(other, rng)
        if not chosen:
            return page
        changed = {key: page[key].copy() for key in ("image", *maps_in(page))}
        ignore = np.asarray(page["ignore_tags"], dtype=bool)
        blocking = [poly for poly, ignored in zip(page["polys"], ignore, strict=True) if ignored or self.limit_paste]
        taken = np.zeros(page["image"].shape[:2], dtype=np.uint8)
        geometry.fill(taken, blocking, 1)
        polys, texts = list(page["polys"]), list(page["texts"])
        for index in chosen:
            pairs = [(pixels, other[key]) for key, pixels in changed.items()]
            polygon = self._paste(pairs, taken, other["polys"][index], rng)
            if polygon is not None:
                polys.append(polygon)
                texts.append(other["texts"][index])
        tags = np.concatenate([ignore, np.zeros(len(polys) - len(ignore), dtype=bool)])
        return page | changed | {"polys": polys, "texts": texts, "ignore_tags": tags}

    def _choose(self, other: Sample, rng: np.random.Generator) -> list[int]:
        """Return which texts of the other page to paste."""
        size = other["image"].shape[:2]
        readable = [
            index
            for index, (polygon, ignored) in enumerate(zip(other["polys"], other["ignore_tags"], strict=True))
            if not ignored and np.array_equal(geometry.clip(polygon, size), polygon)
        ]
        if not readable or self.objects_paste_ratio == 0:
            return []
        count = min(max(1, round(self.objects_paste_ratio * len(readable))), _MOST_PASTED)
        return [int(index) for index in rng.permutation(readable)[:count]]

    def _paste(
        self, pairs: Sequence[tuple[Pixels, Pixels]], taken: Pixels, polygon: geometry.Array, rng: np.random.Generator
    ) -> geometry.Array | None:
        """Paste one text of another page, in place, and mark it in *taken*; return where it lies, if at all.

        Args:
            pairs: The image (H, W, 3) with that of the other page (H', W', 3), and likewise maps (H, W).
            taken: (H, W), 1 where nothing may be pasted.
            polygon: (P, 2), pixels of the other page.
            rng: Draws form and place.
        """
        turn = self._draw_turn(rng)
        moved = polygon.astype(np.float64) @ turn.T
        shift = _MARGIN_PX - np.floor(moved.min(axis=0))
        moved = (moved + shift).astype(np.float32)
        width, height = (int(side) + 1 + _MARGIN_PX for side in np.ceil(moved.max(axis=0)))
        if height > taken.shape[0] or width > taken.shape[1]:
            return None
        mask = np.zeros((height, width), dtype=np.uint8)
        geometry.fill(mask, [moved], 1)
        corner = self._find_place(taken, cv2.dilate(mask, _MARGIN), rng)
        if corner is None:
            return None
        matrix = np.column_stack([turn, shift])
        here = np.s_[corner[1] : corner[1] + height, corner[0] : corner[0] + width]
        for target, source in pairs:
            patch = cv2.warpAffine(
                source, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            cv2.copyTo(patch, mask, target[here])
        if self.limit_paste:
            taken[here] |= mask
        return moved + np.array(corner, dtype=np.float32)

    def _draw_turn(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return a random mirroring, scale and turn as a matrix (2, 2) for columns (x, y)."""
        side = -1.0 if rng.random() < self.flip_ratio else 1.0
        angle = np.deg2rad(rng.uniform(-self.max_degrees, self.max_degrees))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        scaled: NDArray[np.float64] = rng.uniform(*self.scale_ratio) * turn * [side, 1.0]
        return scaled

    def _find_place(self, taken: Pixels, mask: Pixels, rng: np.random.Generator) -> tuple[int, int] | None:
        """Return (x, y) of a random place of *mask* (h, w) on which *taken* (H, W) is free; None if none was found."""
        height, width = mask.shape
        for _ in range(self.max_tries):
            x = int(rng.integers(taken.shape[1] - width + 1))
            y = int(rng.integers(taken.shape[0] - height + 1))
            if not (taken[y : y + height, x : x + width] & mask).any():
                return x, y
        return None
