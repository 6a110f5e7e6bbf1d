"""The families that a config may name, and what the backbone of each gives; ``ppocr_lite.families`` says the rest."""

from __future__ import annotations

from typing import Any, Literal

from ppocr_lite.errors import ConfigError

# ``maps``: four maps with 1/4 to 1/32 of the sides, for pages. ``line``: one map that keeps the width, for lines.
Features = Literal["maps", "line"]
FEATURES: dict[str, Features] = {"det": "maps", "cls": "line", "rec": "line"}


def check_model_type(value: Any, path: str) -> str:
    """Return the name of a family.

    Raises:
        ConfigError: If *value* is none.
    """
    if value not in FEATURES:
        raise ConfigError(f"{path} must be one of {', '.join(FEATURES)}. Received: {value!r}")
    return str(value)
