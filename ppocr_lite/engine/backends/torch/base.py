"""The registries of the torch engine: the same kinds, names and arguments as the Paddle ones.

A config is checked against signatures.  With ``Global.engine: torch`` it is checked against these, so a
machine without Paddle checks and trains the same files.
"""

from __future__ import annotations

from typing import Any

from ppocr_lite.registry import Registry

# An image (N, 3, H, W) → features; each has ``out_channels``.
BACKBONES: Registry[Any] = Registry("backbone", runtime=("in_channels", "model_type"))
# Features of the backbone → features of the head; each has ``out_channels``.
NECKS: Registry[Any] = Registry("neck", runtime=("in_channels",))
# Features → a dict of tensors in training, one tensor in evaluation.
HEADS: Registry[Any] = Registry("head", runtime=("in_channels", "num_classes"))
# Maps (outputs, batch) to a dict of scalars with the key ``loss``.
LOSSES: Registry[Any] = Registry("loss")
