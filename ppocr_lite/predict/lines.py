"""Line images → the batches that a network takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.transforms.base import Compose
from ppocr_lite.transforms.resize import LineResize, pad_batch

# uint8 (H, w, 3) if the last step of the pre-processing is a resize of lines, else float32 (3, H, w).
Line = NDArray[np.uint8] | NDArray[np.float32]


class LinePreparer:
    """Runs the pre-processing of lines in two parts: what is done to each, and what is done to a batch.

    The numbers of a line are written once, straight into its batch; until then a line is pixels, a quarter as large.

    Args:
        preprocess: Image (h, w, 3) → ``image`` (3, H, w'). Where its last step is not a resize of lines, all of it is
            done to each line, and only the padding to the batch.

    Attributes:
        resize: That last step; None if it is something else.
    """

    def __init__(self, preprocess: Compose) -> None:
        last = preprocess.steps[-1]
        self.resize = last if isinstance(last, LineResize) else None
        self._each = Compose(preprocess.steps[:-1], ("image",)) if self.resize else preprocess

    def prepare(self, image: NDArray[np.uint8]) -> Line:
        """Return a line image (h, w, 3) at the height of the network."""
        prepared = self._each({"image": image})["image"]
        return prepared if self.resize is None else self.resize.pixels(prepared)

    def size(self, line: Line) -> tuple[int, int]:
        """Return (height, width) of a prepared line."""
        return (line.shape[0], line.shape[1]) if self.resize else (line.shape[1], line.shape[2])

    def zoomed(self, line: Line, scales: Sequence[float]) -> list[Line]:
        """Return a prepared line with its text smaller or larger; none if lines are numbers already."""
        if self.resize is None:
            return []
        return [self.resize.zoom(line, scale) for scale in scales]  # type: ignore[arg-type]

    def batch(self, lines: Sequence[Line], width: int) -> NDArray[np.float32]:
        """Return prepared lines as (N, 3, H, width) float32, zeros to their right."""
        if self.resize is None:
            return pad_batch(lines, width)  # type: ignore[arg-type]
        return self.resize.batch(lines, width)  # type: ignore[arg-type]
