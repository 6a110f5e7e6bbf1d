"""The registry of post-processing steps: arrays of one stage → results."""

from __future__ import annotations

from typing import Any

from ppocr_lite.registry import Registry

# Callables on what a network returns; they never see the framework. One of a detector may have ``output_shape``: the
# size (height, width) of an image → the shape that the network must return for it, or None where it cannot be told.
# Without it a map as large as the image is expected.
POSTPROCESSES: Registry[Any] = Registry("postprocess", runtime=("charset",))
