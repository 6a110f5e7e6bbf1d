"""The registry of heads."""

from __future__ import annotations

from typing import Any

from ppocr_lite.registry import Registry

# Features → a dict of tensors in training, one tensor in evaluation.
HEADS: Registry[Any] = Registry("head", runtime=("in_channels", "num_classes"))
