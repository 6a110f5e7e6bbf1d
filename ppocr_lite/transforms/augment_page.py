"""Random changes of a page together with its polygons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite import geometry
from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.transforms.base import TRANSFORMS, Sample, maps_in
from ppocr_lite.transforms.resize import LONGEST_SIDE

# What the detectors of this field are trained with: mirror, turn by up to 10 degrees, resize without keeping the ratio.
_DEFAULT_AUGMENTERS: tuple[dict[str, Any], ...] = (
    {"type": "Fliplr", "args": {"p": 0.5}},
    {"type": "Affine", "args": {"rotate": [-10, 10]}},
    {"type": "Resize", "args": {"size": [0.5, 3]}},
)
_LEAST_SHOWN = 0.5  # of a text that is cut off, this share must be visible for it to count as text


@TRANSFORMS.register
class IaaAugment:
    """Run augmenters of the imgaug library over image and polygons, seeded from ``sample["rng"]``.

    Args:
        augmenter_args: One mapping per augmenter, in order: ``type`` is its imgaug name, ``args`` its arguments, by
            name in a mapping or by position in a list. A pair of numbers is a range to draw from. By default Fliplr
            0.5, Affine rotate -10…10 and Resize 0.5…3.

    Raises:
        ConfigError: If an entry is no such mapping, or imgaug refuses the arguments; names the entry.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "polys", "rng")
    provides: ClassVar[tuple[str, ...]] = ("image", "polys")

    def __init__(self, augmenter_args: list[dict[str, Any]] | None = None) -> None:
        from ppocr_lite.transforms import imgaug_shim  # noqa: PLC0415  an engine, loaded when it is chosen

        self._imgaug = imgaug_shim
        wanted = _DEFAULT_AUGMENTERS if augmenter_args is None else augmenter_args
        steps = [self._build(node, f"augmenter_args[{index}]") for index, node in enumerate(wanted)]
        self._sequence = imgaug_shim.augmenters.Sequential(steps)

    def _build(self, node: Mapping[str, Any], where: str) -> Any:
        known = self._imgaug.AUGMENTERS
        if not isinstance(node, Mapping) or not set(node) <= {"type", "args"} or "type" not in node:
            raise ConfigError(f"IaaAugment.{where} must be a mapping of 'type' and 'args'. Received: {node!r}")
        name, arguments = node["type"], node.get("args") or {}
        if name not in known:
            raise ConfigError(f"IaaAugment.{where}.type: no augmenter is called {name!r}.{suggest(str(name), known)}")
        try:
            if isinstance(arguments, Mapping):
                return known[name](**{key: _as_range(value) for key, value in arguments.items()})
            return known[name](*[_as_range(value) for value in arguments])
        except (TypeError, ValueError, AssertionError) as error:
            raise ConfigError(f"IaaAugment.{where}.args: {name} refuses {arguments!r}: {error}") from error

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` uint8 (H', W', 3) and ``polys`` moved along."""
        sequence = self._sequence.deepcopy()  # seeding changes the augmenters, and a transform holds no state
        sequence.seed_(int(sample["rng"].integers(2**31)), deterministic_too=True)
        sequence = sequence.to_deterministic()
        image = sample["image"]
        polys = self._move(sequence, sample["polys"], image.shape)
        maps = {
            key: sequence.augment_image(np.repeat(sample[key][:, :, None], 3, axis=2), self._imgaug.MOVE_ONLY)[:, :, 0]
            for key in maps_in(sample)
        }
        return sample | {"image": sequence.augment_image(image), "polys": polys} | maps

    def _move(self, sequence: Any, polys: Sequence[geometry.Array], shape: tuple[int, ...]) -> list[geometry.Array]:
        if len(polys) == 0:
            return []
        points = self._imgaug.KeypointsOnImage.from_xy_array(np.concatenate(polys), shape=shape)
        moved = sequence.augment_keypoints(points).to_xy_array().astype(np.float32)
        return np.split(moved, np.cumsum([len(polygon) for polygon in polys])[:-1])


@TRANSFORMS.register
class EastRandomCropData:
    """Cut out a random part of a page, without cutting through a text, and resize it to *size*.

    The sides of the part run where no readable text is, so that each such text is wholly inside or wholly outside. A
    page on which no such part is found in *max_tries* attempts is used whole. Regions that reach beyond the part are
    cut off at its sides; one of which less than half is left is ignored.

    Args:
        size: (width, height) of the result, pixels.
        max_tries: Attempts.
        min_crop_side_ratio: Shortest side of a part, as a share of the page.
        max_crop_side_ratio: Longest side of a part, as a share of the longer side of the page. Where *size* is
            small, larger parts show their text far smaller than inference does.
        keep_ratio: Scale both sides alike and fill the rest, right and below, with black. Otherwise stretch.
        min_fill_ratio: With *keep_ratio*, look on for a part that covers at least this share of the result, and take
            the one that covers most if no attempt finds one. 0 takes the first, and leaves much black, from which
            nothing is learnt.

    Raises:
        ConfigError: If *size* or *max_tries* is not positive, or a ratio lies outside [0, 1].

    Source:
        Zhou et al., EAST, CVPR 2017, whose published training code crops in this way.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "polys", "ignore_tags", "rng")
    provides: ClassVar[tuple[str, ...]] = ("image", "polys", "ignore_tags")

    def __init__(
        self,
        size: tuple[int, int] = (640, 640),
        max_tries: int = 10,
        min_crop_side_ratio: float = 0.1,
        keep_ratio: bool = True,
        min_fill_ratio: float = 0.5,
        max_crop_side_ratio: float = 1.0,
    ) -> None:
        ordered = 0 <= min_crop_side_ratio <= max_crop_side_ratio <= 1
        if min(size) < 1 or max_tries < 1 or not (ordered and 0 <= min_fill_ratio <= 1):
            raise ConfigError(
                "EastRandomCropData needs positive size and max_tries, and ratios in [0, 1], the least crop side no "
                f"longer than the greatest. Received: {list(size)}, {max_tries}, "
                f"min_crop_side_ratio={min_crop_side_ratio}, max_crop_side_ratio={max_crop_side_ratio}, "
                f"min_fill_ratio={min_fill_ratio}"
            )
        if max(size) > LONGEST_SIDE:
            raise ConfigError(
                f"EastRandomCropData.size: sides of at most {LONGEST_SIDE:,} pixels. Received: {list(size)}"
            )
        self.width, self.height = size
        self.max_tries = max_tries
        self.min_crop_side_ratio = min_crop_side_ratio
        self.max_crop_side_ratio = max_crop_side_ratio
        self.keep_ratio = keep_ratio
        self.min_fill_ratio = min_fill_ratio

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` uint8 (height, width, 3), and those regions that the part shows."""
        image, polys = sample["image"], sample["polys"]
        ignore = np.asarray(sample["ignore_tags"], dtype=bool)
        part = self._choose(image.shape[:2], _rects(polys)[~ignore], sample["rng"])
        cut, sy, sx = self._cut(image, part)
        shown = [(index, *found) for index, polygon in enumerate(polys) if (found := _visible(polygon, part))]
        origin = np.array(part[:2], dtype=np.float32)
        changed = {
            "image": cut,
            "polys": [geometry.scale(polygon - origin, sy, sx) for _, polygon, _ in shown],
            "ignore_tags": np.array([ignore[index] or not enough for index, _, enough in shown], dtype=bool),
        }
        if "texts" in sample:
            changed["texts"] = [sample["texts"][index] for index, _, _ in shown]
        return sample | changed | {key: self._cut(sample[key], part)[0] for key in maps_in(sample)}

    def _choose(
        self, size: tuple[int, int], rects: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[int, int, int, int]:
        """Return (x0, y0, x1, y1) of a part of the page that shows one of *rects* (N, 4) or more, and cuts none."""
        height, width = size
        best, best_fill = (0, 0, width, height), 0.0
        free_x, free_y = _free_gaps(rects[:, [0, 2]], width), _free_gaps(rects[:, [1, 3]], height)
        if len(rects) == 0 or not free_x or not free_y:
            return best
        least_x = max(self.min_crop_side_ratio * width, 1.0)
        least_y = max(self.min_crop_side_ratio * height, 1.0)
        most = self.max_crop_side_ratio * max(width, height)
        for _ in range(self.max_tries):
            (x0, x1), (y0, y1) = _draw_span(free_x, rng), _draw_span(free_y, rng)
            inside = (rects[:, 0] < x1) & (rects[:, 2] > x0) & (rects[:, 1] < y1) & (rects[:, 3] > y0)
            if not (least_x <= x1 - x0 <= most and least_y <= y1 - y0 <= most and inside.any()):
                continue
            fill = self._fill(x1 - x0, y1 - y0)
            if fill > best_fill:
                best, best_fill = (x0, y0, x1, y1), fill
            if fill >= self.min_fill_ratio:
                break
        return best

    def _fill(self, width: int, height: int) -> float:
        """Return the share of the result that a part of this size covers."""
        sx, sy = self.width / width, self.height / height
        return min(sx, sy) / max(sx, sy) if self.keep_ratio else 1.0

    def _cut(self, image: NDArray[np.uint8], part: tuple[int, int, int, int]) -> tuple[NDArray[np.uint8], float, float]:
        """Return the part resized to the target size, and its scale (sy, sx)."""
        x0, y0, x1, y1 = part
        sy, sx = self.height / (y1 - y0), self.width / (x1 - x0)
        if not self.keep_ratio:
            return cv2.resize(image[y0:y1, x0:x1], (self.width, self.height), interpolation=cv2.INTER_LINEAR), sy, sx
        height = max(1, min(self.height, round((y1 - y0) * min(sy, sx))))
        width = max(1, min(self.width, round((x1 - x0) * min(sy, sx))))
        padded = np.zeros((self.height, self.width, *image.shape[2:]), dtype=image.dtype)
        padded[:height, :width] = cv2.resize(image[y0:y1, x0:x1], (width, height), interpolation=cv2.INTER_LINEAR)
        return padded, height / (y1 - y0), width / (x1 - x0)


def _as_range(value: Any) -> Any:
    """Return a pair of numbers as a tuple, which imgaug draws from; a list would be a choice of the two."""
    if isinstance(value, list) and len(value) == 2 and all(isinstance(v, int | float) for v in value):
        return tuple(value)
    return value


def _visible(polygon: geometry.Array, part: tuple[int, int, int, int]) -> tuple[geometry.Array, bool] | None:
    """Return what *part* (x0, y0, x1, y1) shows of *polygon*, and whether that is at least half; None if nothing."""
    x0, y0, x1, y1 = geometry.bounding_rect(polygon)
    if x0 >= part[0] and y0 >= part[1] and x1 <= part[2] and y1 <= part[3]:
        return polygon, True
    shown = geometry.intersect_rect(polygon, part)
    if shown is None:
        return None
    return shown, geometry.area(shown) >= _LEAST_SHOWN * geometry.area(polygon)


def _rects(polys: Sequence[geometry.Array]) -> NDArray[np.float32]:
    """Return the upright boxes of *polys*, (N, 4) as x0, y0, x1, y1; (0, 4) if there are none."""
    if len(polys) == 0:
        return np.zeros((0, 4), dtype=np.float32)
    return np.stack([geometry.bounding_rect(polygon) for polygon in polys])


def _free_gaps(spans: NDArray[np.float32], length: int) -> list[tuple[int, int]]:
    """Return the runs of positions in 0…*length*, ends included, that lie strictly inside none of *spans* (N, 2)."""
    taken = np.zeros(length + 1, dtype=bool)
    for low, high in spans:
        taken[max(int(np.floor(low)) + 1, 0) : max(int(np.ceil(high)), 0)] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[True], taken, [True]]).astype(np.int8)))
    return [(int(start), int(end) - 1) for start, end in edges.reshape(-1, 2)]


def _draw_span(gaps: Sequence[tuple[int, int]], rng: np.random.Generator) -> tuple[int, int]:
    """Return two positions, ascending, from two different gaps if there are two."""
    if len(gaps) == 1:
        low, high = gaps[0]
        a, b = (int(v) for v in rng.integers(low, high + 1, size=2))
    else:
        first, second = rng.choice(len(gaps), size=2, replace=False)
        a, b = (int(rng.integers(gaps[int(i)][0], gaps[int(i)][1] + 1)) for i in (first, second))
    return min(a, b), max(a, b)
