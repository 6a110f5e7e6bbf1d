"""The pages of all requests on their way: decoded in a few threads, read together, each told to who asked for it.

A request's pages are decoded one after the other, and requests take turns with every page: one of a hundred pages does
not keep out another of one. Pages that are ready are read as ``OCR.stream`` reads those of a folder, the lines of
several in one batch, for as long as there are any. A page that finds no other there is read by itself, with all
threads.
"""

from __future__ import annotations

import dataclasses
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2

from ppocr_lite.errors import OCRError
from ppocr_lite.io import images
from ppocr_lite.io.images import Image
from ppocr_lite.predict.system import OCR
from ppocr_lite.results import OCRResult
from ppocr_lite.serve import metrics

log = logging.getLogger(__name__)
READY = 4  # decoded pages that wait; more cost memory and gain nothing
PICTURE_SIDE = 1600  # pixels of the longer side of a page as the web page shows it
Page = tuple[str, Image | OCRError]


@dataclass(frozen=True)
class ReadPage:
    """A page that has been read.

    Attributes:
        result: What was read, or its error.
        picture: The page as a JPEG, if it was asked for.
    """

    result: OCRResult
    picture: bytes | None = None


@dataclass(eq=False)
class Job:
    """The pages of one request.

    Attributes:
        ocr: Reads them.
        pages: Their names and pixels, or why they cannot be read.
        tell: Called, from any thread, with each page that has been read, at last with the error that ended the job, or
            None if it is done.
        picture: Whether each page is to be given back as a picture.
        over: Whether nobody waits for it any more.
        unread: Pages that are decoded and not read yet.
        ended: Whether all pages are decoded.
    """

    ocr: OCR
    pages: Generator[Page, None, None]
    tell: Callable[[ReadPage | Exception | None], None]
    picture: bool = False
    over: bool = False
    unread: int = 0
    ended: bool = False


@dataclass(eq=False)
class Ready:
    """A decoded page and whose it is."""

    job: Job
    name: str
    image: Image | OCRError
    picture: bytes | None
    since: float = field(default_factory=time.perf_counter)


class Worker:
    """Reads the pages of jobs, in threads that :meth:`start` starts.

    Args:
        decoders: Pages that are decoded at the same time.
    """

    def __init__(self, decoders: int) -> None:
        self._decoders = ThreadPoolExecutor(decoders, "ppocr-decode")
        self._ready: queue.Queue[Ready | None] = queue.Queue(READY)
        self._kept: Ready | None = None  # taken, and of another reader than the pages before it
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._run, name="ppocr-read", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._reader.start()

    def submit(self, job: Job) -> None:
        """Take on a job."""
        self._decoders.submit(self._decode, job)

    def stop(self) -> None:
        """End the threads; what is under way is read to its end, what waits is not."""
        self._decoders.shutdown(wait=True, cancel_futures=True)
        self._ready.put(None)
        self._reader.join()

    def _decode(self, job: Job) -> None:
        """Decode the next page of a job."""
        try:
            if job.over:
                job.pages.close()
                return
            with metrics.STAGES.labels("decode").time():
                page = next(job.pages, None)
                picture = _picture(page[1]) if page and job.picture and not isinstance(page[1], OCRError) else None
        except Exception as error:  # noqa: BLE001 - whoever waits is told, and decides
            self._finish(job, error)
            return
        if page is None:
            with self._lock:
                job.ended = True
                done = job.unread == 0
            if done:
                self._finish(job, None)
            return
        with self._lock:
            job.unread += 1
        metrics.WAITING.inc()
        self._ready.put(Ready(job, *page, picture))  # waits while there are enough
        try:
            self.submit(job)  # behind the other jobs
        except RuntimeError:  # the threads are being ended
            self._finish(job, RuntimeError("The service has ended."))

    def _run(self) -> None:
        while (first := self._take()) is not None:
            if self._kept is None and self._ready.empty() and not isinstance(first.image, OCRError):
                self._read_alone(first)
            else:
                self._read_together(first)

    def _take(self, *, wait: bool = True) -> Ready | None:
        """Return the next page for which somebody waits; None if there is none, or the end has come."""
        while True:
            page, self._kept = self._kept, None
            if page is None:
                try:
                    page = self._ready.get(block=wait)
                except queue.Empty:
                    return None
                if page is None:  # the end; whoever asks next shall see it, too
                    self._ready.put(None)
                    return None
                metrics.WAITING.dec()
                metrics.STAGES.labels("wait").observe(time.perf_counter() - page.since)
            if not page.job.over:
                return page

    def _read_together(self, first: Ready) -> None:
        """Read *first* and the pages that follow it, as long as there are any for the same reader."""
        taken = deque([first])
        ocr = first.job.ocr

        def pages() -> Generator[Page, None, None]:
            yield first.name, first.image
            while (page := self._take(wait=False)) is not None:
                if page.job.ocr is not ocr:
                    self._kept = page
                    return
                taken.append(page)
                yield page.name, page.image

        started = time.perf_counter()
        try:
            for result in ocr.stream_pages(pages(), on_error="skip"):
                metrics.STAGES.labels("read").observe(time.perf_counter() - started)
                started = time.perf_counter()
                self._deliver(taken.popleft(), result)
        except Exception:
            log.exception("Reading pages together failed; each is read again alone.")
            for page in taken:
                self._read_alone(page)

    def _read_alone(self, page: Ready) -> None:
        try:
            with metrics.STAGES.labels("read").time():
                if isinstance(page.image, OCRError):
                    result = OCRResult(source=page.name, error=str(page.image))
                else:
                    result = dataclasses.replace(page.job.ocr.ocr(page.image), source=page.name)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, and decides
            self._finish(page.job, error)
        else:
            self._deliver(page, result)

    def _deliver(self, page: Ready, result: OCRResult) -> None:
        metrics.PAGES.inc()
        metrics.LINES.inc(len(result))
        metrics.BAD_PAGES.inc(result.error is not None)
        job = page.job
        if not job.over:
            job.tell(ReadPage(result, page.picture))
        with self._lock:
            job.unread -= 1
            done = job.ended and job.unread == 0
        if done:
            self._finish(job, None)

    @staticmethod
    def _finish(job: Job, error: Exception | None) -> None:
        if not job.over:
            job.over = True
            job.tell(error)


def _picture(image: Image) -> bytes:
    """Return a page as a JPEG that is not larger than a screen."""
    shrink = PICTURE_SIDE / max(image.shape[:2])
    if shrink < 1:
        size = tuple(max(1, round(side * shrink)) for side in image.shape[1::-1])
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return images.encode(image, ".jpg")
