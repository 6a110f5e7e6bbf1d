"""Pages of many jobs are read in turn, and each job is told of its own alone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import pytest

from ppocr_lite.errors import ImageError
from ppocr_lite.results import OCRResult

work = pytest.importorskip("ppocr_lite.serve.work", reason="the extra [serve] is not installed")


class Reader:
    """Stands for an OCR: says how large a page is, and fails on one pixel."""

    def __init__(self) -> None:
        self.bursts: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def ocr(self, image: Any) -> OCRResult:
        self.gate.wait(10)
        if image.size == 3:
            raise ZeroDivisionError
        return OCRResult(size=image.shape[:2])

    def stream_pages(self, pages: Generator[Any, None, None], on_error: str) -> Iterator[OCRResult]:
        assert on_error == "skip"
        self.bursts.append(0)
        for name, image in pages:
            self.bursts[-1] += 1
            if isinstance(image, ImageError):
                yield OCRResult(source=name, error=str(image))
            else:
                yield OCRResult(source=name, size=self.ocr(image).size)


class Told:
    """What a job was told, in order; the last is how it ended."""

    def __init__(self) -> None:
        self.events: queue.Queue[Any] = queue.Queue()

    def all(self) -> list[Any]:
        found = [self.events.get(timeout=10)]
        while isinstance(found[-1], work.ReadPage):
            found.append(self.events.get(timeout=10))
        return found


@pytest.fixture
def worker() -> Iterator[Any]:
    made = work.Worker(decoders=2)
    made.start()
    yield made
    made.stop()


def submit(worker: Any, reader: Reader, heights: list[int | ImageError], picture: bool = False) -> Told:
    def pages() -> Generator[Any, None, None]:
        for number, height in enumerate(heights, 1):
            image = height if isinstance(height, ImageError) else np.zeros((height, height, 3), np.uint8)
            yield f"#{number}", image

    told = Told()
    worker.submit(work.Job(reader, pages(), told.events.put, picture))
    return told


def heights_of(events: list[Any]) -> list[int]:
    return [event.result.size[0] for event in events[:-1]]


def test_each_job_gets_its_pages_in_order(worker: Any) -> None:
    readers = [Reader(), Reader()]
    jobs = [
        (number, submit(worker, readers[number % 2], [10 * number + k for k in range(2, 7)])) for number in range(12)
    ]
    for number, told in jobs:
        events = told.all()
        assert heights_of(events) == [10 * number + k for k in range(2, 7)]
        assert [event.result.source for event in events[:-1]] == ["#1", "#2", "#3", "#4", "#5"]
        assert events[-1] is None
    assert max(readers[0].bursts + readers[1].bursts) > 1


def test_a_job_of_one_page_does_not_wait_for_one_of_many(worker: Any) -> None:
    reader = Reader()
    reader.gate.clear()
    long, short = submit(worker, reader, [8] * 60), submit(worker, reader, [9])
    reader.gate.set()
    assert heights_of(short.all()) == [9]
    assert long.events.qsize() < 60
    assert len(long.all()) == 61


def test_what_fails_is_told_to_its_job_alone(worker: Any) -> None:
    reader = Reader()
    reader.gate.clear()
    jobs = [submit(worker, reader, heights) for heights in ([5, 6], [1], [7], [ImageError("damaged"), 8])]  # 1 fails
    reader.gate.set()
    first, second, third, fourth = (job.all() for job in jobs)
    assert (heights_of(first), first[-1]) == ([5, 6], None)
    assert isinstance(second[-1], ZeroDivisionError)
    assert (heights_of(third), third[-1]) == ([7], None)
    assert [event.result.error for event in fourth[:-1]] == ["damaged", None]


def test_an_error_while_decoding_ends_the_job(worker: Any) -> None:
    def pages() -> Generator[Any, None, None]:
        yield "#1", np.zeros((4, 4, 3), np.uint8)
        raise ImageError("no more")

    told = Told()
    worker.submit(work.Job(Reader(), pages(), told.events.put))
    assert isinstance(told.all()[-1], ImageError)


def test_a_job_for_which_nobody_waits_is_left(worker: Any) -> None:
    closed = threading.Event()

    def pages() -> Generator[Any, None, None]:
        try:
            while True:
                yield "#1", np.zeros((4, 4, 3), np.uint8)
        finally:
            closed.set()

    told = Told()
    job = work.Job(Reader(), pages(), told.events.put)
    worker.submit(job)
    told.events.get(timeout=10)
    job.over = True
    assert closed.wait(10)


def test_a_page_comes_back_as_a_picture_that_fits_a_screen(worker: Any) -> None:
    page, _ = submit(worker, Reader(), [2 * work.PICTURE_SIDE], picture=True).all()
    size = work.images.read(page.picture).shape
    assert size == (work.PICTURE_SIDE, work.PICTURE_SIDE, 3)
