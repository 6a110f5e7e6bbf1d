"""The registry of backbones."""

from __future__ import annotations

from typing import Any

from ppocr_lite.errors import ConfigError
from ppocr_lite.registry import Registry

# An image (N, 3, H, W) → features; each has ``out_channels``.
BACKBONES: Registry[Any] = Registry("backbone", runtime=("in_channels", "model_type"))

MAPS = 4  # that a detector's backbone returns: with 1/4, 1/8, 1/16 and 1/32 of the sides


def check_stages(name: str, stages: int, model_type: str) -> None:
    """Check how many maps a backbone shall return.

    Args:
        name: Of the backbone.
        stages: The number.
        model_type: What it works for.

    Raises:
        ConfigError: If it is not from 1 to 4, or fewer than 4 for a family that has one map anyway.
    """
    if not 1 <= stages <= MAPS or (model_type != "det" and stages != MAPS):
        raise ConfigError(
            f"{name}.stages must be from 1 to {MAPS}, and is for detectors only. Received: {stages} ({model_type})"
        )
