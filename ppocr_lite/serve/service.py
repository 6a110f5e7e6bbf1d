"""The service: what all requests share, and one request's way through it."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator
from types import FrameType
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from ppocr_lite.predict.arguments import default_threads
from ppocr_lite.predict.system import OCR
from ppocr_lite.serve.pool import ReaderPool
from ppocr_lite.serve.problems import ProblemError, problem_of
from ppocr_lite.serve.settings import Settings
from ppocr_lite.serve.upload import Spool
from ppocr_lite.serve.work import Job, Page, ReadPage, Worker

WRITERS = 2  # answers that are written at the same time; a PDF may need the memory of all its pages
Event = ReadPage | Exception | None


class ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


class Service:
    """What all requests share.

    Args:
        settings: The limits.
        pool: The readers.

    Attributes:
        spool: Where uploads are kept.
        ready: Whether requests are answered: networks are loaded, and no end is in sight.
        under_way: Requests that have been let in and not been answered.
        writers: Lets a few answers be written at the same time.
    """

    def __init__(self, settings: Settings, pool: ReaderPool) -> None:
        self.settings, self.pool = settings, pool
        self.spool = Spool(settings.max_spool)
        self.ready = False
        self.under_way = 0
        self.writers = asyncio.Semaphore(WRITERS)
        self._worker = Worker(decoders=max(2, default_threads()))
        self._tickets: set[Ticket] = set()

    async def start(self) -> None:
        """Load the usual networks and begin to read."""
        await run_in_threadpool(self.pool.get)
        self._worker.start()
        self.ready = True

    async def stop(self) -> None:
        """End what is still there, and remove every upload."""
        self.ready = False
        self._give_up()
        await run_in_threadpool(self._worker.stop)
        self.spool.close()

    def drain(self) -> None:
        """Let nothing new in; what is under way has :attr:`Settings.grace` seconds."""
        if self.ready:
            self.ready = False
            asyncio.get_running_loop().call_later(self.settings.grace, self._give_up)

    def _give_up(self) -> None:
        for ticket in self._tickets:
            ticket.tell(ending())

    def drain_on_signals(self) -> Callable[[], None]:
        """Drain at SIGTERM or SIGINT, before the server does what it does then.

        Returns:
            Puts things back.
        """
        if threading.current_thread() is not threading.main_thread():
            return lambda: None
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def handle(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.drain)
            server = before[signal.Signals(number)]
            if callable(server):
                server(number, frame)

        for number in before:
            signal.signal(number, handle)

        def put_back() -> None:
            for number, server in before.items():
                signal.signal(number, server)

        return put_back

    def ticket(
        self, request: Request, ocr: OCR, pages: Callable[[Ticket], Generator[Page, None, None]], *, picture: bool
    ) -> Ticket:
        """Hand in the pages of a request.

        Args:
            request: Its body has been received.
            ocr: Reads them.
            pages: Makes them; run where pages are decoded.
            picture: Give each page back as a picture, too.
        """
        ticket = Ticket(self, request)
        ticket.job = Job(ocr, pages(ticket), ticket.tell, picture)
        self._tickets.add(ticket)
        self._worker.submit(ticket.job)
        return ticket

    def forget(self, ticket: Ticket) -> None:
        """Nobody waits for *ticket* any more."""
        self._tickets.discard(ticket)


class Ticket:
    """The pages of one request, as they are read; iterated once.

    Args:
        service: Who reads them.
        request: Who waits.

    Attributes:
        job: What is read.
        total: How many pages there are, None until that is known.
    """

    job: Job

    def __init__(self, service: Service, request: Request) -> None:
        self.total: int | None = None
        self._service, self._request = service, request
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._deadline = time.monotonic() + service.settings.seconds

    def tell(self, event: Event) -> None:
        """Pass on, from any thread, what the job has come to."""
        self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    def counted(self, count: int) -> None:
        """Note how many pages there are.

        Raises:
            ProblemError: If there are none, or more than allowed.
        """
        if self.total is not None:  # of the rest, after a damaged page
            return
        most = self._service.settings.max_pages
        if count > most:
            detail = f"{count} pages are more than the {most} that are read at once. Choose some, as pages=1-{most}."
            raise ProblemError(413, detail, kind="too-many-pages")
        if count == 0:
            raise ProblemError(422, "The document has no such page. Pages count from 1.", kind="no-such-page")
        self.total = count

    async def __aiter__(self) -> AsyncIterator[ReadPage]:
        gone = asyncio.ensure_future(self._request.receive())
        try:
            while (event := await self._next(gone)) is not None:
                if isinstance(event, Exception):
                    raise problem_of(event) from event
                yield event
        finally:
            self.job.over = True
            self._service.forget(self)
            gone.cancel()

    async def _next(self, gone: asyncio.Future[Any]) -> Event:
        event = asyncio.ensure_future(self._events.get())
        left = self._deadline - time.monotonic()
        waited: set[asyncio.Future[Any]] = {event, gone}
        await asyncio.wait(waited, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
        if event.done():
            return event.result()
        event.cancel()
        if gone.done():
            raise ClientGoneError
        seconds = self._service.settings.seconds
        detail = f"The pages were not read within {seconds:g} seconds. Send fewer at once, or try again later."
        raise ProblemError(503, detail, retry_after=seconds / 4, kind="too-slow")


def ending() -> ProblemError:
    """Return what a request is told that comes, or is still there, when the service ends."""
    return ProblemError(
        503, "The service is shutting down. Try again.", retry_after=5, kind="shutting-down", close=True
    )
