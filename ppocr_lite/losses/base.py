"""The registry of losses."""

from __future__ import annotations

from typing import Any

from ppocr_lite.registry import Registry

# Maps (outputs, batch) to a dict of scalars with the key ``loss``.
LOSSES: Registry[Any] = Registry("loss")
