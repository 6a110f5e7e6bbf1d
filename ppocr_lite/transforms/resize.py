"""One resize per task. Each records what it did in ``shape``, and can undo itself on points.

``shape`` is float32 (4,): height and width of the image before, then ratio_h and ratio_w, new size ÷ old size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite import geometry
from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.base import TRANSFORMS, Sample
from ppocr_lite.transforms.normalize import look_up

STRIDE = 32  # the deepest feature map of every detector is 1/32 of its input
# What the 256 values of a pixel become: (x / 255 - 0.5) / 0.5, the same in three channels.
_UNIT_RANGE = np.tile(np.arange(256, dtype=np.float32) * np.float32(1.0 / 127.5) - np.float32(1.0), (3, 1))
LONGEST_SIDE = 10_000  # pixels, of what a network takes; a mistyped one would ask for all memory
LARGEST_LINE = 10_000_000  # pixels
MAX_LINE_RATIO = 20  # a line wider than this many times the standard width is squeezed even when squeezing is off


def batch_width(widths: Iterable[int], bucket: int = 32) -> int:
    """Return the common width of a batch of lines: the widest, rounded up to a multiple of *bucket*.

    Few distinct widths keep the number of shapes an engine has to prepare for small.
    """
    widest = max(widths)
    return max(bucket, -(-widest // bucket) * bucket)


def pad_batch(images: Sequence[NDArray[np.float32]], width: int) -> NDArray[np.float32]:
    """Stack line images of one height into one array, zeros to their right.

    Args:
        images: Each (C, H, w) float32, w ≤ *width*.
        width: Common width, from :func:`batch_width`.

    Returns:
        (N, C, H, width) float32.

    Raises:
        ValueError: If there is no image, or one is too wide or of another height.
    """
    if not images:
        raise ValueError("A batch needs at least one image.")
    channels, height = images[0].shape[:2]
    batch = np.zeros((len(images), channels, height, width), dtype=np.float32)
    for row, image in zip(batch, images, strict=True):
        if image.shape[:2] != (channels, height) or image.shape[2] > width:
            raise ValueError(f"Images must fit ({channels}, {height}, {width}). Received: {image.shape}")
        row[:, :, : image.shape[2]] = image
    return batch


class Resize:
    """What the three resizes share: points there and back."""

    @staticmethod
    def apply(points: geometry.Array, shape: NDArray[np.float32]) -> geometry.Array:
        """Return *points* (…, 2) of the image before as points of the image after."""
        return geometry.scale(points, float(shape[2]), float(shape[3]))

    @staticmethod
    def restore(points: geometry.Array, shape: NDArray[np.float32]) -> geometry.Array:
        """Return *points* (…, 2) of the image after as points of the image before."""
        return geometry.scale(points, 1.0 / float(shape[2]), 1.0 / float(shape[3]))


@TRANSFORMS.register
class DetResizeForTest(Resize):
    """Resize a page once, to sides that are multiples of 32. ``polys``, the truth, stay in pixels of the page.

    Args:
        image_shape: (height, width) to resize to whatever the page is, each rounded to a multiple of 32; the
            limits are then not used.
        limit_side_len: Limit in pixels for one side.
        limit_type: ``"max"`` shrinks a page whose longer side exceeds the limit; ``"min"`` enlarges one whose
            shorter side is below it. Any other page keeps its size, but for the rounding.
        max_side_limit: No side becomes longer than this, so that ``"min"`` cannot blow up a narrow strip.
        keep_ratio: With *image_shape*: the page keeps its ratio, and what is left of the shape, below or to the right,
            is filled with the nearest pixel. Otherwise it is stretched to the shape.
    """

    requires: ClassVar[tuple[str, ...]] = ("image",)
    provides: ClassVar[tuple[str, ...]] = ("image", "shape")

    def __init__(
        self,
        image_shape: tuple[int, int] | None = None,
        limit_side_len: int = 736,
        limit_type: Literal["max", "min"] = "min",
        max_side_limit: int = 4000,
        keep_ratio: bool = False,
    ) -> None:
        if limit_side_len < STRIDE or max_side_limit < STRIDE or min(image_shape or (STRIDE,)) < 1:
            raise ConfigError(f"DetResizeForTest: sides must be at least {STRIDE} pixels.")
        if max(limit_side_len, max_side_limit, *(image_shape or ())) > LONGEST_SIDE:
            raise ConfigError(f"DetResizeForTest: sides must be at most {LONGEST_SIDE} pixels.")
        self.image_shape = image_shape
        self.limit_side_len = limit_side_len
        self.limit_type = limit_type
        self.max_side_limit = max_side_limit
        self.keep_ratio = keep_ratio

    def target_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) that a page of that size is resized to."""
        if self.image_shape is not None:
            return _to_stride(self.image_shape[0]), _to_stride(self.image_shape[1])
        ratio = 1.0
        if self.limit_type == "max":
            ratio = min(ratio, self.limit_side_len / max(height, width))
        else:
            ratio = max(ratio, self.limit_side_len / min(height, width))
        ratio = min(ratio, self.max_side_limit / max(height, width))
        return _to_stride(height * ratio), _to_stride(width * ratio)

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` (H', W', 3) of the same dtype, and ``shape``."""
        image = sample["image"]
        height, width = image.shape[:2]
        target = self.target_size(height, width)
        if self.image_shape is None or not self.keep_ratio:
            return sample | {"image": _resize(image, *target), "shape": _shape(image, *target)}
        ratio = min(target[0] / height, target[1] / width)
        inner = max(1, round(height * ratio)), max(1, round(width * ratio))
        below, right = target[0] - inner[0], target[1] - inner[1]
        framed = cv2.copyMakeBorder(_resize(image, *inner), 0, below, 0, right, cv2.BORDER_REPLICATE)
        return sample | {"image": framed, "shape": _shape(image, *inner)}


class LineResize(Resize):
    """What the resizes of lines share: the pixels, and what they become in a batch.

    Args:
        name: Name of the resize, for messages.
        image_shape: (channels, height, width).
        limit: Widest result, pixels; a line that would become wider is pressed into it.

    Raises:
        ConfigError: If *image_shape* is not three positive numbers, the first of them 3.
    """

    def __init__(self, name: str, image_shape: tuple[int, int, int], limit: int) -> None:
        if len(image_shape) != 3 or image_shape[0] != 3 or min(image_shape) < 1:
            raise ConfigError(f"{name}.image_shape must be [3, height, width]. Received: {list(image_shape)}")
        if max(image_shape) > LONGEST_SIDE or image_shape[1] * image_shape[2] > LARGEST_LINE:
            raise ConfigError(
                f"{name}.image_shape: sides of at most {LONGEST_SIDE:,} and together {LARGEST_LINE:,} pixels. "
                f"Received: {list(image_shape)}"
            )
        _, self.height, self.width = image_shape
        self.limit = limit

    def pixels(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a line (h, w, 3) as high as the network takes it, its ratio kept up to the limit; (height, w', 3)."""
        width: int = math.ceil(self.height * image.shape[1] / image.shape[0])
        return _resize(image, self.height, max(1, min(self.limit, width)))

    def zoom(self, line: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
        """Return what :meth:`pixels` has returned with its text *scale* times as large; (height, w', 3).

        Rows above and below are cut off, or filled with the nearest pixel.
        """
        border = round(self.height * (1 / scale - 1) / 2)
        if border < 0:
            framed = line[-border:border]
        else:
            framed = cv2.copyMakeBorder(line, border, border, 0, 0, cv2.BORDER_REPLICATE)
        return self.pixels(framed)

    @staticmethod
    def batch(lines: Sequence[NDArray[np.uint8]], width: int) -> NDArray[np.float32]:
        """Map lines that :meth:`pixels` has returned to [-1, 1], with zeros to their right.

        Args:
            lines: Each (height, w, 3), w ≤ *width*; at least one.
            width: Common width.

        Returns:
            (N, 3, height, width) float32.
        """
        batch = np.empty((len(lines), 3, lines[0].shape[0], width), np.float32)  # zeros() would take fresh memory
        for row, line in zip(batch, lines, strict=True):
            look_up(line, _UNIT_RANGE, row[:, :, : line.shape[1]])
            row[:, :, line.shape[1] :] = 0
        return batch


@TRANSFORMS.register
class RecResizeImg(LineResize):
    """Resize a line to the height of the recogniser, keep its aspect ratio, and map pixels to [-1, 1].

    The line is not padded: lines of a batch are, together, by :func:`batch_width` and :func:`pad_batch`.

    Args:
        image_shape: (channels, height, standard width).
        squeeze: Press a line that would become wider than the standard width into it. False keeps its ratio, up to
            20 times the standard width.

    Raises:
        ConfigError: If *image_shape* is not three positive numbers, the first of them 3.
    """

    requires: ClassVar[tuple[str, ...]] = ("image",)
    provides: ClassVar[tuple[str, ...]] = ("image", "shape", "valid_ratio")

    def __init__(self, image_shape: tuple[int, int, int] = (3, 32, 320), squeeze: bool = True) -> None:
        super().__init__("RecResizeImg", image_shape, image_shape[-1] * (1 if squeeze else MAX_LINE_RATIO))
        self.squeeze = squeeze

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` float32 (3, height, w), ``shape``, and ``valid_ratio``.

        The latter is the share of the standard width that the line fills, at most 1.
        """
        pixels = self.pixels(sample["image"])
        return sample | {
            "image": look_up(pixels, _UNIT_RANGE),
            "shape": _shape(sample["image"], *pixels.shape[:2]),
            "valid_ratio": np.float32(min(1.0, pixels.shape[1] / self.width)),
        }


@TRANSFORMS.register
class ClsResizeImg(LineResize):
    """Resize a line to a fixed shape for the orientation classifier: ratio kept, squeezed if wide, zeros to the right.

    Args:
        image_shape: (channels, height, width).
        max_ratio: Of a line longer than that many times its height only the beginning is used: squeezed whole, nobody
            can tell which way up it is. None uses any line whole.

    Raises:
        ConfigError: If *image_shape* is not three positive numbers, the first of them 3; if *max_ratio* is not
            positive.
    """

    requires: ClassVar[tuple[str, ...]] = ("image",)
    provides: ClassVar[tuple[str, ...]] = ("image", "shape")

    def __init__(self, image_shape: tuple[int, int, int] = (3, 48, 192), max_ratio: float | None = None) -> None:
        super().__init__("ClsResizeImg", image_shape, image_shape[-1])
        if max_ratio is not None and max_ratio <= 0:
            raise ConfigError(f"ClsResizeImg.max_ratio must be positive. Received: {max_ratio}")
        self.max_ratio = max_ratio

    def pixels(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the line, or its beginning, as high as the network takes it and at most as wide; (height, w', 3)."""
        return super().pixels(self._beginning(image))

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` float32 (3, height, width) in [-1, 1], and ``shape``."""
        line = self._beginning(sample["image"])
        pixels = self.pixels(line)
        padded = self.batch([pixels], self.width)[0]
        return sample | {"image": padded, "shape": _shape(line, *pixels.shape[:2])}

    def _beginning(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image if self.max_ratio is None else image[:, : max(1, round(self.max_ratio * image.shape[0]))]


@TRANSFORMS.register
class ResizeImage(Resize):
    """Stretch an image to one size, as networks that classify whole images take it.

    Args:
        size: (width, height).
    """

    requires: ClassVar[tuple[str, ...]] = ("image",)
    provides: ClassVar[tuple[str, ...]] = ("image", "shape")

    def __init__(self, size: tuple[int, int] = (160, 80)) -> None:
        if min(size) < 1:
            raise ConfigError(f"ResizeImage.size must be (width, height), both positive. Received: {list(size)}")
        self.width, self.height = size

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` (height, width, 3) of the same dtype, and ``shape``."""
        image = sample["image"]
        resized = _resize(image, self.height, self.width)
        return sample | {"image": resized, "shape": _shape(image, self.height, self.width)}


def _to_stride(side: float) -> int:
    return max(STRIDE, round(side / STRIDE) * STRIDE)


def _resize(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    if image.shape[:2] == (height, width):
        return image
    resized: NDArray[np.uint8] = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return resized


def _shape(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float32]:
    before_height, before_width = image.shape[:2]
    return np.array([before_height, before_width, height / before_height, width / before_width], dtype=np.float32)
