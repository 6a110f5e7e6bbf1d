"""Class probabilities of a line image → how it is turned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError
from ppocr_lite.postprocess.base import POSTPROCESSES
from ppocr_lite.results import Orientation


@POSTPROCESSES.register
class ClsPostProcess:
    """The most probable label.

    Args:
        label_list: The angle in degrees that each class stands for, as text.

    Raises:
        ConfigError: If a label is not a whole number of degrees.
    """

    def __init__(self, label_list: list[str] | tuple[str, ...] = ("0", "180")) -> None:
        try:
            self.angles: Sequence[int] = [int(label) for label in label_list]
        except ValueError as error:
            raise ConfigError(
                f"ClsPostProcess.label_list must name angles in whole degrees. Received: {list(label_list)}"
            ) from error

    def __call__(self, probabilities: NDArray[Any]) -> list[Orientation]:
        """Return one orientation per row of *probabilities* (N, number of labels)."""
        if probabilities.ndim != 2 or probabilities.shape[1] != len(self.angles):
            raise ValueError(f"Expected probabilities (N, {len(self.angles)}). Received: {probabilities.shape}")
        best = probabilities.argmax(axis=1)
        chosen = probabilities[np.arange(len(best)), best]
        scores = np.where(np.isnan(chosen), 0.0, chosen)
        return [Orientation(self.angles[index], float(score)) for index, score in zip(best, scores, strict=True)]
