"""Augmentations that mix two samples and their classes: Mixup, CutMix.

The label becomes the share of each class, which ``ClsLoss`` takes. The other sample is drawn from the data set and has
gone through the steps before, so both have one size only after ``ClsResizeImg``.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.transforms.base import EXTRA, TRANSFORMS, Sample

Shares = NDArray[np.float32]


@TRANSFORMS.register
class Mixup:
    """Add another sample, each with its share: ``λ a + (1 - λ) b``, λ from the beta distribution of (α, α).

    Args:
        alpha: α: near 0 one of the two dominates, at 1 every λ is equally likely.
        class_num: Number of classes.
        prob: Probability of mixing; a sample that is not mixed has the share 1 of its class.

    Raises:
        ConfigError: If *alpha* is not above 0, *class_num* below 2, or *prob* outside [0, 1].
        DataError: When called, if the two images differ in size.

    Source:
        Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, eq. 1.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "label", EXTRA, "rng")
    provides: ClassVar[tuple[str, ...]] = ("image", "label")

    def __init__(self, alpha: float = 0.2, class_num: int = 2, prob: float = 0.5) -> None:
        _check("Mixup", alpha, class_num, prob)
        self.alpha, self.class_num, self.prob = alpha, class_num, prob

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` mixed, same shape and dtype, and ``label`` float32 (class_num,)."""
        rng: np.random.Generator = sample["rng"]
        first, second, labels, rest = _both("Mixup", sample, self.class_num)
        share = rng.beta(self.alpha, self.alpha) if rng.random() < self.prob else 1.0
        mixed = share * first + (1.0 - share) * second
        image = np.round(mixed) if first.dtype == np.uint8 else mixed
        return rest | {"image": image.astype(first.dtype), "label": _blend(labels, share)}


@TRANSFORMS.register
class CutMix:
    """Replace a rectangle by the same part of another sample; the label takes the shares of the picture.

    The rectangle has the shape of the picture, the area 1 - λ of it with λ from the beta distribution of (α, α), and
    its centre anywhere; what reaches beyond the picture is cut off, and the shares are those of what is left.

    Args:
        alpha: α: at 1 every area is equally likely.
        class_num: Number of classes.
        prob: Probability of mixing; a sample that is not mixed has the share 1 of its class.

    Raises:
        ConfigError: If *alpha* is not above 0, *class_num* below 2, or *prob* outside [0, 1].
        DataError: When called, if the two images differ in size.

    Source:
        Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features, ICCV 2019,
        §3.1.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "label", EXTRA, "rng")
    provides: ClassVar[tuple[str, ...]] = ("image", "label")

    def __init__(self, alpha: float = 1.0, class_num: int = 2, prob: float = 0.5) -> None:
        _check("CutMix", alpha, class_num, prob)
        self.alpha, self.class_num, self.prob = alpha, class_num, prob

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``image`` mixed, same shape and dtype, and ``label`` float32 (class_num,)."""
        rng: np.random.Generator = sample["rng"]
        first, second, labels, rest = _both("CutMix", sample, self.class_num)
        if rng.random() >= self.prob:
            return rest | {"image": first, "label": _blend(labels, 1.0)}
        channels_first = first.shape[0] == 3
        height, width = first.shape[1:] if channels_first else first.shape[:2]
        side = np.sqrt(1.0 - rng.beta(self.alpha, self.alpha))  # of the rectangle, as a share of that of the picture
        rows, columns = _span(height, side, rng), _span(width, side, rng)
        image = first.copy()
        part = (slice(None), rows, columns) if channels_first else (rows, columns)
        image[part] = second[part]
        area = (rows.stop - rows.start) * (columns.stop - columns.start)
        return rest | {"image": image, "label": _blend(labels, 1.0 - area / (height * width))}


def _check(name: str, alpha: float, class_num: int, prob: float) -> None:
    if alpha <= 0 or class_num < 2 or not 0 <= prob <= 1:
        raise ConfigError(
            f"{name} needs alpha > 0, class_num ≥ 2 and prob in [0, 1]. Received: {alpha}, {class_num}, {prob}"
        )


def _both(name: str, sample: Sample, class_num: int) -> tuple[NDArray[Any], NDArray[Any], Shares, Sample]:
    """Return both images, their labels (2, class_num) as shares, and the sample without the other one."""
    other = sample[EXTRA][0]
    first, second = sample["image"], other["image"]
    if first.shape != second.shape:
        raise DataError(
            f"{name} needs two images of one size; put it after ClsResizeImg. "
            f"Received: {first.shape} and {second.shape}"
        )
    rest = {key: value for key, value in sample.items() if key != EXTRA}
    return first, second, np.stack([_shares(s["label"], class_num) for s in (sample, other)]), rest


def _shares(label: Any, class_num: int) -> Shares:
    """Return a label, an index or already shares, as float32 (class_num,)."""
    given = np.asarray(label)
    if given.ndim == 0:
        given = np.eye(class_num, dtype=np.float32)[int(given)]
    return given.astype(np.float32)


def _blend(labels: Shares, share: float) -> Shares:
    """Return the label of a mixture with *share* of the first sample."""
    mixed: Shares = (np.array([share, 1.0 - share]) @ labels).astype(np.float32)
    return mixed


def _span(length: int, side: float, rng: np.random.Generator) -> slice:
    """Return a part of 0…*length*, *side* of it long, around a random place, cut off at both ends."""
    half, middle = side * length / 2.0, rng.uniform(0.0, length)
    return slice(max(round(middle - half), 0), min(round(middle + half), length))
