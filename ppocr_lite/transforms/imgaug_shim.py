"""The only place that imports imgaug, which is unmaintained and slow to load.

imgaug 0.4.0 reads ``numpy.sctypes`` once, while it is imported. NumPy 2 removed that name, so it is defined here
first, with the groups of types NumPy 1 listed. Nothing else of imgaug's use of NumPy broke for the augmenters that
ran here on NumPy 2.4: Fliplr, Affine, Resize, MotionBlur, GaussianBlur, AdditiveGaussianNoise, PerspectiveTransform,
JpegCompression, Multiply, LinearContrast, Grayscale, Dropout, CoarseDropout. ElasticTransformation fails on OpenCV 5.

Import this module only where a configured transform asks for imgaug: loading takes about a second.
"""

from __future__ import annotations

import numpy as np

if not hasattr(np, "sctypes"):
    np.sctypes = {  # type: ignore[attr-defined]
        "int": [np.int8, np.int16, np.int32, np.int64],
        "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
        "float": [np.float16, np.float32, np.float64],
        "complex": [np.complex64, np.complex128],
        "others": [bool, object, bytes, str, np.void],
    }

from imgaug import HooksImages, augmenters
from imgaug.augmentables import Keypoint, KeypointsOnImage

# The augmenters that a config may name, under the names imgaug gives them.
AUGMENTERS: dict[str, type[augmenters.Augmenter]] = {
    augmenter.__name__: augmenter
    for augmenter in (
        augmenters.AdditiveGaussianNoise,
        augmenters.Affine,
        augmenters.CoarseDropout,
        augmenters.Dropout,
        augmenters.Fliplr,
        augmenters.Flipud,
        augmenters.GaussianBlur,
        augmenters.Grayscale,
        augmenters.JpegCompression,
        augmenters.LinearContrast,
        augmenters.MotionBlur,
        augmenters.Multiply,
        augmenters.PerspectiveTransform,
        augmenters.Resize,
    )
}

# Those of them that move pixels, and what holds several augmenters.
_MOVING = (
    augmenters.Affine,
    augmenters.Fliplr,
    augmenters.Flipud,
    augmenters.PerspectiveTransform,
    augmenters.Resize,
    augmenters.Sequential,
)
# Lets nothing happen but that pixels are moved.
MOVE_ONLY = HooksImages(activator=lambda images, augmenter, parents, default: isinstance(augmenter, _MOVING))

__all__ = ["AUGMENTERS", "MOVE_ONLY", "Keypoint", "KeypointsOnImage", "augmenters"]
