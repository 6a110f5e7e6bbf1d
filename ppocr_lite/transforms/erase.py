"""Augmentations that hide parts of a line: CutOut, RandErasing, HideAndSeek, GridMask.

Each is applied with its own probability to a picture of any size; lengths are shares of its height, because lines
differ in size and are resized to one height afterwards. What is hidden becomes mid-gray, which normalisation maps to 0.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.base import TRANSFORMS, Sample

GRAY = 127
_ATTEMPTS = 100  # to fit a rectangle of the drawn area and shape into the picture


@TRANSFORMS.register
class CutOut:
    """Hide a square around a random pixel; what reaches beyond the picture is lost.

    Args:
        length: Side of the square, a share of the height.
        holes: How many squares.
        prob: Probability of hiding anything.

    Raises:
        ConfigError: If *length* or *holes* is not positive or *prob* lies outside [0, 1].

    Source:
        DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017, §3.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "rng")
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(self, length: float = 0.5, holes: int = 1, prob: float = 0.5) -> None:
        if length <= 0 or holes < 1 or not 0 <= prob <= 1:
            raise ConfigError(
                f"CutOut needs length > 0, holes ≥ 1 and prob in [0, 1]. Received: {length}, {holes}, {prob}"
            )
        self.length, self.holes, self.prob = length, holes, prob

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` changed; uint8 (H, W, 3), same size."""
        rng: np.random.Generator = sample["rng"]
        if rng.random() >= self.prob:
            return sample
        image = sample["image"].copy()
        height, width = image.shape[:2]
        side = max(1, round(self.length * height))
        for _ in range(self.holes):
            top, left = int(rng.integers(height)) - side // 2, int(rng.integers(width)) - side // 2
            image[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = GRAY
        return sample | {"image": image}


@TRANSFORMS.register
class RandErasing:
    """Hide a rectangle of random area, shape and place, wholly inside the picture.

    Args:
        area: Range of the share of the picture that is hidden.
        aspect: Range of height : width of the rectangle, drawn so that a ratio and its inverse are equally likely.
        fill: ``"noise"`` fills with random values, a new one for each value; ``"gray"`` with mid-gray.
        prob: Probability of hiding anything.

    Raises:
        ConfigError: If a range is empty, not above 0 or, of the area, above 1, or *prob* lies outside [0, 1].

    Source:
        Zhong et al., Random Erasing Data Augmentation, AAAI 2020, algorithm 1.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "rng")
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(
        self,
        area: tuple[float, float] = (0.02, 0.4),
        aspect: tuple[float, float] = (0.3, 3.33),
        fill: Literal["noise", "gray"] = "noise",
        prob: float = 0.5,
    ) -> None:
        if not (0 < area[0] <= area[1] <= 1 and 0 < aspect[0] <= aspect[1] and 0 <= prob <= 1):
            raise ConfigError(
                "RandErasing needs 0 < least ≤ greatest for area, at most 1, and for aspect, and prob in [0, 1]. "
                f"Received: {list(area)}, {list(aspect)}, {prob}"
            )
        self.area, self.aspect, self.fill, self.prob = area, aspect, fill, prob

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` changed; uint8 (H, W, 3), same size."""
        rng: np.random.Generator = sample["rng"]
        found = self._draw(sample["image"].shape[:2], rng) if rng.random() < self.prob else None
        if found is None:
            return sample
        image = sample["image"].copy()
        hidden = image[found]
        hidden[:] = rng.integers(0, 256, hidden.shape, dtype=np.uint8) if self.fill == "noise" else GRAY
        return sample | {"image": image}

    def _draw(self, size: tuple[int, int], rng: np.random.Generator) -> tuple[slice, slice] | None:
        """Return rows and columns of a rectangle that fits a picture of *size* (height, width); None if none did."""
        height, width = size
        for _ in range(_ATTEMPTS):
            pixels = rng.uniform(*self.area) * height * width
            ratio = np.exp(rng.uniform(*np.log(self.aspect)))
            tall, wide = round(float(np.sqrt(pixels * ratio))), round(float(np.sqrt(pixels / ratio)))
            if 1 <= tall <= height and 1 <= wide <= width:
                top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
                return slice(top, top + tall), slice(left, left + wide)
        return None


@TRANSFORMS.register
class HideAndSeek:
    """Divide the picture into square cells and hide each with a probability of its own.

    Args:
        rows: Numbers of cells, one above the other, to choose from; 0 hides nothing. The height decides their side.
        hide_prob: Probability that a cell is hidden.
        prob: Probability of hiding anything.

    Raises:
        ConfigError: If *rows* is empty or holds a negative number, or a probability lies outside [0, 1].

    Source:
        Singh and Lee, Hide-and-Seek: Forcing a Network to be Meticulous for Weakly-supervised Object and Action
        Localization, ICCV 2017, §3.1.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "rng")
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(self, rows: tuple[int, ...] = (0, 2, 3, 4), hide_prob: float = 0.5, prob: float = 0.5) -> None:
        if not rows or min(rows) < 0 or not (0 <= hide_prob <= 1 and 0 <= prob <= 1):
            raise ConfigError(
                "HideAndSeek needs rows of 0 or more and probabilities in [0, 1]. "
                f"Received: {list(rows)}, {hide_prob}, {prob}"
            )
        self.rows, self.hide_prob, self.prob = rows, hide_prob, prob

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` changed; uint8 (H, W, 3), same size."""
        rng: np.random.Generator = sample["rng"]
        rows = int(rng.choice(self.rows))
        if rng.random() >= self.prob or rows == 0:
            return sample
        image = sample["image"].copy()
        height, width = image.shape[:2]
        side = max(1, -(-height // rows))
        cells = rng.random((-(-height // side), -(-width // side))) < self.hide_prob
        image[cells.repeat(side, axis=0).repeat(side, axis=1)[:height, :width]] = GRAY
        return sample | {"image": image}


@TRANSFORMS.register
class GridMask:
    """Hide a regular grid of squares: of each unit of side d, all but a strip of width ratio × d above and to the left.

    So the share ``1 - (1 - ratio)²`` of the picture is kept, evenly spread; the phase of the grid is random.

    Args:
        unit: Range of the side of a unit, a share of the height.
        ratio: Width of the strip, a share of the unit.
        prob: Probability of hiding anything.

    Raises:
        ConfigError: If *unit* is no range above 0, *ratio* lies outside (0, 1), or *prob* outside [0, 1].

    Source:
        Chen et al., GridMask Data Augmentation, 2020, §3.2, eq. 2, without its rotation.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "rng")
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(self, unit: tuple[float, float] = (0.4, 1.0), ratio: float = 0.6, prob: float = 0.5) -> None:
        if not (0 < unit[0] <= unit[1] and 0 < ratio < 1 and 0 <= prob <= 1):
            raise ConfigError(
                "GridMask needs 0 < least ≤ greatest unit, ratio in (0, 1) and prob in [0, 1]. "
                f"Received: {list(unit)}, {ratio}, {prob}"
            )
        self.unit, self.ratio, self.prob = unit, ratio, prob

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` changed; uint8 (H, W, 3), same size."""
        rng: np.random.Generator = sample["rng"]
        if rng.random() >= self.prob:
            return sample
        image = sample["image"].copy()
        height, width = image.shape[:2]
        side = max(2, round(rng.uniform(*self.unit) * height))
        strip = min(max(1, round(self.ratio * side)), side - 1)
        y, x = int(rng.integers(side)), int(rng.integers(side))
        rows, columns = ((np.arange(length) + phase) % side >= strip for length, phase in ((height, y), (width, x)))
        image[rows[:, None] & columns[None, :]] = GRAY
        return sample | {"image": image}
