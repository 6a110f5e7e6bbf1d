"""A page → where its text is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ModelError
from ppocr_lite.geometry import clip
from ppocr_lite.postprocess.db import DBPostProcess
from ppocr_lite.predict.looks import OVERLAP, detect_by_size, tiles
from ppocr_lite.predict.runner import Runner
from ppocr_lite.predict.timing import NO_TIMER, Timer
from ppocr_lite.results import Detections
from ppocr_lite.transforms.base import Compose
from ppocr_lite.transforms.resize import STRIDE, DetResizeForTest

LEAST_LIMIT = 2 * OVERLAP  # pages are not looked at in smaller tiles


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
        resize: Any = resizes[0]
        self._restore = resize.restore
        limited = isinstance(resize, DetResizeForTest) and resize.image_shape is None and resize.limit_type == "max"
        by_size = limited and isinstance(postprocess, DBPostProcess)  # maps of all tiles make one
        self.limit: int = resize.limit_side_len // STRIDE * STRIDE if by_size else 0

    def detect(self, image: NDArray[np.uint8], timer: Timer = NO_TIMER) -> Detections:
        """Return the text regions of a BGR image (H, W, 3), in its own pixels, inside its borders.

        Where the pre-processing limits the longer side, text that is too small or too large at that size is looked at
        again at another, see :mod:`~ppocr_lite.predict.looks`.
        """
        return detect_by_size(self, image, timer) if self.limit >= LEAST_LIMIT else self.look(image, timer)

    def look(self, image: NDArray[np.uint8], timer: Timer = NO_TIMER) -> Detections:
        """Return what is seen on an image at the size that the pre-processing gives it."""
        with timer("resize"):
            sample = self.preprocess({"image": image})
        return self.detect_sample(sample, timer)

    def look_at(self, image: NDArray[np.uint8], scale: float, timer: Timer = NO_TIMER) -> Detections:
        """Return what is seen on an image at *scale* times its size, in tiles no larger than the usual limit."""
        height, width = (max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in image.shape[:2])
        with timer("resize"):
            pixels = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        plane = np.empty((height, width), np.float32)
        for rows, own_rows in tiles(height, self.limit):
            for columns, own_columns in tiles(width, self.limit):
                with timer("resize"):
                    sample = self.preprocess({"image": np.ascontiguousarray(pixels[rows, columns])})
                with timer("detector"):
                    seen = self.predict(np.asarray(sample["image"], np.float32)[None])
                part = np.asarray(seen).reshape(sample["image"].shape[-2:])
                plane[own_rows, own_columns] = part[_within(own_rows, rows), _within(own_columns, columns)]
        size = image.shape[:2]
        return self._in_pixels(plane, np.array([*size, height / size[0], width / size[1]], np.float32), timer)

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
        return self._in_pixels(predicted, sample["shape"], timer)

    def _in_pixels(self, predicted: Any, shape: NDArray[np.float32], timer: Timer) -> Detections:
        """Return the regions of what the network predicts, in pixels of the image that *shape* tells of."""
        with timer("post-process"):
            found = self.postprocess(predicted)
            polygons = found.polygons
            if polygons:
                points = clip(self._restore(np.concatenate(polygons), shape), (int(shape[0]), int(shape[1])))
                polygons = np.split(points, np.cumsum([len(polygon) for polygon in polygons])[:-1])
        return Detections(polygons, found.scores)


def _within(own: slice, seen: slice) -> slice:
    return slice(own.start - seen.start, own.stop - seen.start)
