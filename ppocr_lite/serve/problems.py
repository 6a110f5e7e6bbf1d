"""What went wrong, as JSON problem documents.

Source:
    RFC 9457, Problem Details for HTTP APIs.
"""

from __future__ import annotations

import json
import logging
import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ppocr_lite.errors import ConfigError, ImageError, OCRError
from ppocr_lite.serve import metrics

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
LATER = (429, 503)


class ProblemError(Exception):
    """A request that is not answered as it was meant.

    Args:
        status: Status of HTTP.
        detail: What is wrong with this request and what to do about it; for people.
        retry_after: Seconds after which it is worth trying again, with 429 and 503.
        kind: Name of the reason, as ``/metrics`` counts it; by default the phrase of the status.
        close: Whether the connection ends with the answer.
        extra: More members of the document.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        retry_after: float | None = None,
        kind: str | None = None,
        close: bool = False,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.close, self.extra = status, detail, close, extra
        self.retry_after = (1.0 if retry_after is None else retry_after) if status in LATER else None
        self.title = HTTPStatus(status).phrase
        self.kind = kind or self.title.lower().replace(" ", "-")

    def to_dict(self) -> dict[str, Any]:
        """Return the document."""
        head = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        return {**head, "kind": self.kind, **self.extra}

    def headers(self) -> dict[str, str]:
        """Return the headers that go with it."""
        headers = {} if self.retry_after is None else {"Retry-After": str(max(1, math.ceil(self.retry_after)))}
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return headers | ({"Connection": "close"} if self.close else {})

    def response(self) -> Response:
        """Return the answer."""
        body = json.dumps(self.to_dict(), ensure_ascii=False).encode("utf-8", "backslashreplace")
        return Response(body, self.status, self.headers(), MEDIA_TYPE)


def problem_of(error: Exception) -> ProblemError:
    """Return what a client is told of an error; of one that is a mistake of the service, nothing but that."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, ImageError | ConfigError | ValueError):
        return ProblemError(422, str(error), kind="unreadable" if isinstance(error, ImageError) else None)
    if isinstance(error, OCRError):
        log.error("%s", error)
        return ProblemError(500, str(error))
    log.error("A request failed.", exc_info=error)
    return unknown()


def unknown() -> ProblemError:
    """Return what a client is told of a mistake of the service."""
    return ProblemError(500, "The request could not be answered; the log of the service says why.")


def install(app: FastAPI) -> None:
    """Let every error of *app* be answered by a problem document."""

    async def failed(request: Request, error: Exception) -> Response:
        return _counted(problem_of(error))

    async def mistaken(request: Request, error: Exception) -> Response:  # which the server logs
        return _counted(unknown())

    async def refused(request: Request, error: Exception) -> Response:
        return _counted(ProblemError(getattr(error, "status_code", 500), str(getattr(error, "detail", ""))))

    async def invalid(request: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else ()
        faults = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in found]
        return _counted(ProblemError(422, "; ".join(faults)[:2000], kind="invalid-option"))

    app.add_exception_handler(ProblemError, failed)
    app.add_exception_handler(OCRError, failed)
    app.add_exception_handler(Exception, mistaken)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)


def _counted(problem: ProblemError) -> Response:
    metrics.REJECTED.labels(problem.kind).inc()
    return problem.response()
