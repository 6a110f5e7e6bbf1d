"""Pages in a stream: order, errors at their turn, bounded memory, a clean end."""

from __future__ import annotations

import threading
from collections.abc import Generator
from concurrent.futures import Future

import numpy as np
import pytest

from ppocr_lite.charset import Charset
from ppocr_lite.postprocess import CTCLabelDecode
from ppocr_lite.predict import FunctionRunner, TextRecognizer
from ppocr_lite.predict.page import FoundPage, PageReader
from ppocr_lite.predict.stream import map_ahead, read_together, run_ahead
from ppocr_lite.results import Detections
from ppocr_lite.transforms.base import Compose
from ppocr_lite.transforms.resize import RecResizeImg

LETTERS = Charset("abcdefghij")


class Source:
    """Counts from 0, fails where it is told to, and notes what happens to it."""

    def __init__(self, stop: int, fail_at: int | None = None) -> None:
        self.stop, self.fail_at = stop, fail_at
        self.made, self.closed, self.threads = 0, False, set[int]()

    def numbers(self) -> Generator[int, None, None]:
        try:
            for number in range(self.stop):
                self.threads.add(threading.get_ident())
                if number == self.fail_at:
                    raise KeyError(number)
                self.made += 1
                yield number
        finally:
            self.closed = True


def own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("ppocr-lite")]


def test_items_come_in_order_from_one_other_thread() -> None:
    source = Source(20)
    assert [outcome.result() for outcome in run_ahead(source.numbers(), depth=3)] == list(range(20))
    assert len(source.threads) == 1
    assert threading.get_ident() not in source.threads
    assert own_threads() == []


@pytest.mark.parametrize("depth", [1, 3])
def test_no_more_than_the_depth_is_made_ahead(depth: int) -> None:
    source = Source(50)
    ahead = run_ahead(source.numbers(), depth)
    for taken, _ in zip(range(1, 30), ahead, strict=False):
        assert source.made <= taken + depth
    ahead.close()


def test_a_failure_is_the_last_outcome() -> None:
    outcomes = list(run_ahead(Source(9, fail_at=4).numbers(), depth=2))
    assert [outcome.result() for outcome in outcomes[:-1]] == [0, 1, 2, 3]
    assert isinstance(outcomes[-1].exception(), KeyError)


def test_stopping_early_ends_the_thread_and_closes_the_source() -> None:
    source = Source(1000)
    ahead = run_ahead(source.numbers(), depth=2)
    next(ahead)
    ahead.close()
    assert source.closed
    assert source.made <= 4
    assert own_threads() == []


def test_an_empty_source_gives_nothing() -> None:
    assert list(run_ahead(Source(0).numbers())) == []


@pytest.mark.parametrize("workers", [1, 3])
def test_a_function_is_called_in_several_threads_and_its_results_come_in_order(workers: int) -> None:
    threads, busy = set[int](), threading.Barrier(workers)

    def square(number: int) -> int:
        threads.add(threading.get_ident())
        if number < workers:
            busy.wait(timeout=30)  # passes only if all of them are at work at once
        return number**2

    mapped = map_ahead(square, run_ahead(Source(20).numbers()), workers)
    assert [outcome.result() for outcome in mapped] == [number**2 for number in range(20)]
    assert len(threads) == workers
    assert own_threads() == []


@pytest.mark.parametrize("fails", ["source", "function"])
def test_the_failure_of_an_item_is_the_last_outcome(fails: str) -> None:
    source = Source(9, fail_at=4 if fails == "source" else None)

    def check(number: int) -> int:
        if fails == "function" and number == 4:
            raise KeyError(number)
        return number

    found = list(map_ahead(check, run_ahead(source.numbers()), 3))
    assert [outcome.result() for outcome in found[:-1]] == [0, 1, 2, 3]
    assert isinstance(found[-1].exception(), KeyError)
    assert source.closed
    assert own_threads() == []


def test_dropping_it_early_ends_its_threads_and_closes_the_source() -> None:
    source = Source(1000)
    mapped = map_ahead(str, run_ahead(source.numbers()), 2)
    assert next(mapped).result() == "0"
    mapped.close()
    assert source.closed
    assert source.made <= 6
    assert own_threads() == []


