"""AutoAugment: one of 25 pairs of operations that a search has found."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.base import TRANSFORMS, Sample
from ppocr_lite.transforms.rand_augment import (
    Operation,
    autocontrast,
    colour,
    contrast,
    equalize,
    invert,
    posterize,
    rotate,
    sharpness,
    shear_x,
    solarize,
)

_MOST = 9  # magnitudes are 0 to 9

Step = tuple[Operation, float, int]  # operation, its probability, its magnitude


@TRANSFORMS.register
class AutoAugment:
    """Draw one of the pairs found for ImageNet and apply each operation of it with its own probability and strength.

    The operations and their ranges are those of ``RandAugment``; the sign of those that have one is drawn.

    Args:
        prob: Probability of applying a pair at all.

    Raises:
        ConfigError: If *prob* lies outside [0, 1].

    Source:
        Cubuk et al., AutoAugment: Learning Augmentation Strategies from Data, CVPR 2019, table 9.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "rng")
    provides: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(self, prob: float = 1.0) -> None:
        if not 0 <= prob <= 1:
            raise ConfigError(f"AutoAugment needs prob in [0, 1]. Received: {prob}")
        self.prob = prob

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` changed; uint8 (H, W, 3), same size."""
        rng: np.random.Generator = sample["rng"]
        if rng.random() >= self.prob:
            return sample
        image = sample["image"]
        for operation, probability, magnitude in PAIRS[int(rng.integers(len(PAIRS)))]:
            sign = 1.0 if rng.random() < 0.5 else -1.0
            if rng.random() < probability:
                image = operation(image, sign * magnitude / _MOST)
        return sample | {"image": np.ascontiguousarray(image)}


PAIRS: tuple[tuple[Step, Step], ...] = (
    ((posterize, 0.4, 8), (rotate, 0.6, 9)),
    ((solarize, 0.6, 5), (autocontrast, 0.6, 5)),
    ((equalize, 0.8, 8), (equalize, 0.6, 3)),
    ((posterize, 0.6, 7), (posterize, 0.6, 6)),
    ((equalize, 0.4, 7), (solarize, 0.2, 4)),
    ((equalize, 0.4, 4), (rotate, 0.8, 8)),
    ((solarize, 0.6, 3), (equalize, 0.6, 7)),
    ((posterize, 0.8, 5), (equalize, 1.0, 2)),
    ((rotate, 0.2, 3), (solarize, 0.6, 8)),
    ((equalize, 0.6, 8), (posterize, 0.4, 6)),
    ((rotate, 0.8, 8), (colour, 0.4, 0)),
    ((rotate, 0.4, 9), (equalize, 0.6, 2)),
    ((equalize, 0.0, 7), (equalize, 0.8, 8)),
    ((invert, 0.6, 4), (equalize, 1.0, 8)),
    ((colour, 0.6, 4), (contrast, 1.0, 8)),
    ((rotate, 0.8, 8), (colour, 1.0, 2)),
    ((colour, 0.8, 8), (solarize, 0.8, 7)),
    ((sharpness, 0.4, 7), (invert, 0.6, 8)),
    ((shear_x, 0.6, 5), (equalize, 1.0, 9)),
    ((colour, 0.4, 0), (equalize, 0.6, 3)),
    ((equalize, 0.4, 7), (solarize, 0.2, 4)),
    ((solarize, 0.6, 5), (autocontrast, 0.6, 5)),
    ((invert, 0.6, 4), (equalize, 1.0, 8)),
    ((colour, 0.6, 4), (contrast, 1.0, 8)),
    ((equalize, 0.8, 8), (equalize, 0.6, 3)),
)
