"""Line images → text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.predict.runner import Runner
from ppocr_lite.predict.timing import NO_TIMER, Timer
from ppocr_lite.results import Recognition
from ppocr_lite.transforms.base import Compose
from ppocr_lite.transforms.resize import batch_width, pad_batch


class TextRecognizer:
    """Reads line images, those of like width together.

    Args:
        runner: Runs the network on (N, 3, H, W) float32.
        preprocess: Image (h, w, 3) → ``image`` (3, H, w'), as wide as its text.
        postprocess: Probabilities (N, T, C) → texts.
        batch_size: Images per run of the network.
    """

    def __init__(self, runner: Runner, preprocess: Compose, postprocess: Any, batch_size: int = 6) -> None:
        self.runner, self.preprocess, self.postprocess = runner, preprocess, postprocess
        self.batch_size = batch_size

    def recognize(self, images: Sequence[NDArray[np.uint8]], timer: Timer = NO_TIMER) -> list[Recognition]:
        """Return the text of each BGR line image (h, w, 3), in the order given."""
        with timer("resize"):
            prepared = [self.preprocess({"image": image})["image"] for image in images]
        return self.recognize_prepared(prepared, timer)

    def recognize_prepared(self, images: Sequence[NDArray[np.float32]], timer: Timer = NO_TIMER) -> list[Recognition]:
        """Return the text of each image (3, H, w) that the preprocessing has been through."""
        found: dict[int, Recognition] = {}
        order = sorted(range(len(images)), key=lambda index: images[index].shape[2])
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            with timer("recogniser"):
                width = batch_width([images[index].shape[2] for index in chosen])
                probabilities = self.runner.run(pad_batch([images[index] for index in chosen], width))
            with timer("decode"):
                found.update(zip(chosen, self.postprocess(probabilities), strict=True))
        return [found[index] for index in range(len(images))]
