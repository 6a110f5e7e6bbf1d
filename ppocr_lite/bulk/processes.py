"""Documents shared out among processes; one that dies or hangs costs the page it held, and is replaced."""

from __future__ import annotations

import json
import multiprocessing.spawn
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any

from ppocr_lite.bulk import worker
from ppocr_lite.bulk.document import CHUNK, Document, Done, Opened, Options, Row, Supply, chunks
from ppocr_lite.bulk.rows import error_row
from ppocr_lite.errors import OCRError

AHEAD = 2  # documents that a process has, one that it reads and one that it fetches
LOT = 32  # most rows of a Parquet file that it has
PAGE_SECONDS = 300.0  # for one page
START_SECONDS = 300.0  # to load the networks
END_SECONDS = 5.0  # to end by itself
MOST_LOST = 10  # processes lost one after the other, without a page that was read in between
_TICK = 0.2  # longest time without looking at anything else


@dataclass(eq=False)
class _Given:
    """A document that a process has, and the pages of it that have come back."""

    document: Document
    got: set[int] = field(default_factory=set)


@dataclass(eq=False)
class _Worker:
    """A process.

    Attributes:
        process: The process,
        pipe: and the way to it.
        given: What it has, by key, in order.
        since: When it was last heard, or given something to do.
        ready: Whether its networks are loaded.
    """

    process: subprocess.Popen[bytes]
    pipe: connection.Connection
    given: dict[tuple[str, int], _Given] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)
    ready: bool = False


