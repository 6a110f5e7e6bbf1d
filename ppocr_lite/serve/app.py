"""The application, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from ppocr_lite.serve import metrics, problems
from ppocr_lite.serve.documents import PASSWORD_HEADER
from ppocr_lite.serve.gate import Gate
from ppocr_lite.serve.pool import ReaderPool
from ppocr_lite.serve.routes import STATIC, router
from ppocr_lite.serve.service import ClientGoneError, Service
from ppocr_lite.serve.settings import Settings
from ppocr_lite.version import __version__

CLIENT_GONE = 499  # as nginx calls it; nobody sees it but the log and /metrics


def create_app(settings: Settings, pool: ReaderPool | None = None) -> ASGIApp:
    """Return the service as an ASGI application.

    Args:
        settings: The limits.
        pool: The readers, if there are any yet.
    """
    service = Service(settings, pool or ReaderPool(settings))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        put_back = service.drain_on_signals()
        yield
        put_back()
        await service.stop()

    app = FastAPI(
        title="ppocr_lite",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC))
    problems.install(app)

    async def nobody_waits(request: Request, error: Exception) -> Response:
        metrics.REJECTED.labels("client-gone").inc()
        return Response(status_code=CLIENT_GONE)

    app.add_exception_handler(ClientDisconnect, nobody_waits)
    app.add_exception_handler(ClientGoneError, nobody_waits)
    gate = Gate(app, service)
    if not settings.cors:
        return gate
    return CORSMiddleware(
        gate,
        allow_origins=settings.cors,
        allow_methods=["GET", "POST"],
        allow_headers=["X-API-Key", "Authorization", PASSWORD_HEADER],
    )
