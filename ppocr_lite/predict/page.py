"""One page in the making: its lines are found, turned upright, read and put together."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from ppocr_lite.config.reading import ReadingPolicy, join_policies
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.io.images import Image
from ppocr_lite.predict.classifier import TextClassifier
from ppocr_lite.predict.crop import crop_lines, turn
from ppocr_lite.predict.detector import TextDetector
from ppocr_lite.predict.layout.ends import fit_ends
from ppocr_lite.predict.layout.lone import LEAST_SCORE, NOT_SEEN, with_lone
from ppocr_lite.predict.layout.order import reading_blocks, reading_order, skew
from ppocr_lite.predict.layout.pepper import without_pepper
from ppocr_lite.predict.layout.short import fit_short
from ppocr_lite.predict.layout.sideways import with_sideways
from ppocr_lite.predict.layout.turn import (
    PAGE_ANGLES,
    PageAngle,
    View,
    frame_width,
    is_upside_down,
    page_direction,
    turned_back,
)
from ppocr_lite.predict.lines import Line
from ppocr_lite.predict.recognizer import TextRecognizer
from ppocr_lite.predict.runner import EngineRunner
from ppocr_lite.predict.stages import on_one_thread
from ppocr_lite.predict.timing import NO_TIMER, Timer
from ppocr_lite.predict.upright import SURE, LineTurner
from ppocr_lite.results import Detections, OCRResult, Recognition
from ppocr_lite.textline import Points, TextLine, find_words

S = TypeVar("S")
logger = logging.getLogger(__name__)
_UNREAD = Recognition("", 0.0)


class Steps(NamedTuple):
    """What is to be done with a page.

    Attributes:
        det: Look for lines; False takes the whole image for one line.
        cls: Turn lines that stand on their head, if there is a classifier.
        rec: Read the lines.
    """

    det: bool = True
    cls: bool = True
    rec: bool = True


@dataclass(eq=False)
class FoundPage:
    """A page whose text has been found and not yet read.

    Attributes:
        source: Name of the page.
        size: (height, width) of its image, pixels.
        found: Its regions, in reading order.
        angles: By how much each line was turned.
        lines: Each line as the recogniser takes it, then some the other way up; none if the page is not to be read.
        texts: What has been read so far, by index in *lines*.
        other_way: Of each line that is read both ways up, where in *lines* it stands the other way.
        unseen: The lines that the classifier has not looked at, turned as the rest of the page is.
        margin: How far beyond the ends of its region each line is read, as a share of its height.
        rec: Whether it is to be read.
        angle: How far the page stands turned clockwise, degrees from 0 to 359.
        blocks: To which block each region belongs.
    """

    source: str | None
    size: tuple[int, int]
    found: Detections
    angles: list[int]
    lines: list[Line]
    texts: dict[int, Recognition] = field(default_factory=dict)
    other_way: dict[int, int] = field(default_factory=dict)
    unseen: dict[int, Image] = field(default_factory=dict)
    margin: float = 0.0
    rec: bool = True
    angle: int = 0
    blocks: list[int] = field(default_factory=list)

    @property
    def is_read(self) -> bool:
        """Whether no line is left to read."""
        return len(self.texts) == len(self.lines)

    def unlike_most(self) -> list[int]:
        """Return the indices of the lines whose angle is not that of more than half of them."""
        return [index for index, angle in enumerate(self.angles) if 2 * self.angles.count(angle) <= len(self.angles)]

    def readings(self) -> list[tuple[int, Recognition]]:
        """Return the angle and the text of each line; of those that were read both ways the surer reading."""
        if not self.rec:
            return [(angle, _UNREAD) for angle in self.angles]
        read = [(angle, self.texts[index]) for index, angle in enumerate(self.angles)]
        for index, place in self.other_way.items():
            other_way_up = (180 - self.angles[index], self.texts[place])
            read[index] = max(read[index], other_way_up, key=lambda reading: reading[1].score)
        return read

    def result(self, drop_score: float) -> OCRResult:
        """Return what was found and read; of a page that was to be read only lines with at least that score.

        Of what the detector did not see, only texts that are sure.
        """
        readings, least = self.readings(), {NOT_SEEN: max(drop_score, LEAST_SCORE)}
        shown = [
            index
            for index, ((_, text), score) in enumerate(zip(readings, self.found.scores, strict=True))
            if not self.rec or text.score >= least.get(score, drop_score)
        ]
        lines = []
        for index in shown:
            (angle, text), polygon = readings[index], self.found.polygons[index]
            words = find_words(text.text, text.positions, polygon, angle, self.margin)
            lines.append(TextLine(polygon, *text, self.found.scores[index], angle, words))
        sizes = Counter(self.blocks[index] for index in shown) if self.blocks else {}  # in the order of the lines
        return OCRResult(tuple(lines), self.size, self.source, angle=self.angle, block_sizes=tuple(sizes.values()))


class PageReader:
    """What every page goes through, alone or in a stream: :meth:`find`, :meth:`read`, :meth:`finish`.

    Holds no state of a call.

    Args:
        detector: Finds lines; None if there is none, which is an error only when it is needed.
        classifier: Tells which lines stand on their head, likewise.
        recognizer: Reads lines, likewise; it does so by *policy*, whatever its own.
        policy: How lines are turned, cut out and read; None for what the folders of the stages say.
        missing: Stage → why it is not there.
        page_angle: How far pages stand turned clockwise, degrees; ``"auto"`` to find out for each.

    Attributes:
        policy: How lines are turned, cut out and read.
        drop_score: Lines read with less confidence are left out.
    """

    def __init__(
        self,
        detector: TextDetector | None = None,
        classifier: TextClassifier | None = None,
        recognizer: TextRecognizer | None = None,
        policy: ReadingPolicy | None = None,
        missing: Mapping[str, ModelError] | None = None,
        page_angle: PageAngle = "auto",
    ) -> None:
        if page_angle not in PAGE_ANGLES:
            raise ConfigError(f"page_angle must be one of {', '.join(map(str, PAGE_ANGLES))}. Received: {page_angle!r}")
        self.policy = policy or page_policy(classifier, recognizer)
        self._detector, self._classifier = detector, classifier
        self._turner = LineTurner(classifier, self.policy.turn_score) if classifier else None
        self._recognizer = recognizer.reading_by(self.policy) if recognizer else None
        self._missing, self.page_angle = missing or {}, page_angle
        self.drop_score = self._recognizer.drop_score if self._recognizer else 0.0

    @property
    def detector(self) -> TextDetector:
        """The detector; a ModelError if there is none, and likewise the others."""
        return self._need(self._detector, "det")

    @property
    def classifier(self) -> TextClassifier:
        """The classifier."""
        return self._need(self._classifier, "cls")

    @property
    def recognizer(self) -> TextRecognizer:
        """The recogniser."""
        return self._need(self._recognizer, "rec")

    @property
    def parallel(self) -> bool:
        """Whether pages can be searched in several threads at the same time."""
        return self._detector is None or self._detector.runner.parallel

    def networks(self) -> dict[str, EngineRunner]:
        """Return the exported network of each stage that has one."""
        stages = {"det": self._detector, "cls": self._classifier, "rec": self._recognizer}
        runners = {name: stage.runner for name, stage in stages.items() if stage}
        return {name: runner for name, runner in runners.items() if isinstance(runner, EngineRunner)}

    def on_one_thread(self) -> PageReader:
        """Return a reader whose networks run on one thread each, for pages that are read at the same time."""
        return PageReader(
            on_one_thread(self._detector) if self._detector else None,
            on_one_thread(self._classifier) if self._classifier else None,
            on_one_thread(self._recognizer) if self._recognizer else None,
            self.policy,
            self._missing,
            self.page_angle,
        )

    def detect(self, image: Image, timer: Timer = NO_TIMER) -> Detections:
        """Return the text regions of a BGR image (H, W, 3), in reading order."""
        view, found = self._look(image, timer)
        order = reading_order(found.polygons)
        return Detections(view.restore([found.polygons[i] for i in order]), [found.scores[i] for i in order])

    def find(self, image: Image, source: str | None, steps: Steps, timer: Timer = NO_TIMER) -> FoundPage:
        """Find the lines of a page and turn them upright; if they are to be read, prepare them for that."""
        size = image.shape[0], image.shape[1]
        view, found = self._look(image, timer) if steps.det else (View(image, size), Detections([_whole(size)], [1.0]))
        if steps.det and steps.rec:
            with timer("post-process"):
                found = with_lone(view.gray, found)
        margin = self.policy.margin if steps.det else 0.0
        crops: list[Image] = []
        angles, unseen = [0] * len(found.polygons), set[int]()
        if steps.cls or steps.rec:
            with timer("crop"):
                height = self.policy.crop_height
                crops = crop_lines(view.pixels, found.polygons, height, margin) if steps.det else [image]
            if steps.cls and self._turner:
                angles, unseen = self._turner.turn(crops, steps.rec, timer)
        page = self._in_order(view, found, angles, crops, unseen, auto=steps.det and self.page_angle == "auto")
        page.source, page.margin, page.rec = source, margin, steps.rec
        if steps.rec:
            self._prepare(page, crops, page.unlike_most() if self.policy.both_ways_up else [], timer)
        return page

    def _look(self, image: Image, timer: Timer) -> tuple[View, Detections]:
        """Return the page turned by the angle that was given or that its regions have, and its regions there."""
        image = without_pepper(image)
        frame = frame_width(image)
        if self.page_angle != "auto":
            view = turned_back(image, self.page_angle, frame)
            return view, self._regions(view, timer)
        view = turned_back(image, 0, frame)
        found = self._regions(view, timer)
        angle = page_direction(found.polygons)
        if angle:
            other = turned_back(image, angle, frame)
            regions = self._regions(other, timer)
            if regions.polygons and not page_direction(regions.polygons):
                logger.info("The page is turned back by %d degrees.", angle)
                return other, regions
        return view, found

    def _regions(self, view: View, timer: Timer) -> Detections:
        """Return the regions of a page as it is looked at, in no order."""
        found = self.detector.detect(view.pixels, timer)
        found = with_sideways(view.pixels, found, lambda strip: self.detector.detect(strip, timer))
        with timer("post-process"):
            polygons = fit_short(view.gray, found.polygons, skew(found.polygons))
            return Detections(fit_ends(view.gray, polygons), found.scores)

    def _in_order(
        self, view: View, found: Detections, angles: list[int], crops: list[Image], unseen: set[int], auto: bool
    ) -> FoundPage:
        """Return a page with its lines in reading order, and bring *crops* into it."""
        polygons, angle, upright = found.polygons, view.angle, found.polygons
        if auto and is_upside_down(polygons, angles):
            angle, upright = (angle + 180) % 360, [-polygon for polygon in polygons]
            if view.angle:  # a polygon of a turned page begins where its line does; of any other, at its top left
                polygons = [np.roll(polygon, len(polygon) // 2, axis=0) for polygon in polygons]
                angles = [180 - turned for turned in angles]
        blocks = reading_blocks(upright)
        order = [index for block in blocks for index in block]
        crops[:] = [crops[i] for i in order] if crops else []
        regions = Detections(view.restore([polygons[i] for i in order]), [found.scores[i] for i in order])
        page = FoundPage(None, view.size, regions, [angles[i] for i in order], [], angle=angle)
        page.blocks = [number for number, block in enumerate(blocks) for _ in block]
        page.unseen = {place: crops[place] for place, index in enumerate(order) if index in unseen}
        return page

    def _prepare(self, page: FoundPage, crops: Sequence[Image], both_ways: Sequence[int], timer: Timer) -> None:
        """Prepare the lines of a page for the recogniser, some of them the other way up, too."""
        page.lines = self.recognizer.prepare([*crops, *(turn(crops[index], 180) for index in both_ways)], timer)
        page.other_way = dict(zip(both_ways, range(len(crops), len(page.lines)), strict=True))

    def read(self, page: FoundPage, timer: Timer = NO_TIMER) -> FoundPage:
        """Read the lines of a page by itself; :func:`~ppocr_lite.predict.stream.read_together` reads several."""
        if page.rec:
            page.texts = dict(enumerate(self.recognizer.read_once(page.lines, timer)))
            self.read_doubtful(page, timer)
        return page

    def read_doubtful(self, page: FoundPage, timer: Timer = NO_TIMER) -> None:
        """Look anew at the lines of a page that were read once and not surely: which way up they stand, how large."""
        self._turn_doubtful(page, timer)
        texts = [page.texts[index] for index in range(len(page.lines))]
        page.texts = dict(enumerate(self.recognizer.read_again(page.lines, texts, timer)))

    def _turn_doubtful(self, page: FoundPage, timer: Timer) -> None:
        """Read lines the other way up that the classifier has not seen, if they read badly and it says so."""
        unseen, page.unseen = page.unseen, {}  # nothing of them is needed any more
        doubtful = [index for index in unseen if page.texts[index].score < SURE]
        if self._turner is None or not doubtful:
            return
        angles = self._turner.angles([unseen[index] for index in doubtful], timer)
        turned = [index for index, angle in zip(doubtful, angles, strict=True) if angle]
        lines = self.recognizer.prepare([turn(unseen[index], 180) for index in turned], timer)
        for index, line, text in zip(turned, lines, self.recognizer.read_once(lines, timer), strict=True):
            page.other_way[index] = place = len(page.lines)
            page.lines.append(line)
            page.texts[place] = text

    def finish(self, page: FoundPage) -> OCRResult:
        """Return the result of a page; lines read with too little confidence are left out."""
        return page.result(self.drop_score)

    def _need(self, stage: S | None, name: str) -> S:
        if stage is None:
            raise self._missing.get(name, ModelError(f"The {name} stage was switched off when OCR() was made."))
        return stage


def page_policy(classifier: TextClassifier | None, recognizer: TextRecognizer | None) -> ReadingPolicy:
    """Return how a page is read with these stages: each decides what its own folder says."""
    return join_policies(classifier.policy if classifier else None, recognizer.policy if recognizer else None)


def _whole(size: tuple[int, int]) -> Points:
    height, width = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
