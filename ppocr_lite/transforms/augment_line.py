"""Random changes of a text line that leave its text readable."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.io.images import Image
from ppocr_lite.transforms import tia
from ppocr_lite.transforms.base import TRANSFORMS, Sample

Change = Callable[[Image, np.random.Generator], Image]


@TRANSFORMS.register
class RecAug:
    """Basic augmentation of text lines (blur, noise, colour, jitter, …) and, on request, TIA.

    Each kind of change is applied with its own probability, independently; geometry first, then blur, then colour.

    Args:
        use_tia: Bend the line by moving control points: distort, stretch or perspective, one of the three.
        tia_prob: Probability of that.
        rotate_prob: Turn by a few degrees and shear.
        crop_prob: Cut a little off the top or bottom, or the sides.
        blur_prob: Gaussian or motion blur, or a loss of resolution.
        noise_prob: Gaussian noise, gray or coloured.
        jitter_prob: Shift the picture by one to three pixels over itself, as a shaken scan.
        hsv_aug_prob: Change hue, saturation, brightness and contrast.
        reverse_prob: Invert the picture: light text on dark becomes dark on light.
        max_height: A higher line is first shrunk to this height, so that all changes work on few pixels. It should
            exceed the height that the recogniser reads.

    Raises:
        ConfigError: If a probability lies outside [0, 1], or *max_height* is too small.

    Source:
        Du et al., PP-OCR: A Practical Ultra Lightweight OCR System, 2020, §2.3 (BDA and TIA).
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "rng")
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(
        self,
        use_tia: bool = True,
        tia_prob: float = 0.4,
        rotate_prob: float = 0.3,
        crop_prob: float = 0.4,
        blur_prob: float = 0.4,
        noise_prob: float = 0.4,
        jitter_prob: float = 0.4,
        hsv_aug_prob: float = 0.4,
        reverse_prob: float = 0.4,
        max_height: int = 64,
    ) -> None:
        self.max_height = max_height
        self.changes: tuple[tuple[float, Change], ...] = (
            (crop_prob, crop),
            (tia_prob if use_tia else 0.0, bend),
            (rotate_prob, rotate),
            (blur_prob, blur),
            (jitter_prob, jitter),
            (hsv_aug_prob, change_colour),
            (noise_prob, add_noise),
            (reverse_prob, reverse),
        )
        if max_height < 8 or any(not 0.0 <= probability <= 1.0 for probability, _ in self.changes):
            raise ConfigError("RecAug needs probabilities in [0, 1] and a max_height of at least 8 pixels.")

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` changed; uint8 (h, w, 3)."""
        rng: np.random.Generator = sample["rng"]
        image = _limit_height(sample["image"], self.max_height)
        draws = rng.random(len(self.changes))
        for draw, (probability, change) in zip(draws, self.changes, strict=True):
            if draw < probability:
                image = change(image, rng)
        return sample | {"image": np.ascontiguousarray(image)}


def bend(image: Image, rng: np.random.Generator) -> Image:
    """Apply one of the three TIA changes; lines too small to bend stay as they are."""
    if min(image.shape[:2]) < 16 or image.shape[1] < 20:
        return image
    kind = int(rng.integers(3))
    if kind == 0:
        return tia.distort(image, rng)
    return tia.stretch(image, rng) if kind == 1 else tia.perspective(image, rng)


def crop(image: Image, rng: np.random.Generator) -> Image:
    """Cut up to an eighth of the height off the top or bottom, or up to a tenth of it off the ends."""
    height, width = image.shape[:2]
    if height < 16 or width < 16:
        return image
    top, bottom = (int(v) for v in rng.integers(0, height // 8 + 1, 2))
    if rng.random() < 0.5:
        top, bottom = (top, 0) if rng.random() < 0.5 else (0, bottom)
    left, right = (int(v) for v in rng.integers(0, height // 10 + 1, 2))
    return image[top : height - bottom, left : width - right]


def rotate(image: Image, rng: np.random.Generator) -> Image:
    """Turn about the centre by up to 3 degrees, less for a long line so that its ends stay inside, and shear it."""
    height, width = image.shape[:2]
    most = min(np.deg2rad(3.0), 0.35 * height / width)  # at the limit the ends move by a sixth of the height
    slope, shear = rng.uniform(-most, most), rng.uniform(-0.25, 0.25)
    matrix = np.array([[1.0, shear, -shear * height / 2.0], [slope, 1.0, -slope * width / 2.0]])
    turned: Image = cv2.warpAffine(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return turned


def blur(image: Image, rng: np.random.Generator) -> Image:
    """Blur with a round kernel, along one direction, or by shrinking and enlarging; strength follows the height."""
    height, width = image.shape[:2]
    kind = int(rng.integers(3))
    blurred: Image
    if kind == 0:
        blurred = cv2.GaussianBlur(image, (5, 5), float(rng.uniform(0.2, 0.035 * height + 0.4)))
    elif kind == 1:
        blurred = cv2.filter2D(image, -1, _motion_kernel(int(rng.integers(3, 4 + height // 10)), rng))
    else:
        ratio = rng.uniform(0.45, 0.9)
        small = (max(1, round(width * ratio)), max(1, round(height * ratio)))
        shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        blurred = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)
    return blurred


def jitter(image: Image, rng: np.random.Generator) -> Image:
    """Lay the picture over itself, moved by one to three pixels along the diagonal."""
    height, width = image.shape[:2]
    step = int(rng.integers(1, max(2, round(0.05 * height) + 1)))
    if min(height, width) <= 2 * step:
        return image
    moved = image.copy()
    moved[step:, step:] = cv2.addWeighted(image[step:, step:], 0.5, image[:-step, :-step], 0.5, 0.0)
    return moved


def change_colour(image: Image, rng: np.random.Generator) -> Image:
    """Shift the hue, scale the saturation, and change brightness and contrast."""
    levels = np.arange(256, dtype=np.float32)
    hue, saturation = rng.uniform(-12.0, 12.0), rng.uniform(0.5, 1.5)
    contrast, brightness = rng.uniform(0.6, 1.3), rng.uniform(-40.0, 40.0)
    value = np.clip((levels - 128.0) * contrast + 128.0 + brightness, 0, 255)
    table = np.stack([(levels + hue) % 180.0, np.clip(levels * saturation, 0, 255), value], axis=-1).astype(np.uint8)
    hsv = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_BGR2HSV), table[None])
    changed: Image = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    return changed


def add_noise(image: Image, rng: np.random.Generator) -> Image:
    """Add Gaussian noise of a drawn strength, the same for all channels half of the time."""
    height, width, channels = image.shape
    sigma = rng.uniform(2.0, 18.0)
    depth = 1 if rng.random() < 0.5 else channels
    noise = rng.standard_normal((height, width, depth), dtype=np.float32) * np.float32(sigma)
    noisy: NDArray[np.float32] = noise + image
    np.clip(noisy, 0, 255, out=noisy)
    return noisy.astype(np.uint8)


def reverse(image: Image, rng: np.random.Generator) -> Image:
    """Invert every channel."""
    inverted: Image = cv2.bitwise_not(image)
    return inverted


def _motion_kernel(length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a (length, length) kernel that averages along a line of a random direction."""
    kernel = np.zeros((length, length), dtype=np.float32)
    angle, middle = rng.uniform(0.0, np.pi), (length - 1) / 2.0
    along = np.linspace(-middle, middle, 2 * length)
    rows = np.round(middle + along * np.sin(angle)).astype(int)
    columns = np.round(middle + along * np.cos(angle)).astype(int)
    kernel[rows, columns] = 1.0
    kernel /= kernel.sum()
    return kernel


def _limit_height(image: Image, most: int) -> Image:
    height, width = image.shape[:2]
    if height <= most:
        return image
    size = (max(1, round(width * most / height)), most)
    smaller: Image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return smaller
