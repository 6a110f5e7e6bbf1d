"""RandAugment for text lines: a few operations drawn from a fixed list, all of one strength."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.io.images import Image
from ppocr_lite.transforms.base import TRANSFORMS, Sample

Operation = Callable[[Image, float], Image]

MAX_MAGNITUDE = 10


@TRANSFORMS.register
class RandAugment:
    """Apply *num_layers* operations, each drawn from the list of 14 and applied with probability one half.

    Args:
        num_layers: Operations per image.
        magnitude: Their strength, from 0 (none) to 10. The sign of those that have one is drawn.

    Raises:
        ConfigError: If *num_layers* is negative or *magnitude* lies outside [0, 10].

    Source:
        Cubuk et al., RandAugment: Practical automated data augmentation with a reduced search space, 2020; the ranges
        are those of Cubuk et al., AutoAugment, 2019, table 6.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "rng")
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(self, num_layers: int = 2, magnitude: float = 5) -> None:
        if num_layers < 0 or not 0 <= magnitude <= MAX_MAGNITUDE:
            raise ConfigError(f"RandAugment needs num_layers >= 0 and magnitude in [0, {MAX_MAGNITUDE}].")
        self.num_layers = num_layers
        self.strength = magnitude / MAX_MAGNITUDE

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` changed; uint8 (H, W, 3), same size."""
        rng: np.random.Generator = sample["rng"]
        image = sample["image"]
        for index in rng.integers(len(OPERATIONS), size=self.num_layers):
            sign = 1.0 if rng.random() < 0.5 else -1.0
            if rng.random() < 0.5:
                image = OPERATIONS[int(index)](image, sign * self.strength)
        return sample | {"image": np.ascontiguousarray(image)}


def shear_x(image: Image, level: float) -> Image:
    """Slant by up to 0.3 pixels per row."""
    return _affine(image, [[1.0, 0.3 * level, -0.15 * level * image.shape[0]], [0.0, 1.0, 0.0]])


def shear_y(image: Image, level: float) -> Image:
    """Climb along the line; at full level its ends move by 0.3 of the height."""
    height, width = image.shape[:2]
    slope = 0.6 * level * min(height / width, 0.5)
    return _affine(image, [[1.0, 0.0, 0.0], [slope, 1.0, -slope * width / 2.0]])


def translate_x(image: Image, level: float) -> Image:
    """Shift sideways by up to 0.2 of the width."""
    return _affine(image, [[1.0, 0.0, 0.2 * level * image.shape[1]], [0.0, 1.0, 0.0]])


def translate_y(image: Image, level: float) -> Image:
    """Shift up or down by up to 0.3 of the height."""
    return _affine(image, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.3 * level * image.shape[0]]])


def rotate(image: Image, level: float) -> Image:
    """Turn about the centre by up to 30 degrees, less for a long line so that its ends stay inside."""
    height, width = image.shape[:2]
    degrees = level * min(30.0, float(np.rad2deg(np.arctan2(height, width))))
    return _affine(image, cv2.getRotationMatrix2D((width / 2.0, height / 2.0), degrees, 1.0))


def colour(image: Image, level: float) -> Image:
    """Move away from, or towards, the gray picture."""
    gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return _blend(image, gray, 1.0 + 0.9 * level)


def contrast(image: Image, level: float) -> Image:
    """Spread values away from, or towards, their mean."""
    return _through_table(image, (_LEVELS - image.mean()) * (1.0 + 0.9 * level) + image.mean())


def brightness(image: Image, level: float) -> Image:
    """Multiply all values by 0.1 to 1.9."""
    return _through_table(image, _LEVELS * (1.0 + 0.9 * level))


def sharpness(image: Image, level: float) -> Image:
    """Move away from, or towards, the smoothed picture."""
    return _blend(image, cv2.blur(image, (3, 3)), 1.0 + 0.9 * level)


def posterize(image: Image, level: float) -> Image:
    """Keep 8 to 4 bits of each value."""
    step = 2 ** round(4 * abs(level))
    return _through_table(image, _LEVELS // step * step)


def solarize(image: Image, level: float) -> Image:
    """Invert values above a threshold, which falls from 256 to 0."""
    return _through_table(image, np.where(256.0 * (1.0 - abs(level)) <= _LEVELS, 255.0 - _LEVELS, _LEVELS))


def autocontrast(image: Image, level: float) -> Image:
    """Stretch values to the full range, whatever the level."""
    low, high = float(image.min()), float(image.max())
    return _through_table(image, (_LEVELS - low) * (255.0 / max(high - low, 1.0)))


def equalize(image: Image, level: float) -> Image:
    """Give each channel a flat histogram, whatever the level."""
    return np.stack([cv2.equalizeHist(plane) for plane in cv2.split(image)], axis=-1)


def invert(image: Image, level: float) -> Image:
    """Invert all values, whatever the level."""
    inverted: Image = cv2.bitwise_not(image)
    return inverted


_LEVELS = np.arange(256, dtype=np.float64)

OPERATIONS: tuple[Operation, ...] = (
    shear_x, shear_y, translate_x, translate_y, rotate, colour, contrast, brightness, sharpness, posterize, solarize,
    autocontrast, equalize, invert,
)  # fmt: skip


def _affine(image: Image, matrix: list[list[float]] | NDArray[np.float64]) -> Image:
    height, width = image.shape[:2]
    exact = np.asarray(matrix, dtype=np.float64)
    moved: Image = cv2.warpAffine(
        image, exact, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return moved


def _blend(image: Image, other: Image, share: float) -> Image:
    """Return ``share * image + (1 - share) * other``, clipped."""
    blended: Image = cv2.addWeighted(image, share, other, 1.0 - share, 0.0)
    return blended


def _through_table(image: Image, values: NDArray[np.float64]) -> Image:
    changed: Image = cv2.LUT(image, np.clip(np.round(values), 0, 255).astype(np.uint8))
    return changed
