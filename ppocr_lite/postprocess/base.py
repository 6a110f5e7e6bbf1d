"""The registry of post-processing steps: arrays of one stage → results."""

from __future__ import annotations

from typing import Any

from ppocr_lite.registry import Registry

# Callables on what a network returns; they never see the framework.
POSTPROCESSES: Registry[Any] = Registry("postprocess", runtime=("charset",))