def recognizer(shapes: list[tuple[int, ...]], batch_size: int = 4) -> TextRecognizer:
    """Reads the brightness of a line as a letter, and remembers the shapes it saw."""

    def network(batch: np.ndarray) -> np.ndarray:
        shapes.append(batch.shape)
        probabilities = np.zeros((len(batch), 2, 11), np.float32)
        letters = np.round((batch[:, 0, 0, 0] + 1) / 2 * 9).astype(int) + 1
        probabilities[np.arange(len(batch)), 0, letters] = 0.9
        probabilities[:, 1, 0] = 1
        return probabilities

    preprocess = Compose([RecResizeImg((3, 32, 320), squeeze=False)], ("image",))
    return TextRecognizer(FunctionRunner(network), preprocess, CTCLabelDecode(LETTERS), batch_size)


def page(stage: TextRecognizer, number: int, *widths: int) -> FoundPage:
    """A page with a line of each width; all say the letter of its number."""
    image = [np.full((32, width, 3), round(number * 255 / 9), np.uint8) for width in widths]
    nothing = Detections([], [])
    return FoundPage(str(number), (32, 32), nothing, [0] * len(widths), stage.prepare(image))


def outcomes(*pages: FoundPage | Exception) -> Generator[Future[FoundPage], None, None]:
    for given in pages:
        outcome: Future[FoundPage] = Future()
        if isinstance(given, Exception):
            outcome.set_exception(given)
        else:
            outcome.set_result(given)
        yield outcome


def said(pages: list[FoundPage]) -> list[tuple[str | None, str]]:
    return [(page.source, "".join(page.texts[index].text for index in range(len(page.lines)))) for page in pages]


def test_lines_of_several_pages_share_a_batch() -> None:
    shapes: list[tuple[int, ...]] = []
    stage = recognizer(shapes)
    read = list(
        read_together(outcomes(*(page(stage, number, 30, 30) for number in range(4))), PageReader(recognizer=stage))
    )
    assert said(read) == [("0", "aa"), ("1", "bb"), ("2", "cc"), ("3", "dd")]
    assert shapes == [(4, 3, 32, 64)] * 2


def test_each_line_reads_as_alone_whatever_the_mixture() -> None:
    rng = np.random.default_rng(0)
    stage = recognizer([], batch_size=3)
    pages = [page(stage, number % 10, *rng.integers(5, 500, rng.integers(0, 9)).tolist()) for number in range(20)]
    alone = [[found.text for found in stage.recognize_prepared(one.lines)] for one in pages]
    together = list(read_together(outcomes(*pages), PageReader(recognizer=stage), window=3))
    assert together == pages
    assert [[one.texts[index].text for index in range(len(one.lines))] for one in together] == alone


def test_no_more_pages_wait_than_the_window() -> None:
    stage = recognizer([], batch_size=100)
    taken = 0

    def counted() -> Generator[Future[FoundPage], None, None]:
        nonlocal taken
        for outcome in outcomes(*(page(stage, number % 10, 30) for number in range(12))):
            taken += 1
            yield outcome

    for given, _ in enumerate(read_together(counted(), PageReader(recognizer=stage), window=2), 1):
        assert taken <= given + 2


def test_a_page_without_lines_does_not_wait() -> None:
    stage = recognizer([])
    reading = read_together(outcomes(page(stage, 0), page(stage, 1, 30)), PageReader(recognizer=stage))
    assert next(reading).source == "0"


def test_an_error_comes_after_the_pages_before_it() -> None:
    stage = recognizer([], batch_size=100)
    reading = read_together(
        outcomes(page(stage, 1, 30), page(stage, 2, 99), OSError("broken")), PageReader(recognizer=stage)
    )
    assert said([next(reading), next(reading)]) == [("1", "b"), ("2", "c")]
    with pytest.raises(OSError, match="broken"):
        next(reading)


def test_closing_the_reading_closes_the_pages() -> None:
    stage = recognizer([])
    source = Source(100)
    reading = read_together(run_ahead(page(stage, 1) for number in source.numbers()), PageReader(recognizer=stage))
    next(reading)
    reading.close()
    assert own_threads() == []
