"""Line images → which way up they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.config.reading import DEFAULT_POLICY, ReadingPolicy
from ppocr_lite.predict.lines import LinePreparer
from ppocr_lite.predict.runner import Runner
from ppocr_lite.predict.timing import NO_TIMER, Timer
from ppocr_lite.results import Orientation
from ppocr_lite.transforms.base import Compose


class TextClassifier:
    """Tells an upright line from one turned by 180 degrees.

    Args:
        runner: Runs the network on (N, 3, H, W) float32.
        preprocess: Image (h, w, 3) → ``image`` (3, H, W) of one size.
        postprocess: Probabilities (N, labels) → orientations.
        batch_size: Images per run of the network.
        policy: How a page makes use of the answers; this stage only carries it.
    """

    def __init__(
        self,
        runner: Runner,
        preprocess: Compose,
        postprocess: Any,
        batch_size: int = 6,
        policy: ReadingPolicy = DEFAULT_POLICY,
    ) -> None:
        self.runner, self.preprocess, self.postprocess = runner, preprocess, postprocess
        self.batch_size, self.policy = batch_size, policy
        self.lines = LinePreparer(preprocess)
        self._width = self.lines.resize.width if self.lines.resize else None

    def classify(self, images: Sequence[NDArray[np.uint8]], timer: Timer = NO_TIMER) -> list[Orientation]:
        """Return one orientation per BGR line image (h, w, 3)."""
        found: list[Orientation] = []
        for start in range(0, len(images), self.batch_size):
            with timer("resize"):
                chosen = images[start : start + self.batch_size]
                lines = [self.lines.prepare(image) for image in chosen]
                batch = self.lines.batch(lines, self._width or self.lines.size(lines[0])[1])
            with timer("classifier"):
                probabilities = self.runner.run(batch)
            found += self.postprocess(probabilities)
        return found
