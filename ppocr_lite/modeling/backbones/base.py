"""The registry of backbones."""

from __future__ import annotations

from typing import Any

from ppocr_lite.registry import Registry

# An image (N, 3, H, W) → features; each has ``out_channels``.
BACKBONES: Registry[Any] = Registry("backbone", runtime=("in_channels", "model_type"))
