"""The registry of necks."""

from __future__ import annotations

from typing import Any

from ppocr_lite.registry import Registry

# Features of the backbone → features of the head; each has ``out_channels``.
NECKS: Registry[Any] = Registry("neck", runtime=("in_channels",))
