"""A model folder: what its ``inference.yml`` and its network files say, whoever exported them."""

from ppocr_lite.predict.bundle.bundle import (
    BUNDLE_VERSION,
    DESCRIPTION,
    FOREIGN_ONNX,
    ONNX,
    PROGRAMS,
    WEIGHTS,
    Bundle,
    ModelType,
    TensorSpec,
    read_bundle,
    write_bundle,
)

__all__ = [
    "BUNDLE_VERSION",
    "DESCRIPTION",
    "FOREIGN_ONNX",
    "ONNX",
    "PROGRAMS",
    "WEIGHTS",
    "Bundle",
    "ModelType",
    "TensorSpec",
    "read_bundle",
    "write_bundle",
]
