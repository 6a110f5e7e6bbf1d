"""Runs the application on uvicorn, and drops connections that do nothing."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from typing import Any

import cv2
import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ppocr_lite.serve import metrics
from ppocr_lite.serve.app import create_app
from ppocr_lite.serve.pool import ReaderPool
from ppocr_lite.serve.problems import MEDIA_TYPE, ProblemError
from ppocr_lite.serve.settings import Settings

FACTORY = "ppocr_lite.serve.server:worker_app"
WORKER_SECONDS = 60  # a process of --workers may take to start, or to answer whether it is well
AFTER_GRACE = 5  # seconds for answers on their way, after requests have been given up


class Protocol(H11Protocol):
    """HTTP/1.1 that drops who opens a connection and asks nothing, or does not take the end of an answer.

    A connection on which no request is under way at two looks in a row, ``timeout_keep_alive`` seconds apart, is cut.
    Bodies and answers under way are seen to by :class:`~ppocr_lite.serve.gate.Gate`.
    """

    _idle_at: int | None = None  # how many requests there had been when it was last found idle
    _requests = 0
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take on a connection, or refuse it if there are too many."""
        super().connection_made(transport)
        limit = self.config.limit_concurrency
        if limit is not None and len(self.connections) > limit:
            metrics.REJECTED.labels("connections").inc()
            self._refuse(ProblemError(503, "Too many connections are open.", retry_after=5, close=True))
            return
        self._look = self.loop.call_later(self.timeout_keep_alive, self._look_again)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let a connection go."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Count a request."""
        self._requests += 1
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        metrics.REJECTED.labels("bad-request").inc()
        self._refuse(ProblemError(400, msg, close=True))

    def _look_again(self) -> None:
        busy = self.cycle is not None and not self.cycle.response_complete and not self.transport.is_closing()
        if not busy and self._idle_at == self._requests:
            metrics.REJECTED.labels("idle-connection").inc()
            self.transport.abort()
            return
        self._idle_at = None if busy else self._requests
        self._look = self.loop.call_later(self.timeout_keep_alive, self._look_again)

    def _refuse(self, problem: ProblemError) -> None:
        body = json.dumps(problem.to_dict()).encode()
        headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem.headers()}
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            lines = [
                f"HTTP/1.1 {problem.status} {problem.title}",
                *(f"{name}: {value}" for name, value in headers.items()),
            ]
            self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()


def share_processors(settings: Settings) -> None:
    """Give OpenCV in this process as many threads as the networks have."""
    threads = settings.ocr.get("threads")
    if threads is not None:
        cv2.setNumThreads(threads)


def worker_app() -> Any:
    """Return the application in a process of ``--workers``."""
    settings = Settings.from_environment()
    share_processors(settings)
    return create_app(settings)


def config_of(settings: Settings, app: Any) -> uvicorn.Config:
    """Return what uvicorn is to do.

    Args:
        settings: The limits.
        app: The application, or the name of what makes it.
    """
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        factory=isinstance(app, str),
        http=Protocol,
        ws="none",
        lifespan="on",
        limit_concurrency=settings.connections,
        timeout_keep_alive=max(1, round(settings.idle)),
        timeout_worker_healthcheck=WORKER_SECONDS,
        timeout_graceful_shutdown=round(settings.grace) + AFTER_GRACE,
        access_log=settings.access_log,
        server_header=False,
        log_level="info",
    )


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    With several workers each has a share of the processors, and they put their numbers for ``/metrics`` together.

    Raises:
        OCRError: If the usual networks cannot be loaded.
    """
    pool = ReaderPool(settings)
    pool.get()
    if settings.workers == 1:
        share_processors(settings)
        uvicorn.Server(config_of(settings, create_app(settings, pool))).run()
        return
    del pool  # each process loads its own
    with tempfile.TemporaryDirectory(prefix="ppocr-lite-metrics-") as folder:
        os.environ[metrics.SHARED] = folder
        settings.to_environment()
        config = config_of(settings, FACTORY)
        uvicorn.supervisors.Multiprocess(config, sockets=[config.bind_socket()]).run()