class Processes:
    """Reads documents in processes of one ``OCR`` each, which start when there is something for them to do.

    Args:
        options: How to read.
        count: How many processes.
        seconds: Time that one page may take; a process that takes longer is replaced.
        split: Whether the pages of a long document are shared out, too.
    """

    def __init__(self, options: Options, count: int, seconds: float = PAGE_SECONDS, *, split: bool = True) -> None:
        self._options, self._count, self._seconds = options, count, seconds
        self._split = split and options.pages is None
        self._workers: list[_Worker] = []
        self._next: deque[Document] = deque()  # to be given out before others are taken
        self._alone: deque[Document] = deque()  # to be read by themselves
        self._lost = 0

    def read(self, supply: Supply) -> Generator[Row | None, None, None]:
        """Yield the rows of all documents, as they come; now and then None, so that the caller can look around.

        Args:
            supply: Where documents come from.

        Raises:
            OCRError: If the networks cannot be loaded, or processes are lost again and again.
        """
        while True:
            self._give(supply)
            busy = any(one.given for one in self._workers)
            if not busy and supply.ended and not self._next and not self._alone:
                return
            yield from self._hear(_TICK if busy else _TICK / 10)
            for late in [one for one in self._workers if self._is_late(one)]:
                yield from self._replace(late, f"it took longer than {self._limit(late):g} seconds")
            yield None

    def close(self) -> None:
        """End the processes; what they are at is lost."""
        for one in self._workers:
            if one.given or not one.ready:
                one.process.kill()
            else:
                self._send(one, None)
        for one in self._workers:
            try:
                one.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()
            one.pipe.close()
        self._workers.clear()

    def _give(self, supply: Supply) -> None:
        """Give every process as much as it should have, those first that have least."""
        while True:
            free = [one for one in self._workers if not any(given.document.alone for given in one.given.values())]
            one = min(free, key=lambda one: len(one.given), default=None)
            if (one is None or one.given) and len(self._workers) < self._count:
                one = None  # a new one
            elif one is None or len(one.given) >= AHEAD:
                return
            lot = self._lot(supply)
            if not lot and self._alone and (one is None or not one.given):
                lot = [self._alone.popleft()]
            if not lot:
                return
            one = one or self._start()
            if not one.given:
                one.since = time.monotonic()
            for document in lot:
                one.given[document.key] = _Given(document)
                self._send(one, document)

    def _lot(self, supply: Supply) -> list[Document]:
        """Return the documents that are to be given out next, to one process; none if there are none, or none yet."""
        lot: list[Document] = []
        while len(lot) < LOT:
            document = self._next.popleft() if self._next else supply.take()
            if document is None:
                break
            if lot and document.lot != lot[0].lot:
                self._next.appendleft(document)
                break
            parts = chunks(document) if self._split and document.pages and not document.last else [document]
            self._next.extendleft(reversed(parts[1:]))
            lot += parts[:1]
            if document.lot is None:
                break
        return lot

    def _start(self) -> _Worker:
        """Start a process, anew and not as multiprocessing would, which imports the caller's program in it."""
        ours, theirs = multiprocessing.Pipe()
        executable = os.fsdecode(multiprocessing.spawn.get_executable())
        search = json.dumps([os.path.abspath(path) for path in sys.path])  # noqa: PTH100 - strings
        command = [executable, "-c", worker.PROGRAM, search, str(theirs.fileno())]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()
        ours.send((self._options, self._split))
        self._workers.append(_Worker(process, ours))
        return self._workers[-1]

    @staticmethod
    def _send(one: _Worker, what: Document | None) -> None:
        try:
            one.pipe.send(what)
        except (BrokenPipeError, ConnectionResetError):  # it has ended; the next look at it says so
            return

    def _hear(self, seconds: float) -> Iterator[Row]:
        """Yield the rows that have come, or come within some time; replace processes that have ended."""
        if not self._workers:
            time.sleep(seconds)
            return
        speaking = connection.wait([one.pipe for one in self._workers], seconds)
        for one in [one for one in self._workers if one.pipe in speaking]:
            try:
                while one.pipe.poll():
                    yield from self._take(one, one.pipe.recv())
            except (EOFError, OSError):
                yield from self._replace(one, f"its process ended with status {one.process.wait()}")

    def _take(self, one: _Worker, what: Any) -> Iterator[Row]:
        one.since = time.monotonic()
        if isinstance(what, Row):
            if what.error is None:
                self._lost = 0
            one.given[what.document].got.add(what.page)
            yield what
        elif isinstance(what, Done):
            del one.given[what.key]
        elif isinstance(what, Opened):
            given = one.given[what.key]
            given.document = given.document._replace(pages=what.pages)
            if self._split and not given.document.last and what.pages > CHUNK:
                given.document, *others = chunks(given.document)
                self._next.extend(others)
        elif what == worker.READY:
            one.ready = True
        else:
            raise what

    def _limit(self, one: _Worker) -> float:
        return self._seconds if one.ready else max(START_SECONDS, self._seconds)

    def _is_late(self, one: _Worker) -> bool:
        return bool(one.given) and time.monotonic() - one.since > self._limit(one)

    def _replace(self, one: _Worker, reason: str) -> Iterator[Row]:
        """End a process. What it had is read again, a document at a time; if that was so, its page has an error."""
        one.process.kill()
        one.process.wait()
        one.pipe.close()
        self._workers.remove(one)
        self._lost += 1
        if self._lost > MOST_LOST or not one.ready and self._lost > 2:
            raise OCRError(
                f"{self._lost} processes were lost one after the other; of the last, {reason}. Look for what the "
                "system says of it (memory?), try fewer --workers, then run the same command again to go on."
            )
        for given in one.given.values():
            document = given.document._replace(seen=given.document.seen | given.got, alone=True)
            if given.document.alone:
                row, document = self._blamed(document, reason)
                yield row
            if not self._is_all(document):
                numbers = self._options.numbers()
                first = next(n for n in numbers if n >= document.first and n not in document.seen)
                self._alone.append(document._replace(first=first))  # what is before it is not decoded again

    def _blamed(self, document: Document, reason: str) -> tuple[Row, Document]:
        """Return the row of the page at which a process was lost, and the document without it."""
        number = 0
        if document.pages:
            number = next(n for n in self._options.numbers() if n >= document.first and n not in document.seen)
        text = f"{document.name}{f'#{number}' if document.pages > 1 else ''}: not read twice: {reason}."
        row = error_row(document, number, document.pages or 1, text, self._options.format)
        pages = document.pages or 1
        return row, document._replace(seen=document.seen | {number}, pages=pages)

    def _is_all(self, document: Document) -> bool:
        if document.last:
            return document.seen.issuperset(range(document.first, document.last + 1))
        return 0 < document.pages <= len(document.seen)
