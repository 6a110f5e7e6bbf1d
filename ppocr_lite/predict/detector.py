"""A page → where its text is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ModelError
from ppocr_lite.geometry import clip
from ppocr_lite.predict.runner import Runner
from ppocr_lite.predict.timing import NO_TIMER, Timer
from ppocr_lite.results import Detections
from ppocr_lite.transforms.base import Compose


class TextDetector:
    """Finds text; the same for the network in training and for an exported folder.

    Holds no state of a call: it may be shared by threads if its runner may.

    Args:
        runner: Runs the network on (1, 3, H, W) float32.
        preprocess: Image (H, W, 3) → ``image`` (3, H', W') and ``shape``; the evaluation transforms without labels.
        postprocess: What the network predicts → polygons in pixels of its input.

    Raises:
        ModelError: If no step of *preprocess* is a resize that can restore points.
    """

    def __init__(self, runner: Runner, preprocess: Compose, postprocess: Any) -> None:
        resizes = [step for step in preprocess.steps if hasattr(step, "restore")]
        if len(resizes) != 1:
            raise ModelError(
                f"A detector needs one resize that can be undone, such as DetResizeForTest. Received: {len(resizes)}"
            )
        self.runner, self.preprocess, self.postprocess = runner, preprocess, postprocess
        self._restore = resizes[0].restore

    def detect(self, image: NDArray[np.uint8], timer: Timer = NO_TIMER) -> Detections:
        """Return the text regions of a BGR image (H, W, 3), in its own pixels, inside its borders."""
        with timer("resize"):
            sample = self.preprocess({"image": image})
        return self.detect_sample(sample, timer)

    def predict(self, batch: NDArray[np.float32]) -> Any:
        """Return for (1, 3, H', W') what the post-processing takes: the one array that the network predicts."""
        return self.runner.run(batch)

    def detect_sample(self, sample: Mapping[str, Any], timer: Timer = NO_TIMER) -> Detections:
        """Return the text regions of a sample that the preprocessing has been through.

        Args:
            sample: ``image`` (3, H', W') float32 and ``shape`` (height, width, ratio_h, ratio_w).
            timer: Told how long each step takes.
        """
        with timer("detector"):
            predicted = self.predict(np.asarray(sample["image"], np.float32)[None])
        with timer("post-process"):
            found = self.postprocess(predicted)
            shape = sample["shape"]
            size = int(shape[0]), int(shape[1])
            polygons = found.polygons
            if polygons:
                points = clip(self._restore(np.concatenate(polygons), shape), size)
                polygons = np.split(points, np.cumsum([len(polygon) for polygon in polygons])[:-1])
        return Detections(polygons, found.scores)
