"""Pixels → the numbers a network expects."""

from __future__ import annotations

from typing import ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.transforms.base import TRANSFORMS, Sample


def look_up(
    image: NDArray[np.uint8], tables: NDArray[np.float32], out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Map pixels to numbers and move the channels to the front, in one pass.

    Args:
        image: (H, W, 3).
        tables: (3, 256), what each value of each channel becomes.
        out: (3, H, W) to write into; its rows may lie apart.

    Returns:
        (3, H, W); *out* if it is given.
    """
    planes = np.empty((3, *image.shape[:2]), np.float32) if out is None else out
    for plane, table, target in zip(cv2.split(image), tables, planes, strict=True):
        cv2.LUT(plane, table, dst=target)
    return planes


@TRANSFORMS.register
class NormalizeImage:
    """Compute ``(image * scale - mean) / std`` channel by channel.

    The result of pixels with the channels last lies in memory with the channels first, as networks take it, so that
    :class:`ToCHWImage` has nothing to copy.

    Args:
        scale: Factor applied first.
        mean: Three values, in the channel order of the image.
        std: Three values, in the channel order of the image.
        order: Where the channels are: ``"hwc"`` last, ``"chw"`` first.

    Raises:
        ConfigError: If *mean* or *std* has not three values, or *std* holds a zero.
    """

    requires: ClassVar[tuple[str, ...]] = ("image",)
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(
        self,
        scale: float = 1.0 / 255.0,
        mean: tuple[float, ...] = (0.485, 0.456, 0.406),  # ImageNet, as PaddleOCR applies it, to BGR
        std: tuple[float, ...] = (0.229, 0.224, 0.225),
        order: Literal["hwc", "chw"] = "hwc",
    ) -> None:
        if len(mean) != 3 or len(std) != 3 or 0.0 in std:
            raise ConfigError(
                f"NormalizeImage needs three means and three non-zero deviations. Received: {mean}, {std}"
            )
        deviation = np.array(std, dtype=np.float64)
        self.factor = (scale / deviation).astype(np.float32)
        self.shift = (-np.array(mean, dtype=np.float64) / deviation).astype(np.float32)
        self.order = order
        # uint8 has 256 values: a table is exact, and faster than arithmetic.
        self.tables = self.shift[:, None] + np.arange(256, dtype=np.float32) * self.factor[:, None]  # (3, 256)

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` float32, same layout."""
        image = sample["image"]
        if self.order == "hwc" and image.dtype == np.uint8:
            return sample | {"image": look_up(image, self.tables).transpose(1, 2, 0)}
        shape = (3, 1, 1) if self.order == "chw" else (3,)
        normal = image.astype(np.float32) * self.factor.reshape(shape) + self.shift.reshape(shape)
        return sample | {"image": normal}


@TRANSFORMS.register
class ReverseChannels:
    """Turn BGR into RGB, or back."""

    requires: ClassVar[tuple[str, ...]] = ("image",)
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` (H, W, 3), its channels in the other order."""
        return sample | {"image": np.ascontiguousarray(sample["image"][:, :, ::-1])}


@TRANSFORMS.register
class ToCHWImage:
    """Move the channels of the image to the front."""

    requires: ClassVar[tuple[str, ...]] = ("image",)
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` (3, H, W), contiguous."""
        return sample | {"image": np.ascontiguousarray(sample["image"].transpose(2, 0, 1))}


@TRANSFORMS.register
class KeepKeys:
    """Drop every key that is not named; the result is a dict, and the order of the names means nothing.

    Args:
        keep_keys: Keys to keep.

    Raises:
        DataError: When called, if the sample lacks a named key.
    """

    requires: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[tuple[str, ...]] = ()

    def __init__(self, keep_keys: list[str]) -> None:
        self.keep_keys = tuple(keep_keys)

    def __call__(self, sample: Sample) -> Sample:
        """Return only the named keys of *sample*."""
        missing = set(self.keep_keys) - set(sample)
        if missing:
            raise DataError(f"KeepKeys names {sorted(missing)}, but the sample has only {sorted(sample)}.")
        return {key: sample[key] for key in self.keep_keys}
