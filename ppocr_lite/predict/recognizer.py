"""Line images → text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.predict.runner import Runner
from ppocr_lite.predict.timing import NO_TIMER, Timer
from ppocr_lite.results import Recognition
from ppocr_lite.transforms.base import Compose
from ppocr_lite.transforms.resize import RecResizeImg, batch_width, pad_batch

BUCKET = 64  # wider lines are padded to a multiple of this many pixels


class TextRecognizer:
    """Reads line images, those of like width together.

    A line is padded to the standard width of its resize, as most are in training, and a wider one to the next multiple
    of ``BUCKET``; both narrower padding and padding by its neighbours were measured to cost accuracy.

    Args:
        runner: Runs the network on (N, 3, H, W) float32.
        preprocess: Image (h, w, 3) → ``image`` (3, H, w'), as wide as its text.
        postprocess: Probabilities (N, T, C) → texts.
        batch_size: Images per run of the network.
    """

    def __init__(self, runner: Runner, preprocess: Compose, postprocess: Any, batch_size: int = 6) -> None:
        self.runner, self.preprocess, self.postprocess = runner, preprocess, postprocess
        self.batch_size = batch_size
        self.standard_width = max((s.width for s in preprocess.steps if isinstance(s, RecResizeImg)), default=0)

    def recognize(self, images: Sequence[NDArray[np.uint8]], timer: Timer = NO_TIMER) -> list[Recognition]:
        """Return the text of each BGR line image (h, w, 3), in the order given."""
        with timer("resize"):
            prepared = [self.preprocess({"image": image})["image"] for image in images]
        return self.recognize_prepared(prepared, timer)

    def recognize_prepared(self, images: Sequence[NDArray[np.float32]], timer: Timer = NO_TIMER) -> list[Recognition]:
        """Return the text of each image (3, H, w) that the preprocessing has been through."""
        found: dict[int, Recognition] = {}
        for width, chosen in self._batches([image.shape[2] for image in images]):
            with timer("recogniser"):
                probabilities = self.runner.run(pad_batch([images[index] for index in chosen], width))
            with timer("decode"):
                found.update(zip(chosen, self.postprocess(probabilities), strict=True))
        return [found[index] for index in range(len(images))]

    def _batches(self, widths: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        """Yield the width of a batch and the indices of its lines.

        Only lines that alone would be padded to the same width are put together: what is read on a line must not
        depend on its neighbours.
        """
        standard = self.standard_width
        padded = [standard if width <= standard else batch_width([width], BUCKET) for width in widths]
        order = sorted(range(len(widths)), key=lambda index: padded[index])
        for width, group in itertools.groupby(order, key=lambda index: padded[index]):
            alike = list(group)
            for start in range(0, len(alike), self.batch_size):
                yield width, alike[start : start + self.batch_size]
