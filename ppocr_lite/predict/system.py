"""The whole way from an image to its text."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, overload

from ppocr_lite.config.reading import ReadingPolicy
from ppocr_lite.errors import ConfigError, ModelError, OCRError
from ppocr_lite.io import images
from ppocr_lite.io.formats import MAX_PIXELS
from ppocr_lite.io.images import Image, ImageInput
from ppocr_lite.io.pages import list_files, page_numbers, read_every_page, read_pages
from ppocr_lite.predict.arguments import (
    NETWORK_OPTIONS,
    default_threads,
    find_network,
    name_of,
    policy_overrides,
    several,
    three_numbers,
)
from ppocr_lite.predict.bundle.official import NO_SETTINGS
from ppocr_lite.predict.classifier import TextClassifier
from ppocr_lite.predict.detector import TextDetector
from ppocr_lite.predict.layout.turn import PageAngle
from ppocr_lite.predict.models import STAGES, find_models
from ppocr_lite.predict.options import accept_old_names
from ppocr_lite.predict.page import PageReader, Steps, page_policy
from ppocr_lite.predict.progress import show_progress
from ppocr_lite.predict.recognizer import TextRecognizer
from ppocr_lite.predict.released import LANGUAGES, default_language
from ppocr_lite.predict.runner import Engine, EngineRunner
from ppocr_lite.predict.skipping import OnError, check_on_error, failed_result
from ppocr_lite.predict.stages import load_classifier, load_detector, load_recognizer
from ppocr_lite.predict.stream import stream_pages
from ppocr_lite.predict.timing import NO_TIMER, Timer
from ppocr_lite.results import Detections, OCRResult, Orientation, Recognition

BATCH_SIZE = 6  # lines per run, as in PaddleOCR


class OCR:
    """Finds the text lines of an image, turns them upright and reads them.

    One object may be called from many threads at once. Arguments left at None use the model folder's settings, with
    which the model was evaluated. The argument names of PaddleOCR 2.x are accepted with a DeprecationWarning.

    Args:
        lang: Released recogniser to use: ``"en"``, or ``"ch"``, which reads Chinese, and English less well; None for
            ``"en"``.
        models: Name of a model set of an installed package, such as ``"PP-OCRv6_small"`` (``ppocr-lite models`` lists
            them), or a folder with networks: exported by this package, by PaddleOCR or PaddleX, or ONNX files. None
            for the released ones.
        engine: What runs the networks; ``"auto"`` takes the fastest that is installed and works, of ONNX Runtime,
            OpenVINO and Paddle.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads that a network runs on; None for as many as there are, at most 4. OpenCV has a setting of
            its own, ``cv2.setNumThreads``.
        det_model: Exported detector folder, or an ONNX file; None for that of *models*.
        cls_model: Exported orientation classifier, likewise.
        rec_model: Exported recogniser, likewise.
        rec_char_dict_path: Dictionary file instead of the characters in the recogniser's folder.
        use_angle_cls: Detect and rotate upside-down lines; None: if there is a classifier.
        det_limit_side_len: Limit for a side of the image before detection, pixels; usually 960.
        det_limit_type: ``"max"``: the longer side is at most that; ``"min"``: the shorter is at least that.
        det_db_thresh: A pixel above this probability is text; 0.2 with the released detector.
        det_db_box_thresh: A region whose mean probability is below this is dropped; 0.5 with the released detector.
        det_db_unclip_ratio: How much a region grows; usually 1.5.
        det_db_score_mode: ``"fast"`` averages over the enclosing quad, ``"slow"`` over the region itself.
        use_dilation: Thicken the text regions before tracing them.
        det_box_type: ``"quad"`` or ``"poly"``, for curved text.
        rec_image_shape: Channels, height and standard width of a line, ``"3,32,320"`` or three numbers.
        rec_batch_num: Lines per run of the recogniser; None for 6.
        rec_retry_score: A line read with less confidence, but enough for *drop_score*, or from 0.3 on if it is at most
            twice as long as high, is read again smaller and larger, and the surest reading is kept; 0 reads every
            line once. 0.95 with the released recognisers.
        rec_margin: How far a line is read beyond both ends of its box, as a share of its height; 0.05 with the
            released recognisers.
        cls_thresh: A line is turned only if the classifier is surer than this; usually 0.9.
        cls_batch_num: Lines per run of the classifier; None for 6.
        drop_score: Lines read with less confidence are left out; 0.7 with the released English recogniser, else 0.5.
        max_pixels: Most pixels that an image may declare, for one of a few bytes may ask for all memory; it is refused
            before it is decoded. A larger page of a PDF is drawn at fewer dots an inch.
        page_angle: How far pages stand turned clockwise: 0, 90, 180 or 270 degrees; ``"auto"`` finds out for each, from
            the shape and direction of its lines, and turns pages far askew, too.

    Raises:
        ModelError: If a model is missing, incomplete or does not fit.
        ConfigError: If an argument has a wrong value.
        TypeError: If an argument does not exist; names the nearest.
    """

    _given: dict[str, Any] | None  # the arguments, set by accept_old_names
    _lent: Mapping[str, EngineRunner] = {}  # networks of another reader, by stage

    @accept_old_names
    def __init__(
        self,
        *,
        lang: Literal["ch", "en"] | None = None,
        models: str | Path | None = None,
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
        rec_batch_num: int | None = None,
        rec_retry_score: float | None = None,
        rec_margin: float | None = None,
        cls_thresh: float | None = None,
        cls_batch_num: int | None = None,
        drop_score: float | None = None,
        max_pixels: int = MAX_PIXELS,
        page_angle: PageAngle = "auto",
    ) -> None:
        if lang not in (None, *LANGUAGES):
            raise ConfigError(f"OCR: lang must be one of {', '.join(LANGUAGES)}. Received: {lang!r}")
        counts = {"rec_batch_num": rec_batch_num, "cls_batch_num": cls_batch_num, "threads": threads}
        counts["max_pixels"] = max_pixels
        for name, number in counts.items():
            if number is not None and number < 1:
                raise ConfigError(f"OCR: {name} must be at least 1. Received: {number}")
        overrides = policy_overrides(
            {"rec_retry_score": rec_retry_score, "rec_margin": rec_margin, "cls_thresh": cls_thresh}
        )
        if lang is not None and models is not None:
            raise ConfigError(f"OCR: lang={lang!r} chooses among the released models; with models= leave it out.")
        found = find_models(models) if models is not None else None
        origin = found or lang or default_language()
        self.lang: str | None = origin if isinstance(origin, str) else None
        missing: dict[str, ModelError] = {}
        given = {"det": det_model, "rec": rec_model} | ({} if use_angle_cls is False else {"cls": cls_model})
        partly = any((det_model, cls_model, rec_model, found))  # then a stage that is not there fails when it is needed
        folders = {}
        for stage, model in given.items():
            optional = not use_angle_cls if stage == "cls" else partly
            folders[stage] = find_network(stage, model, origin, missing if optional else None)
        use = (engine, device, threads or default_threads())
        resize = {"limit_side_len": det_limit_side_len, "limit_type": det_limit_type}
        boxes = {
            "thresh": det_db_thresh,
            "box_thresh": det_db_box_thresh,
            "unclip_ratio": det_db_unclip_ratio,
            "score_mode": det_db_score_mode,
            "use_dilation": use_dilation,
            "box_type": det_box_type,
        }
        line = {"image_shape": three_numbers(rec_image_shape)}
        det, cls, rec = (folders.get(stage) for stage in STAGES)
        said = [found.settings if found and not given.get(stage) else NO_SETTINGS for stage in STAGES]
        lent = [self._lent.get(stage) for stage in STAGES]
        detector = load_detector(det, *use, resize, boxes, said[0], lent[0]) if det else None
        classifier = load_classifier(cls, *use, cls_batch_num or BATCH_SIZE, said[1], lent[1]) if cls else None
        size, listed = rec_batch_num or BATCH_SIZE, rec_char_dict_path
        recognizer = load_recognizer(rec, *use, size, line, listed, drop_score, said[2], lent[2]) if rec else None
        policy = dataclasses.replace(page_policy(classifier, recognizer), **overrides)
        self._hold(PageReader(detector, classifier, recognizer, policy, missing, page_angle), threads, max_pixels)

    @classmethod
    def of(
        cls,
        detector: TextDetector | None = None,
        classifier: TextClassifier | None = None,
        recognizer: TextRecognizer | None = None,
        policy: ReadingPolicy | None = None,
        threads: int | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> OCR:
        """Return a reader made of stages that are ready: loaded by hand, or around a network of one's own.

        Args:
            detector: Finds lines; needed unless every call says ``det=False``.
            classifier: Tells which lines stand on their head; None to turn none.
            recognizer: Reads lines; needed unless every call says ``rec=False``.
            policy: How lines are turned, cut out and read; None for what the folders of the stages say.
            threads: Pages that :meth:`stream` searches at the same time; None for as many as there are processors, at
                most 4.
            max_pixels: Most pixels that an image may declare.
        """
        made = cls.__new__(cls)
        made.lang = made._given = None
        made._hold(PageReader(detector, classifier, recognizer, policy), threads, max_pixels)
        return made

    def _hold(self, reader: PageReader, threads: int | None, max_pixels: int) -> None:
        self._reader, self._threads = reader, threads or default_threads()
        self.max_pixels = max_pixels
        self.policy, self.drop_score = reader.policy, reader.drop_score

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a copy in another process be made anew, of the same arguments: ``pickle`` takes no networks along."""
        if self._given is None:
            raise TypeError("An OCR made of ready stages, by OCR.of, cannot be pickled. Make it where it is to read.")
        return functools.partial(type(self), **self._given), ()

    @overload
    def ocr(
        self,
        image: list[Any] | tuple[Any, ...],
        det: bool = True,
        cls: bool = True,
        rec: bool = True,
        *,
        on_error: OnError = "raise",
    ) -> list[OCRResult]: ...

    @overload
    def ocr(
        self, image: ImageInput, det: bool = True, cls: bool = True, rec: bool = True, *, on_error: OnError = "raise"
    ) -> OCRResult: ...

    def ocr(
        self,
        image: ImageInput | list[Any] | tuple[Any, ...],
        det: bool = True,
        cls: bool = True,
        rec: bool = True,
        *,
        on_error: OnError = "raise",
    ) -> OCRResult | list[OCRResult]:
        """Read an image, or several.

        Args:
            image: Path, bytes, open file, Pillow image or array (BGR uint8, gray, BGRA); or a list of them.
            det: Look for lines; False takes the whole image for one line.
            cls: Rotate upside-down lines, if there is a classifier and it is not switched off.
            rec: Read the lines; False leaves their texts empty and drops none.
            on_error: What to do about an input that cannot be read: ``"raise"``; ``"skip"``, which gives an empty
                result with its ``error``, so that results and inputs agree in number; or a function, which is called
                with the name of the input (None if it has none) and the error, and then as for ``"skip"``.

        Returns:
            The lines in reading order, none if there is no text; a list for a list.

        Raises:
            ImageError: If an input is not an image; names it.
            ModelError: If a model that is needed is not there.
        """
        go_on = check_on_error(on_error)
        if isinstance(image, list | tuple):
            return [self.ocr(one, det, cls, rec, on_error=on_error) for one in image]
        try:
            pixels = self._pixels(image)
        except (OCRError, TypeError) as error:
            if not go_on:
                raise
            return failed_result(name_of(image), error, on_error)
        return self._read(pixels, name_of(image), Steps(det, cls, rec))

    def stream(
        self,
        source: str | Path,
        pages: str | None = None,
        *,
        recursive: bool = False,
        det: bool = True,
        cls: bool = True,
        rec: bool = True,
        on_error: OnError = "raise",
        password: str | None = None,
        progress: bool = False,
    ) -> Generator[OCRResult, None, None]:
        """Read the pages of a file, folder or pattern one at a time.

        Neighbouring pages are decoded, searched and read at the same time, each network on one thread of its own: that
        gets more out of the processors than several threads for one network. The lines of several pages are read
        together. The results are those of :meth:`ocr`, in order; a few pages are held at a
        time, however many there are. An error is raised at the turn of the page that failed, unless *on_error* says
        otherwise. To stop early, close the iterator or drop it.

        Args:
            source: An image, a TIFF or GIF of several frames, a PDF, a folder of these, or a pattern such as
                ``"scans/*.png"``.
            pages: Which pages of each file, such as ``"1-5,8"``, counted from 1; None for all.
            recursive: Look into the folders below, too.
            det: See :meth:`ocr`.
            cls: See :meth:`ocr`.
            rec: See :meth:`ocr`.
            on_error: See :meth:`ocr`; the pages that follow a damaged one in its file are read, too.
            password: Of encrypted PDF files.
            progress: Show a bar, in a notebook or on standard error.

        Yields:
            One result a page; its ``source`` is the path, with ``#number`` behind it for one page of several.

        Raises:
            ImageError: If there is nothing to read, or a file is damaged or has none of *pages*; names it. If it has
                some of them, a warning names the others.
            OCRError: If a PDF is to be read and pypdfium2 is not installed.
            ValueError: If *pages* is not a list of numbers and ranges.
        """
        page_numbers(pages)
        read_all = read_every_page if check_on_error(on_error) else read_pages
        files, counts = list_files(source, recursive), list[int]()

        def decode() -> Generator[tuple[str, Image | OCRError], None, None]:
            for path in files:
                yield from read_all(path, pages, max_pixels=self.max_pixels, password=password, counted=counts.append)

        with closing(stream_pages(self._reader, decode(), Steps(det, cls, rec), self._threads, on_error)) as read:
            yield from show_progress(read, files, counts) if progress else read

    def stream_pages(
        self,
        pages: Generator[tuple[str, Image | OCRError], None, None],
        *,
        det: bool = True,
        cls: bool = True,
        rec: bool = True,
        on_error: OnError = "raise",
    ) -> Generator[OCRResult, None, None]:
        """Read pages that are decoded already, as :meth:`stream` does.

        Args:
            pages: The name and the pixels of each, BGR uint8 (H, W, 3), or why it could not be decoded. They are made
                in a thread of their own.
            det: See :meth:`ocr`.
            cls: See :meth:`ocr`.
            rec: See :meth:`ocr`.
            on_error: See :meth:`ocr`.

        Yields:
            One result a page, in order.
        """
        check_on_error(on_error)
        yield from stream_pages(self._reader, pages, Steps(det, cls, rec), self._threads, on_error)

    def with_options(self, **options: Any) -> OCR:
        """Return a reader with other thresholds that shares the networks of this one.

        Args:
            options: Arguments of :class:`OCR` that do not say which networks there are or what runs them.

        Raises:
            ConfigError: If an argument has a wrong value, or needs other networks.
            TypeError: If an argument does not exist, or this reader was made of ready stages, by :meth:`of`.
        """
        if self._given is None:
            raise TypeError("An OCR made of ready stages, by OCR.of, has no options. Make another of other stages.")
        if others := sorted(options.keys() & NETWORK_OPTIONS):
            raise ConfigError(f"OCR.with_options: {others[0]} needs other networks. Make another OCR.")
        made = type(self).__new__(type(self))
        made._lent = self._reader.networks()
        made.__init__(**self._given | options)  # type: ignore[misc]
        return made

    def detect(self, image: ImageInput) -> Detections:
        """Return the text regions of an image and their scores, in reading order."""
        return self._reader.detect(self._pixels(image))

    def classify(self, crops: ImageInput | Sequence[ImageInput]) -> list[Orientation]:
        """Return the angle, 0 or 180, and its score of each line image."""
        return self._reader.classifier.classify([self._pixels(crop) for crop in several(crops)])

    def recognize(self, crops: ImageInput | Sequence[ImageInput]) -> list[Recognition]:
        """Return the text and its score of each line image."""
        return self._reader.recognizer.recognize([self._pixels(crop) for crop in several(crops)])

    def profile(self, image: ImageInput, det: bool = True, cls: bool = True, rec: bool = True) -> dict[str, float]:
        """Read an image and return the seconds that each stage took.

        The stages: read, resize, detector, post-process, crop, classifier, recogniser, decode.
        """
        timer = Timer()
        with timer("read"):
            pixels = self._pixels(image)
        self._read(pixels, name_of(image), Steps(det, cls, rec), timer)
        return timer.seconds

    def _pixels(self, image: ImageInput) -> Image:
        return images.read(image, max_pixels=self.max_pixels)

    def _read(self, image: Image, name: str | None, steps: Steps, timer: Timer = NO_TIMER) -> OCRResult:
        page = self._reader.find(image, name, steps, timer)
        return self._reader.finish(self._reader.read(page, timer))
