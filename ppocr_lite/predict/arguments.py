"""What arguments of ``OCR`` mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ppocr_lite.config.reading import check_limit
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.io.images import ImageInput
from ppocr_lite.predict.engines.pool import cpu_count
from ppocr_lite.predict.models import FoundModels
from ppocr_lite.predict.released import released_model

MAX_THREADS = 4  # more bring the networks of this size nothing
# Argument of OCR → field of the reading policy that it replaces.
POLICY = {"rec_retry_score": "retry_score", "rec_margin": "margin", "cls_thresh": "turn_score"}
# Which networks there are, and what runs them.
NETWORK_OPTIONS = frozenset(
    ("lang", "models", "engine", "device", "threads", "det_model", "cls_model", "rec_model", "rec_char_dict_path")
)


def policy_overrides(given: Mapping[str, float | None]) -> dict[str, Any]:
    """Return the fields of the reading policy that arguments of :class:`OCR` replace, checked."""
    said = {name: value for name, value in given.items() if value is not None}
    for name, value in said.items():
        check_limit(POLICY[name], value, f"OCR: {name}")
    return {POLICY[name]: value for name, value in said.items()}


def three_numbers(shape: str | Sequence[int] | None) -> list[int] | None:
    """Return what ``rec_image_shape`` says: ``"3,32,320"``, or the numbers.

    Raises:
        ConfigError: If it is neither.
    """
    if shape is None:
        return None
    try:
        numbers = [int(side) for side in (shape.split(",") if isinstance(shape, str) else shape)]
    except ValueError as error:
        raise ConfigError(f"OCR: rec_image_shape must be like '3,32,320'. Received: {shape!r}") from error
    return numbers


def default_threads() -> int:
    """Return the processors that this process may use, at most :data:`MAX_THREADS`."""
    return min(cpu_count(), MAX_THREADS)


def several(crops: ImageInput | Sequence[ImageInput]) -> Sequence[ImageInput]:
    """Return a lone image as a list of one; an array (N, H, W, 3) is N images."""
    if isinstance(crops, list | tuple) or (isinstance(crops, np.ndarray) and crops.ndim == 4):
        return list(crops)
    return [crops]  # type: ignore[list-item]


def name_of(image: ImageInput) -> str | None:
    """Return what an input is called: its path, None if it has none."""
    name = image if isinstance(image, str | Path) else getattr(image, "name", None) or getattr(image, "filename", None)
    return str(name) if isinstance(name, str | Path) and str(name) else None


def find_network(
    stage: str, model: str | Path | None, models: FoundModels | str, missing: dict[str, ModelError] | None
) -> Path | None:
    """Return the path of a stage; if there is none, None, with the reason in *missing* if that is given."""
    if model is not None:
        return Path(model)
    try:
        return released_model(stage, models) if isinstance(models, str) else models.path(stage)
    except ModelError as error:
        if missing is None:
            raise
        missing[stage] = error
        return None
