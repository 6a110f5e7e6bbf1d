"""One set of data operators for training, evaluation and inference; NumPy and OpenCV only."""

from ppocr_lite.transforms import (
    augment_line,
    augment_page,
    auto_augment,
    base,
    copy_paste,
    decode,
    det_targets,
    erase,
    labels,
    mix,
    normalize,
    rand_augment,
    resize,
    teacher_map,
    tia,
)
from ppocr_lite.transforms.base import TRANSFORMS, Compose, Sample, Transform

__all__ = [
    "TRANSFORMS",
    "Compose",
    "Sample",
    "Transform",
    "augment_line",
    "augment_page",
    "auto_augment",
    "base",
    "copy_paste",
    "decode",
    "det_targets",
    "erase",
    "labels",
    "mix",
    "normalize",
    "rand_augment",
    "resize",
    "teacher_map",
    "tia",
]
