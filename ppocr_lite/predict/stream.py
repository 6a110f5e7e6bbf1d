"""Many pages: reading, finding and recognising at the same time, lines of several pages in one batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from ppocr_lite.errors import OCRError
from ppocr_lite.io.images import Image
from ppocr_lite.predict.page import FoundPage, PageReader, Steps
from ppocr_lite.predict.skipping import OnError, find_page, finish_page
from ppocr_lite.predict.timing import NO_TIMER, Timer
from ppocr_lite.results import OCRResult

S = TypeVar("S")
T = TypeVar("T")
# Pages whose lines wait for company in a batch.  More fill the batches better, and cost the memory of their lines.
WINDOW = 4


def run_ahead(items: Generator[T, None, None], depth: int = 1) -> Generator[Future[T], None, None]:
    """Run a generator in a thread of its own, *depth* items ahead of whoever takes them.

    When this generator ends or is closed, the other one has been closed and its thread has ended.

    Args:
        items: The generator.
        depth: Most items that wait to be taken, one being made among them.

    Yields:
        The outcome of each item, in order; if making it failed, that outcome is the last.
    """
    end = object()
    pool = ThreadPoolExecutor(1, "ppocr-lite")
    waiting = deque(pool.submit(next, items, end) for _ in range(depth))
    try:
        while True:
            outcome = waiting.popleft()
            failed = outcome.exception() is not None
            if not failed and outcome.result() is end:
                return
            if not failed:
                waiting.append(pool.submit(next, items, end))
            yield outcome  # type: ignore[misc]
            if failed:
                return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        items.close()


def map_ahead(
    function: Callable[[S], T], items: Generator[Future[S], None, None], workers: int
) -> Generator[Future[T], None, None]:
    """Call a function on items in several threads at once.

    When this generator ends or is closed, *items* has been closed and the threads have ended.

    Args:
        function: What to do with an item.
        items: The items, in order.
        workers: Threads; at most one item more waits to be taken.

    Yields:
        The outcome of each item, in order; if making or doing it failed, that outcome is the last.
    """

    def work(item: Future[S]) -> T:
        return function(item.result())

    pool = ThreadPoolExecutor(workers, "ppocr-lite")
    waiting: deque[Future[T]] = deque()
    try:
        while True:
            item = next(items, None)
            if item is not None:
                waiting.append(pool.submit(work, item))
            if waiting and (item is None or len(waiting) > workers):
                outcome = waiting.popleft()
                failed = outcome.exception() is not None
                yield outcome
                if failed:
                    return
            elif item is None:
                return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        items.close()


def read_together(
    pages: Generator[Future[FoundPage], None, None],
    page_reader: PageReader,
    window: int = WINDOW,
    timer: Timer = NO_TIMER,
) -> Generator[FoundPage, None, None]:
    """Read the lines of pages in batches that go across pages.

    A line is padded by its own width, so it reads as it does alone.  A page waits for others to fill the batches of its
    lines, until *window* pages wait.

    Args:
        pages: The pages, in order.
        page_reader: Reads the lines.
        window: Most pages that wait.
        timer: Told how long each step takes.

    Yields:
        The same pages in the same order, read.

    Raises:
        Exception: What a page failed with, after all before it have been yielded.
    """
    reader = _Reader(page_reader, timer)
    waiting: deque[FoundPage] = deque()
    with closing(pages):
        for outcome in pages:
            if outcome.exception() is not None:
                yield from _rest(reader, waiting)
            page = outcome.result()  # raises what the page failed with
            waiting.append(page)
            reader.add(page)
            while waiting and (waiting[0].is_read or len(waiting) > window):
                reader.finish(waiting[0])
                yield waiting.popleft()
        yield from _rest(reader, waiting)


def stream_pages(
    reader: PageReader,
    pages: Generator[tuple[str, Image | OCRError], None, None],
    steps: Steps,
    threads: int,
    on_error: OnError,
) -> Generator[OCRResult, None, None]:
    """Read decoded pages: find the lines of several at the same time, read them together.

    Args:
        reader: Reads them, each network on one thread.
        pages: The name and the pixels of each, BGR uint8 (H, W, 3), or why it could not be decoded.
        steps: What is to be done with them.
        threads: How many are searched at the same time.
        on_error: What to do about one that could not be decoded.

    Yields:
        One result a page, in order.
    """
    reader = reader.on_one_thread()
    if steps.rec:
        reader.recognizer  # noqa: B018 - an error if there is none, before any page is looked at

    def find(page: tuple[str, Image | OCRError]) -> FoundPage:
        return find_page(reader, *page, steps)

    found = map_ahead(find, run_ahead(pages), threads if reader.parallel else 1)
    with closing(run_ahead(read_together(found, reader)) if steps.rec else found) as read:
        for outcome in read:
            yield finish_page(reader, outcome.result(), on_error)


def _rest(reader: _Reader, waiting: deque[FoundPage]) -> Iterator[FoundPage]:
    while waiting:
        reader.finish(waiting[0])
        yield waiting.popleft()


class _Reader:
    """Lines that wait to be read, by the width they are padded to."""

    def __init__(self, reader: PageReader, timer: Timer) -> None:
        self.reader, self.recognizer, self.timer = reader, reader.recognizer, timer
        self.lines: dict[int, deque[tuple[FoundPage, int]]] = {}

    def add(self, page: FoundPage) -> None:
        """Take the lines of a page, and run the batches that become full."""
        for index, line in enumerate(page.lines):
            width = self.recognizer.padded_width(line)
            self.lines.setdefault(width, deque()).append((page, index))
            if len(self.lines[width]) == self.recognizer.batch_size:
                self._run(width)

    def finish(self, page: FoundPage) -> None:
        """Read what is left of a page, and as many lines of others as fill the batches; then what is doubtful again."""
        for width in sorted(self.lines):
            if any(other is page for other, _ in self.lines[width]):
                self._run(width)
        self.reader.read_doubtful(page, self.timer)

    def _run(self, width: int) -> None:
        chosen = self.lines.pop(width)
        texts = self.recognizer.run([page.lines[index] for page, index in chosen], width, self.timer)
        for (page, index), text in zip(chosen, texts, strict=True):
            page.texts[index] = text
