"""The addresses of the service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from ppocr_lite.io.pages import page_numbers
from ppocr_lite.results import OCRResult
from ppocr_lite.serve import answers, metrics
from ppocr_lite.serve.documents import (
    PASSWORD,
    PASSWORD_HEADER,
    Document,
    check_packages,
    find_document,
    find_images,
    read_document,
    read_first_pages,
)
from ppocr_lite.serve.problems import MEDIA_TYPE, ProblemError
from ppocr_lite.serve.service import Service, Ticket
from ppocr_lite.serve.upload import Upload
from ppocr_lite.serve.work import Page, ReadPage
from ppocr_lite.version import __version__

STATIC = Path(__file__).parent / "static"
router = APIRouter()
Share = Annotated[float | None, Field(ge=0, le=1)]


class Options(BaseModel):
    """What a request may say in its query."""

    model_config = ConfigDict(extra="forbid")

    format: answers.Format = Field("json", description="jsonl answers page by page, while the others are read")
    pages: str | None = Field(None, max_length=200, description="of a PDF, TIFF or GIF, such as 1-5,8; all by default")
    lang: Literal["en", "ch"] | None = Field(None, description="released recogniser")
    models: str | None = Field(None, max_length=100, description="model set, as `ppocr-lite models` lists them")
    picture: bool = Field(False, description="with jsonl: give each page back as a JPEG, too")
    drop_score: Share = Field(None, description="lines with a lower score are left out")
    det_db_thresh: Share = Field(None, description="a pixel above this probability is text")
    det_db_box_thresh: Share = Field(None, description="a region whose mean probability is below this is dropped")
    det_db_unclip_ratio: float | None = Field(None, ge=0.5, le=5, description="how much a region grows")
    det_limit_side_len: int | None = Field(None, ge=64, le=4096, description="side that limits the detector's input")
    det_limit_type: Literal["max", "min"] | None = Field(None, description="whether that is the longer or the shorter")
    det_box_type: Literal["quad", "poly"] | None = Field(None, description="four corners, or outlines of bent text")
    rec_retry_score: Share = Field(None, description="lines with a lower score are read at other sizes, too")
    cls_thresh: Share = Field(None, description="certainty above which a line is turned")
    use_angle_cls: bool | None = Field(None, description="turn lines that stand on their head")
    page_angle: Literal["0", "90", "180", "270", "auto"] | None = Field(None, description="how pages stand turned")

    def thresholds(self) -> dict[str, Any]:
        """Return the arguments of ``OCR`` that do not choose networks."""
        said = self.model_dump(exclude={"format", "pages", "lang", "models", "picture"}, exclude_none=True)
        if self.page_angle not in (None, "auto"):
            said["page_angle"] = int(str(self.page_angle))
        return said


IMAGE = {"schema": {"type": "string", "format": "binary"}}
BODY = {
    "required": True,
    "content": {
        **{kind: IMAGE for kind in ("image/*", "application/pdf", "application/octet-stream")},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": IMAGE["schema"], PASSWORD: {"type": "string"}},
                "required": ["file"],
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "image": {"type": "string", "format": "byte"},
                    "name": {"type": "string"},
                    PASSWORD: {"type": "string"},
                },
                "required": ["image"],
            }
        },
    },
}
PROBLEM: dict[str, Any] = {
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "kind": {"type": "string"},
                },
            }
        }
    }
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "not HTTP"} | PROBLEM,
    401: {"description": "the API key is missing"} | PROBLEM,
    403: {"description": "not from this host or origin"} | PROBLEM,
    408: {"description": "the body came too slowly"} | PROBLEM,
    413: {"description": "too many bytes or pages"} | PROBLEM,
    415: {"description": "neither an image nor a PDF"} | PROBLEM,
    422: {"description": "damaged, encrypted, or a wrong option"} | PROBLEM,
    429: {"description": "too many requests under way; see Retry-After"} | PROBLEM,
    501: {"description": "a package is not installed here"} | PROBLEM,
    503: {"description": "not read in time, or shutting down; see Retry-After"} | PROBLEM,
}
HUB_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"images": {"type": "array", "items": {"type": "string", "format": "byte"}}},
                "required": ["images"],
            }
        }
    },
}


@router.post(
    "/v1/ocr",
    summary="Read an image, a TIFF or a PDF",
    responses={200: {"description": "what was read, in the format of the query"}, **PROBLEMS},
    openapi_extra={"requestBody": BODY},
    response_class=Response,
)
async def read(
    request: Request,
    options: Annotated[Options, Query()],
    password: Annotated[str | None, Header(alias=PASSWORD_HEADER, description="of an encrypted PDF, UTF-8")] = None,
) -> Response:
    """Read the document in the body: as it is, as the file of a form, or as base64 in JSON."""
    service, upload = _parts(request)
    try:
        page_numbers(options.pages)
    except ValueError as error:
        raise ProblemError(422, str(error), kind="invalid-option") from error
    await upload.receive(request.stream())
    ocr = await run_in_threadpool(service.pool.get, options.lang, options.models, **options.thresholds())
    found: list[Document] = []
    secret = None if password is None else password.encode("latin-1").decode("utf-8", "replace")

    def pages(ticket: Ticket) -> Generator[Page, None, None]:
        found.append(find_document(upload, request.headers.get("content-type", ""), secret))
        check_packages(found[0], written_over=options.format == "pdf")
        yield from read_document(found[0], options.pages, ocr.max_pixels, ticket.counted)

    ticket = service.ticket(request, ocr, pages, picture=options.picture and options.format == "jsonl")
    if options.format == "jsonl":
        return await _stream(ticket)
    read_pages = [page.result async for page in ticket]
    answers.check_pages(read_pages)
    async with service.writers:
        with metrics.STAGES.labels("answer").time():
            body, media = await run_in_threadpool(answers.write, options.format, read_pages, found[0])
    return Response(body, media_type=media)


async def _stream(ticket: Ticket) -> Response:
    """Answer page by page; what goes wrong before the first is a problem, after it a line with an ``error``."""
    pages = aiter(ticket)
    first = await anext(pages, None)
    if first is None or ticket.total in (None, 1):  # nothing, or no more
        answers.check_pages([first.result] if first else [])

    async def lines() -> AsyncIterator[bytes]:
        number, page = 1, first
        try:
            while page is not None:
                yield answers.write_line(page, number, ticket.total)
                number, page = number + 1, await anext(pages, None)
        except ProblemError as problem:
            yield answers.write_line(ReadPage(OCRResult(error=problem.detail)), number, ticket.total)

    return StreamingResponse(lines(), media_type=answers.LINES)


@router.post(
    "/predict/ocr_system",
    summary="The same for clients of PaddleHub Serving",
    responses=PROBLEMS,
    openapi_extra={"requestBody": HUB_BODY},
)
async def read_hub(request: Request) -> JSONResponse:
    """Read images in base64, and answer as PaddleOCR's module ``ocr_system`` of PaddleHub Serving does."""
    service, upload = _parts(request)
    await upload.receive(request.stream())
    ocr = await run_in_threadpool(service.pool.get)

    def pages(ticket: Ticket) -> Generator[Page, None, None]:
        yield from read_first_pages(find_images(upload, service.settings.max_pages), ocr.max_pixels)

    try:
        read_pages = [page.result async for page in service.ticket(request, ocr, pages, picture=False)]
        for page in read_pages:
            answers.check_pages([page])
    except ProblemError as problem:
        problem.extra = {"msg": problem.detail, "results": "", **problem.extra}  # where such a client looks
        raise
    return JSONResponse(answers.write_hub(read_pages))


@router.get("/health", summary="Whether the process answers")
async def health() -> dict[str, str]:
    """Answer."""
    return {"status": "ok", "version": __version__}


@router.get("/ready", summary="Whether requests are let in", responses={503: PROBLEMS[503]})
async def ready(request: Request) -> dict[str, str]:
    """Answer, with 503 while the service is shutting down."""
    service: Service = request.app.state.service
    if not service.ready:
        raise ProblemError(503, "The service is not ready.", kind="not-ready")
    return {"status": "ready"}


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def numbers() -> Response:
    """Return all numbers."""
    body, media = await run_in_threadpool(metrics.exposition)
    return Response(body, media_type=media)


@router.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """Return the web page."""
    return FileResponse(STATIC / "index.html")


@router.get("/docs", include_in_schema=False)
async def documentation() -> FileResponse:
    """Return a page that shows ``/openapi.json``."""
    return FileResponse(STATIC / "docs.html")


def _parts(request: Request) -> tuple[Service, Upload]:
    return request.app.state.service, request.state.upload
