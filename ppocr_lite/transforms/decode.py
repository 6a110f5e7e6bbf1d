"""Encoded bytes → pixels."""

from __future__ import annotations

from typing import ClassVar, Literal

import cv2
import numpy as np

from ppocr_lite.io import images
from ppocr_lite.io.formats import MAX_PIXELS
from ppocr_lite.transforms.base import TRANSFORMS, Sample


@TRANSFORMS.register
class DecodeImage:
    """Turn ``sample["image"]`` into pixels; an array passes through after a check.

    Args:
        img_mode: Order of the channels; ``"GRAY"`` repeats one. Prediction feeds networks BGR, so a config may not say
            otherwise.
        channel_first: Return (3, H, W) instead of (H, W, 3). The other transforms expect False.
        max_pixels: Most pixels that an image may declare.

    Raises:
        ImageError: If the image cannot be read; names ``sample["path"]`` where there is one.
    """

    requires: ClassVar[tuple[str, ...]] = ("image",)
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(
        self,
        img_mode: Literal["BGR", "RGB", "GRAY"] = "BGR",
        channel_first: bool = False,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.img_mode = img_mode
        self.channel_first = channel_first
        self.max_pixels = max_pixels

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` uint8 (H, W, 3), or (3, H, W) if channel first."""
        image = images.read(sample["image"], name=sample.get("path"), max_pixels=self.max_pixels)
        if self.img_mode == "RGB":
            image = np.ascontiguousarray(image[:, :, ::-1])
        elif self.img_mode == "GRAY":
            image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        if self.channel_first:
            image = np.ascontiguousarray(image.transpose(2, 0, 1))
        return sample | {"image": image}
