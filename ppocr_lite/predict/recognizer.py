"""Line images → text."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.config.reading import DEFAULT_POLICY, ReadingPolicy
from ppocr_lite.predict.batches import WIDTHS, WidthBuckets, batches
from ppocr_lite.predict.lines import Line, LinePreparer
from ppocr_lite.predict.runner import Runner
from ppocr_lite.predict.timing import NO_TIMER, Timer
from ppocr_lite.results import Recognition
from ppocr_lite.transforms.base import Compose
from ppocr_lite.transforms.resize import RecResizeImg

# A line of at most SHORT times its height is read again though it is below drop_score: of a character or two the first
# reading is often right and far from sure, and another size is sure.  What is below DOUBTFUL is no text, nor what then
# is less sure than SURE, or reads otherwise.
SHORT = 2.0
DOUBTFUL, SURE = 0.3, 0.87
SURE_JOINED = 0.97  # a reading that differs from another by fewer spaces must be surer: smaller text loses narrow ones
FEW_WIDTHS = (128, 256, 512, 1024)  # what doubtful lines are padded to: a page has too few to fill batches of many


class TextRecognizer:
    """Reads line images, those that are padded to the same width together, and unsure ones once more.

    How well a line is read depends on how much of its height the text fills, which the detector does not know to a
    pixel.  So a line with a doubtful score is read smaller and larger, too, and the surest reading stands.

    Args:
        runner: Runs the network on (N, 3, H, W) float32.
        preprocess: Image (h, w, 3) → ``image`` (3, H, w'), as wide as its text.
        postprocess: Probabilities (N, T, C) → texts.
        batch_size: Images per run of the network.
        widths: What a line may be padded to, pixels at the height of the network.
        policy: How lines are read: how much of a line is kept clear, which are read again, and at which sizes.
        workers: Batches that are read at the same time, each by the network on one thread: that gets more out of the
            processors than several threads for one batch.

    Attributes:
        drop_score: Least score of a text that is worth showing, as the post-processing has it.
    """

    def __init__(
        self,
        runner: Runner,
        preprocess: Compose,
        postprocess: Any,
        batch_size: int = 6,
        widths: Sequence[int] = WIDTHS,
        policy: ReadingPolicy = DEFAULT_POLICY,
        workers: int = 1,
    ) -> None:
        self.workers = workers
        self.runner, self.preprocess, self.postprocess = runner, preprocess, postprocess
        self.batch_size, self.policy = batch_size, policy
        self.drop_score: float = getattr(postprocess, "drop_score", 0.0)
        self.lines = LinePreparer(preprocess)
        self.buckets, self._few = (WidthBuckets(some, policy.clear_space) for some in (widths, FEW_WIDTHS))
        resize = self.lines.resize
        # what a network was trained on that presses long lines into one width, the pressed ones with nothing clear
        self._widest = resize.width if isinstance(resize, RecResizeImg) and resize.squeeze else None

    def reading_by(self, policy: ReadingPolicy) -> TextRecognizer:
        """Return a recogniser of the same network that reads by another policy."""
        if policy == self.policy:
            return self
        stages = self.runner, self.preprocess, self.postprocess
        return TextRecognizer(*stages, self.batch_size, self.buckets.widths, policy, self.workers)

    def recognize(self, images: Sequence[NDArray[np.uint8]], timer: Timer = NO_TIMER) -> list[Recognition]:
        """Return the text of each BGR line image (h, w, 3), in the order given."""
        return self.recognize_prepared(self.prepare(images, timer), timer)

    def prepare(self, images: Sequence[NDArray[np.uint8]], timer: Timer = NO_TIMER) -> list[Line]:
        """Return each BGR line image (h, w, 3) at the height of the network, not padded yet."""
        with timer("resize"):
            return [self.lines.prepare(image) for image in images]

    def recognize_prepared(self, lines: Sequence[Line], timer: Timer = NO_TIMER) -> list[Recognition]:
        """Return the text of each line that :meth:`prepare` has been through."""
        return self.read_again(lines, self.read_once(lines, timer), timer)

    def read_again(
        self, lines: Sequence[Line], texts: Sequence[Recognition], timer: Timer = NO_TIMER
    ) -> list[Recognition]:
        """Return the text of each line, in place of a doubtful one the surest that other scales give."""
        retry, scales = self.policy.retry_score, self.policy.retry_scales
        doubtful = [
            index
            for index, text in enumerate(texts)
            if text.score < retry and (text.score >= self.drop_score or self._may_be_short(lines[index], text))
        ]
        with timer("resize"):
            others = [self.lines.zoomed(lines[index], scales) for index in doubtful]
        readings = iter(self.read_once([line for zoomed in others for line in zoomed], timer, self._few))
        chosen = list(texts)
        for index, zoomed in zip(doubtful, others, strict=True):
            again = list(itertools.islice(readings, len(zoomed)))
            chosen[index] = _surest(texts[index], again, texts[index].score >= self.drop_score)
        return chosen

    def padded_width(self, line: Line, buckets: WidthBuckets | None = None) -> int:
        """Return what a line is padded to, whatever is read with it; *buckets* are other widths than its usual ones."""
        height, width = self.lines.size(line)
        padded = (buckets or self.buckets).width(width, height)
        return padded if self._widest is None else min(padded, self._widest)

    def run(
        self, lines: Sequence[Line], width: int, timer: Timer = NO_TIMER, runner: Runner | None = None
    ) -> list[Recognition]:
        """Return the texts of one batch of lines, all padded to *width*; *runner* is another of the same network."""
        with timer("resize"):
            batch = self.lines.batch(lines, width)
        with timer("recogniser"):
            probabilities = (runner or self.runner).run(batch)
        with timer("decode"):
            texts: list[Recognition] = self.postprocess(probabilities)
            shares = [width / self.lines.size(line)[1] for line in lines]
            return [_on_line(text, share) for text, share in zip(texts, shares, strict=True)]

    def _may_be_short(self, line: Line, text: Recognition) -> bool:
        height, width = self.lines.size(line)
        return width <= SHORT * height and text.score >= DOUBTFUL

    def read_once(
        self, lines: Sequence[Line], timer: Timer = NO_TIMER, buckets: WidthBuckets | None = None
    ) -> list[Recognition]:
        """Return the text of each line as it is; *buckets* are other widths than the usual ones."""
        jobs = list(batches([self.padded_width(line, buckets) for line in lines], self.batch_size))
        # what is timed is done one after the other, so that the parts add up to the whole
        alone = self.workers > 1 and len(jobs) > 1 and timer is NO_TIMER and self.runner.parallel
        runner = self.runner.on_one_thread() if alone else self.runner

        def read(job: tuple[int, list[int]]) -> list[Recognition]:
            return self.run([lines[index] for index in job[1]], job[0], timer, runner)

        if alone:
            jobs.sort(key=lambda job: job[0] * len(job[1]), reverse=True)  # the long ones first: all end together
            with ThreadPoolExecutor(self.workers, "ppocr-lite") as pool:
                texts = list(pool.map(read, jobs))
        else:
            texts = list(map(read, jobs))
        found = {
            index: text
            for (_, chosen), read_texts in zip(jobs, texts, strict=True)
            for index, text in zip(chosen, read_texts, strict=True)
        }
        return [found[index] for index in range(len(lines))]


def _surest(first: Recognition, again: Sequence[Recognition], counts: bool) -> Recognition:
    """Return the surest reading of a line; *counts* says whether the first is sure enough to be shown."""
    readings = [first, *again]
    best = max(readings, key=lambda reading: reading.score)
    if not counts:
        return best if best.score >= SURE and best.text == first.text else first
    if best.score >= SURE_JOINED:
        return best
    alike = [reading for reading in readings if _without_spaces(reading) == _without_spaces(best)]
    return max(alike, key=lambda reading: (reading.text.count(" "), reading.score))


def _without_spaces(reading: Recognition) -> str:
    return reading.text.replace(" ", "")


def _on_line(text: Recognition, share: float) -> Recognition:
    """Return *text* without spaces at its ends, with positions on the line itself, *share* of what it was padded to."""
    start = len(text.text) - len(text.text.lstrip())
    bare = text.text.strip()
    return Recognition(bare, text.score, [min(x * share, 1.0) for x in text.positions[start : start + len(bare)]])
