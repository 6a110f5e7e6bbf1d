"""The whole way from an image to its text."""

from __future__ import annotations

import copy
import os
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite import images
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.images import ImageInput
from ppocr_lite.pages import list_files, page_numbers, read_pages
from ppocr_lite.predict.crop import crop_lines, turn
from ppocr_lite.predict.options import accept_old_names
from ppocr_lite.predict.order import reading_order
from ppocr_lite.predict.released import LANGUAGES, default_language, released_model
from ppocr_lite.predict.runner import Engine
from ppocr_lite.predict.stages import load_classifier, load_detector, load_recognizer, on_one_thread
from ppocr_lite.predict.stream import FoundPage, map_ahead, read_together, run_ahead
from ppocr_lite.predict.timing import NO_TIMER, Timer
from ppocr_lite.results import Detections, OCRResult, Orientation, Recognition
from ppocr_lite.textline import Points, TextLine, find_words

Image = NDArray[np.uint8]
S = TypeVar("S")
MAX_LINE_PX = 96  # taller lines are cut at this height, twice that of the tallest recognisers
_UNREAD = Recognition("", 0.0)
MAX_THREADS = 4  # more bring the networks of this size nothing


class OCR:
    """Finds the text lines of an image, turns them upright and reads them.

    One object may be called from many threads at once. Arguments left at None use the model folder's settings, with
    which the model was evaluated. The argument names of PaddleOCR 2.x are accepted with a DeprecationWarning.

    Args:
        lang: Released recogniser to use: ``"en"``, or ``"ch"``, which reads Chinese, and English less well; None for
            ``"en"``.
        engine: What runs the networks; ``"auto"`` takes the fastest that is installed and works, of ONNX Runtime,
            OpenVINO and Paddle.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads of one call; None for as many as there are, at most 4. A number is also set for OpenCV,
            which has one setting a process.
        det_model: Exported detector folder; None for the released one.
        cls_model: Exported orientation classifier folder; None for the released one.
        rec_model: Exported recogniser folder; None for the released one.
        rec_char_dict_path: Dictionary file instead of the characters in the recogniser's folder.
        use_angle_cls: Detect and rotate upside-down lines; None: if there is a classifier. A line that seems to stand
            otherwise than most of its page is read both ways, and the surer reading is kept.
        det_limit_side_len: Limit for a side of the image before detection, pixels; usually 960.
        det_limit_type: ``"max"``: the longer side is at most that; ``"min"``: the shorter is at least that.
        det_db_thresh: A pixel above this probability is text; 0.2 with the released detector.
        det_db_box_thresh: A region whose mean probability is below this is dropped; 0.5 with the released detector.
        det_db_unclip_ratio: How much a region grows; usually 1.5.
        det_db_score_mode: ``"fast"`` averages over the enclosing quad, ``"slow"`` over the region itself.
        use_dilation: Thicken the text regions before tracing them.
        det_box_type: ``"quad"`` or ``"poly"``, for curved text.
        rec_image_shape: Channels, height and standard width of a line, ``"3,32,320"`` or three numbers.
        rec_batch_num: Lines per run of the recogniser.
        rec_retry_score: A line read with less confidence, but enough for *drop_score*, is read again smaller and
            larger, and the surest reading is kept; 0 reads every line once.
        rec_margin: How far a line is read beyond both ends of its box, as a share of its height.
        cls_thresh: A line is turned only if the classifier is surer than this.
        cls_batch_num: Lines per run of the classifier.
        drop_score: Lines read with less confidence are left out; 0.7 with the released English recogniser, else 0.5.

    Raises:
        ModelError: If a model is missing, incomplete or does not fit.
        ConfigError: If an argument has a wrong value.
        TypeError: If an argument does not exist; names the nearest.
    """

    @accept_old_names
    def __init__(
        self,
        *,
        lang: Literal["ch", "en"] | None = None,
        engine: Engine = "auto",
        device: str = "cpu",
        threads: int | None = None,
        det_model: str | Path | None = None,
        cls_model: str | Path | None = None,
        rec_model: str | Path | None = None,
        rec_char_dict_path: str | Path | None = None,
        use_angle_cls: bool | None = None,
        det_limit_side_len: int | None = None,
        det_limit_type: Literal["max", "min"] | None = None,
        det_db_thresh: float | None = None,
        det_db_box_thresh: float | None = None,
        det_db_unclip_ratio: float | None = None,
        det_db_score_mode: Literal["fast", "slow"] | None = None,
        use_dilation: bool | None = None,
        det_box_type: Literal["quad", "poly"] | None = None,
        rec_image_shape: str | Sequence[int] | None = None,
        rec_batch_num: int = 6,
        rec_retry_score: float = 0.95,
        rec_margin: float = 0.05,
        cls_thresh: float = 0.9,
        cls_batch_num: int = 6,
        drop_score: float | None = None,
    ) -> None:
        if lang not in (None, *LANGUAGES):
            raise ConfigError(f"OCR: lang must be one of {', '.join(LANGUAGES)}. Received: {lang!r}")
        if rec_batch_num < 1 or cls_batch_num < 1:
            raise ConfigError(f"OCR: a batch holds at least 1 line. Received: {rec_batch_num}, {cls_batch_num}")
        for name, value in {"rec_retry_score": rec_retry_score, "cls_thresh": cls_thresh}.items():
            if not 0 <= value <= 1:
                raise ConfigError(f"OCR: {name} must be from 0 to 1. Received: {value}")
        if threads is not None and threads < 1:
            raise ConfigError(f"OCR: threads must be at least 1. Received: {threads}")
        if not 0 <= rec_margin < 1:
            raise ConfigError(f"OCR: rec_margin must be at least 0 and below 1. Received: {rec_margin}")
        self.lang = lang or default_language()
        self.cls_thresh, self.rec_margin = cls_thresh, rec_margin
        self._missing: dict[str, ModelError] = {}
        if threads:
            cv2.setNumThreads(threads)
        self._threads = threads or _default_threads()
        use = (engine, device, self._threads)
        partly = any((det_model, cls_model, rec_model))  # then a stage that is not there fails when it is needed
        det = self._find("det", det_model, optional=partly)
        rec = self._find("rec", rec_model, optional=partly)
        cls = None if use_angle_cls is False else self._find("cls", cls_model, optional=not use_angle_cls)
        resize = {"limit_side_len": det_limit_side_len, "limit_type": det_limit_type}
        boxes = {
            "thresh": det_db_thresh,
            "box_thresh": det_db_box_thresh,
            "unclip_ratio": det_db_unclip_ratio,
            "score_mode": det_db_score_mode,
            "use_dilation": use_dilation,
            "box_type": det_box_type,
        }
        line = {"image_shape": _three_numbers(rec_image_shape)}
        self._detector = load_detector(det, *use, resize, boxes) if det else None
        self._classifier = load_classifier(cls, *use, cls_batch_num) if cls else None
        scores = (drop_score, rec_retry_score)
        self._recognizer = load_recognizer(rec, *use, rec_batch_num, line, rec_char_dict_path, *scores) if rec else None
        self.drop_score = self._recognizer.drop_score if self._recognizer else drop_score or 0.0

    @overload
    def ocr(
        self, image: list[Any] | tuple[Any, ...], det: bool = True, cls: bool = True, rec: bool = True
    ) -> list[OCRResult]: ...

    @overload
    def ocr(self, image: ImageInput, det: bool = True, cls: bool = True, rec: bool = True) -> OCRResult: ...

    def ocr(
        self, image: ImageInput | list[Any] | tuple[Any, ...], det: bool = True, cls: bool = True, rec: bool = True
    ) -> OCRResult | list[OCRResult]:
        """Read an image, or several.

        Args:
            image: Path, bytes, open file, Pillow image or array (BGR uint8, gray, BGRA); or a list of them.
            det: Look for lines; False takes the whole image for one line.
            cls: Rotate upside-down lines, if there is a classifier and it is not switched off.
            rec: Read the lines; False leaves their texts empty and drops none.

        Returns:
            The lines in reading order, none if there is no text; a list for a list.

        Raises:
            ImageError: If an input is not an image; names it.
            ModelError: If a model that is needed is not there.
        """
        if isinstance(image, list | tuple):
            return [self.ocr(one, det, cls, rec) for one in image]
        return self._read(image, det, cls, rec, NO_TIMER)

    def stream(
        self,
        source: str | Path,
        pages: str | None = None,
        *,
        recursive: bool = False,
        det: bool = True,
        cls: bool = True,
        rec: bool = True,
    ) -> Generator[OCRResult, None, None]:
        """Read the pages of a file, folder or pattern one at a time.

        Neighbouring pages are decoded, searched and read at the same time, each network on one thread of its own: that
        gets more out of the processors than several threads for one network. The lines of several pages are read
        together. The results are those of :meth:`ocr`, in order; a few pages are held at a
        time, however many there are. An error is raised at the turn of the page that failed. To stop early, close the
        iterator or drop it.

        Args:
            source: An image, a TIFF or GIF of several frames, a PDF, a folder of these, or a pattern such as
                ``"scans/*.png"``.
            pages: Which pages of each file, such as ``"1-5,8"``, counted from 1; None for all.
            recursive: Look into the folders below, too.
            det: See :meth:`ocr`.
            cls: See :meth:`ocr`.
            rec: See :meth:`ocr`.

        Yields:
            One result a page; its ``source`` is the path, with ``#number`` behind it for one page of several.

        Raises:
            ImageError: If there is nothing to read, or a file is damaged; names it.
            OCRError: If a PDF is to be read and pypdfium2 is not installed.
            ValueError: If *pages* is not a list of numbers and ranges.
        """
        page_numbers(pages)
        files = list_files(source, recursive)
        reader = self._on_one_thread()
        recognizer = reader._need(reader._recognizer, "rec") if rec else None

        def decode() -> Generator[tuple[Image, str], None, None]:
            for path in files:
                for name, image in read_pages(path, pages):
                    yield image, name

        def find(page: tuple[Image, str]) -> FoundPage:
            return reader._find_lines(*page, det, cls, rec, NO_TIMER)

        workers = self._threads if self._detector is None or self._detector.runner.parallel else 1
        found = map_ahead(find, run_ahead(decode()), workers)
        with closing(run_ahead(read_together(found, recognizer)) if recognizer else found) as read:
            for outcome in read:
                yield self._result(outcome.result(), rec)

    def detect(self, image: ImageInput) -> Detections:
        """Return the text regions of an image and their scores, in reading order."""
        return self._detect(images.read(image), NO_TIMER)

    def classify(self, crops: ImageInput | Sequence[ImageInput]) -> list[Orientation]:
        """Return the angle, 0 or 180, and its score of each line image."""
        return self._need(self._classifier, "cls").classify([images.read(crop) for crop in _several(crops)])

    def recognize(self, crops: ImageInput | Sequence[ImageInput]) -> list[Recognition]:
        """Return the text and its score of each line image."""
        return self._need(self._recognizer, "rec").recognize([images.read(crop) for crop in _several(crops)])

    def profile(self, image: ImageInput, det: bool = True, cls: bool = True, rec: bool = True) -> dict[str, float]:
        """Read an image and return the seconds that each stage took.

        The stages: read, resize, detector, post-process, crop, classifier, recogniser, decode.
        """
        timer = Timer()
        self._read(image, det, cls, rec, timer)
        return timer.seconds

    def _read(self, image: ImageInput, det: bool, cls: bool, rec: bool, timer: Timer) -> OCRResult:
        with timer("read"):
            pixels = images.read(image)
        return self._lines(pixels, _name(image), det, cls, rec, timer)

    def _lines(self, image: Image, source: str | None, det: bool, cls: bool, rec: bool, timer: Timer) -> OCRResult:
        page = self._find_lines(image, source, det, cls, rec, timer)
        if rec:
            page.texts = dict(enumerate(self._need(self._recognizer, "rec").recognize_prepared(page.lines, timer)))
        return self._result(page, rec)

    def _find_lines(self, image: Image, source: str | None, det: bool, cls: bool, rec: bool, timer: Timer) -> FoundPage:
        """Find the lines of a page and turn them upright; if they are to be read, prepare them for that."""
        size = image.shape[0], image.shape[1]
        found = self._detect(image, timer) if det else Detections([_whole(size)], [1.0])
        page = FoundPage(source, size, found, [0] * len(found.polygons), [], margin=self.rec_margin if det else 0.0)
        if not cls and not rec:
            return page
        with timer("crop"):
            crops = crop_lines(image, found.polygons, MAX_LINE_PX, page.margin) if det else [image]
        if cls and self._classifier:
            page.angles = self._turn(crops, timer)
        if rec:
            crops += [turn(crops[index], 180) for index in page.unlike_most()]
            page.lines = self._need(self._recognizer, "rec").prepare(crops, timer)
        return page

    def _result(self, page: FoundPage, rec: bool) -> OCRResult:
        """Return what was found and, if it was asked for, read; lines read with too little confidence are left out."""
        read = page.readings() if rec else [(angle, _UNREAD) for angle in page.angles]
        lines = tuple(
            TextLine(
                polygon, *text, det_score, angle, find_words(text.text, text.positions, polygon, angle, page.margin)
            )
            for polygon, det_score, (angle, text) in zip(*page.found, read, strict=True)
            if not rec or text.score >= self.drop_score
        )
        return OCRResult(lines, page.size, page.source)

    def _detect(self, image: Image, timer: Timer) -> Detections:
        found = self._need(self._detector, "det").detect(image, timer)
        order = reading_order(found.polygons)
        return Detections([found.polygons[i] for i in order], [found.scores[i] for i in order])

    def _turn(self, crops: list[Image], timer: Timer) -> list[int]:
        """Rotate upside-down crops, in place, and return each one's angle."""
        found = self._need(self._classifier, "cls").classify(crops, timer)
        angles = [angle if score > self.cls_thresh else 0 for angle, score in found]
        crops[:] = [turn(crop, angle) for crop, angle in zip(crops, angles, strict=True)]
        return angles

    def _on_one_thread(self) -> OCR:
        """Return a reader whose networks run on one thread each, for pages that are read at the same time."""
        other = copy.copy(self)
        other._detector = on_one_thread(self._detector) if self._detector else None
        other._classifier = on_one_thread(self._classifier) if self._classifier else None
        other._recognizer = on_one_thread(self._recognizer) if self._recognizer else None
        return other

    def _find(self, stage: str, model: str | Path | None, optional: bool) -> Path | None:
        """Return the folder of a stage; None, and the reason for later, if it is optional and there is none."""
        if model is not None:
            return Path(model)
        try:
            return released_model(stage, self.lang)
        except ModelError as error:
            if not optional:
                raise
            self._missing[stage] = error
            return None

    def _need(self, stage: S | None, name: str) -> S:
        if stage is None:
            raise self._missing.get(name, ModelError(f"The {name} stage was switched off when OCR() was made."))
        return stage


def _several(crops: ImageInput | Sequence[ImageInput]) -> Sequence[ImageInput]:
    """Return a lone image as a list of one; an array (N, H, W, 3) is N images."""
    if isinstance(crops, list | tuple) or (isinstance(crops, np.ndarray) and crops.ndim == 4):
        return list(crops)
    return [crops]  # type: ignore[list-item]


def _name(image: ImageInput) -> str | None:
    name = image if isinstance(image, str | Path) else getattr(image, "name", None) or getattr(image, "filename", None)
    return str(name) if isinstance(name, str | Path) and str(name) else None


def _whole(size: tuple[int, int]) -> Points:
    height, width = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _three_numbers(shape: str | Sequence[int] | None) -> list[int] | None:
    if shape is None:
        return None
    try:
        numbers = [int(side) for side in (shape.split(",") if isinstance(shape, str) else shape)]
    except ValueError as error:
        raise ConfigError(f"OCR: rec_image_shape must be like '3,32,320'. Received: {shape!r}") from error
    return numbers


def _default_threads() -> int:
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(available, MAX_THREADS)
