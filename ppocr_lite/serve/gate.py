"""The way in: which requests are answered at all, how much they may bring, and how slow a client may be."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Iterable
from typing import TypeVar
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ppocr_lite.serve import metrics
from ppocr_lite.serve.problems import ProblemError
from ppocr_lite.serve.service import Service, ending

T = TypeVar("T")
WORK = ("/v1/ocr", "/predict/ocr_system")  # what needs a reader
PROBES = ("/health", "/ready")  # what tells nothing, and is asked by whatever name the machine has there
KEYED = (*WORK, "/metrics")  # what needs the key
COUNTED = (*KEYED, *PROBES, "/", "/docs", "/openapi.json")  # paths by name in /metrics
CHUNK = 65536  # bytes that are handed to a connection at once
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)


class SlowReaderError(Exception):
    """A client takes the answer too slowly; it does not get the rest."""


class Pace:
    """How slow a client may be: never silent for long, and on average not slower than a rate.

    Time that the service takes itself does not count.

    Args:
        idle: Seconds without a byte.
        rate: Bytes a second.
    """

    def __init__(self, idle: float, rate: float) -> None:
        self._idle, self._rate, self._spent, self._count = idle, rate, 0.0, 0

    async def wait(self, step: Awaitable[T]) -> T:
        """Wait for the client.

        Raises:
            asyncio.TimeoutError: If it is too slow.
        """
        left = self._idle + self._count / self._rate - self._spent
        started = time.monotonic()
        try:
            return await asyncio.wait_for(step, max(0.001, min(self._idle, left)))
        finally:
            self._spent += time.monotonic() - started

    def add(self, count: int) -> None:
        """Note that so many bytes have come or gone."""
        self._count += count


class Gate:
    """An ASGI application around another.

    Args:
        app: The application.
        service: Says what the limits are, and whether there is room.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service, self._settings = app, service, service.settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have the application answer it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        client = _Client(scope, receive, send, self._service)
        works = scope["path"] in WORK and scope["method"] == "POST"
        try:
            self._admit(scope, works)
        except ProblemError as problem:
            metrics.REJECTED.labels(problem.kind).inc()
            await client.answer(problem)
            return
        try:
            await (self._work(scope, client) if works else self._app(scope, client.receive, client.send))
        except SlowReaderError:
            metrics.REJECTED.labels("slow-reader").inc()

    async def _work(self, scope: Scope, client: _Client) -> None:
        self._service.under_way += 1
        metrics.UNDER_WAY.inc()
        upload = scope.setdefault("state", {})["upload"] = self._service.spool.upload()
        try:
            await self._app(scope, client.receive, client.send)
        finally:
            upload.close()
            metrics.UNDER_WAY.dec()
            self._service.under_way -= 1

    def _admit(self, scope: Scope, works: bool) -> None:
        """Refuse what is not to be answered.

        Raises:
            ProblemError: Says why.
        """
        headers = Headers(scope=scope)
        if scope["path"] not in PROBES:
            self._check_origin(headers)
        key = self._settings.api_key
        if key is not None and scope["path"] in KEYED and not _has_key(headers, key):
            raise ProblemError(401, "Send the API key: X-API-Key: KEY, or Authorization: Bearer KEY.")
        if not works:
            return
        if not self._service.ready:
            raise ending()
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self._settings.max_bytes:
            raise too_large(self._settings.max_bytes)
        if self._service.under_way >= self._settings.queue:
            raise ProblemError(429, "As many requests as allowed are under way.", retry_after=5, kind="queue-full")

    def _check_origin(self, headers: Headers) -> None:
        """Refuse pages of other sites, which a browser lets send requests, and lets read the answers of its own host.

        Raises:
            ProblemError: If the request names another host, or comes from a page that may not call this service.
        """
        host = headers.get("host", "")
        name = (urlsplit(f"//{host}").hostname if _is_host(host) else None) or ""
        allowed = self._settings.allowed_hosts
        if allowed and name not in allowed:
            raise ProblemError(403, f"This service does not answer to the name {host[:200]!r}. Allow it: --allow-host.")
        origin = headers.get("origin")
        own = origin is None or origin.partition("://")[2] == host
        if not own and "*" not in self._settings.cors and origin not in self._settings.cors:
            raise ProblemError(403, f"Pages of {str(origin)[:200]!r} may not call this service. Allow them: --cors.")


class _Client:
    """One side of a request: receives and sends with limits, and counts the answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, service: Service) -> None:
        self._scope, self._receive, self._send, self._settings = scope, receive, send, service.settings
        self._path = scope["path"] if scope["path"] in COUNTED else "other"
        self._in, self._out = (Pace(self._settings.idle, self._settings.min_rate) for _ in range(2))
        self._received, self._whole = 0, False

    async def answer(self, problem: ProblemError) -> None:
        await problem.response()(self._scope, self.receive, self.send)

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            message = await self._in.wait(self._receive())
        except asyncio.TimeoutError as error:
            detail = "The body came too slowly. Send it again, whole."
            raise ProblemError(408, detail, kind="slow-upload", close=True) from error
        if message["type"] == "http.request":
            count = len(message.get("body", b""))
            self._received += count
            self._in.add(count)
            self._whole = not message.get("more_body", False)
            if self._received > self._settings.max_bytes:
                raise too_large(self._settings.max_bytes)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            metrics.REQUESTS.labels(self._path, str(message["status"])).inc()
            message = {**message, "headers": [*_missing(message.get("headers", ())), *message.get("headers", ())]}
            await self._send(message)
            return
        body = message.get("body", b"")
        for start in range(0, len(body), CHUNK) or (0,):
            part = body[start : start + CHUNK]
            more = start + CHUNK < len(body) or message.get("more_body", False)
            self._out.add(len(part))
            try:
                await self._out.wait(self._send({"type": "http.response.body", "body": part, "more_body": more}))
            except asyncio.TimeoutError as error:
                raise SlowReaderError from error


def too_large(most: int) -> ProblemError:
    """Return what to raise for a body of more bytes than allowed."""
    return ProblemError(413, f"A request may have at most {most} bytes.", kind="too-large", close=True)


def _missing(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    said = {name.lower() for name, _ in headers}
    return [header for header in HEADERS if header[0] not in said]


def _has_key(headers: Headers, key: str) -> bool:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = [headers.get("x-api-key", ""), token if scheme.lower() == "bearer" else ""]
    return any([hmac.compare_digest(one.encode(), key.encode()) for one in given])


def _is_host(host: str) -> bool:
    try:
        urlsplit(f"//{host}")
    except ValueError:
        return False
    return True
