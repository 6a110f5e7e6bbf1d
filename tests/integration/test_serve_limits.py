"""What `ppocr-lite serve` refuses, and that it says why: nothing is unbounded, and nobody is in the way of others."""

from __future__ import annotations

import base64
import json
import struct
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from ppocr_lite.serve.settings import Settings
from tests.serving import Client, form, png, read_all, serving

server = pytest.importorskip("ppocr_lite.serve.server", reason="the extra [serve] is not installed")

SMALL = png("SMALL", (60, 200))
LIMITS: dict[str, Any] = {"max_bytes": 100_000, "max_pages": 3, "max_spool": 400_000, "queue": 4, "connections": 12}
TIMES: dict[str, Any] = {"idle": 1.0, "min_rate": 1000, "grace": 5.0}
START = b"POST /v1/ocr HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serving(server, Settings(port=0, ocr={"threads": 1}, **LIMITS, **TIMES)) as found:
        yield found


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that declares *side* times *side* pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


JSON, FORM = "application/json", "multipart/form-data; boundary=x"
BAD: list[tuple[bytes, str, tuple[int, str]]] = [
    (b"", "image/png", (422, "empty")),
    (b"hello", "image/png", (415, "unsupported-media-type")),
    (b"<html>", "text/html", (415, "unsupported-media-type")),
    (SMALL[:100], "image/png", (422, "unreadable")),
    (bomb(30_000), "image/png", (422, "unreadable")),
    (b"%PDF-1.7\nnothing", "application/pdf", (422, "unreadable")),
    (b"{", JSON, (422, "invalid-body")),
    (b"[" * 50_000, JSON, (422, "invalid-body")),
    (b"[]", JSON, (422, "invalid-body")),
    (b"{}", JSON, (422, "invalid-body")),
    (b'{"image": 7}', JSON, (422, "invalid-body")),
    (b'{"image": "/etc/passwd"}', JSON, (422, "invalid-body")),
    (b'{"image": "AAAA", "name": 7}', JSON, (422, "invalid-body")),
    (b'{"image": ""}', JSON, (422, "empty")),
    (b"\xff\xfe{", JSON, (422, "invalid-body")),
    (b"no form", FORM, (422, "invalid-body")),
    (b"--x\r\n", FORM, (422, "invalid-body")),
    (b"--x--\r\n", FORM, (422, "invalid-body")),
    (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 60 + b"--x--\r\n", FORM, (422, "invalid-body")),
    (b"--x--\r\n", "multipart/form-data", (422, "invalid-body")),
]


@pytest.mark.parametrize("body, kind, problem", BAD, ids=range(len(BAD)))
def test_what_is_no_document_is_named(client: Client, body: bytes, kind: str, problem: tuple[int, str]) -> None:
    found = client.post("/v1/ocr", body, kind)
    assert found.problem == problem
    assert "/tmp" not in found.json["detail"]
    assert "ppocr-lite-serve" not in found.json["detail"]


def test_a_form_holds_one_file(client: Client) -> None:
    found = client.post("/v1/ocr", *form(("a", "a.png", SMALL), ("b", "b.png", SMALL)))
    assert found.problem == (422, "invalid-body")


QUERIES = {
    "formt=json": "invalid-option",
    "format=docx": "invalid-option",
    "drop_score=2": "invalid-option",
    "drop_score=nan": "invalid-option",
    "det_limit_side_len=100000": "invalid-option",
    "pages=0": "invalid-option",
    "pages=a": "invalid-option",
    "pages=2": "no-such-page",
    "lang=xx": "invalid-option",
    "models=/etc": "unprocessable-content",
    "models=..": "unprocessable-content",
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_wrong_option_is_named(client: Client, query: str) -> None:
    status, kind = client.post(f"/v1/ocr?{query}", SMALL).problem
    assert (status, kind.replace("entity", "content")) == (422, QUERIES[query])  # it has changed its name


def test_other_paths_and_methods_are_problems_too(client: Client) -> None:
    assert client.get("/v1/ocr").problem == (405, "method-not-allowed")
    assert client.get("/nothing").problem == (404, "not-found")
    assert client.get("/static/../settings.py").problem == (404, "not-found")
    assert client.get("/static/%2e%2e/settings.py").problem == (404, "not-found")


def test_too_many_bytes_are_refused_whether_or_not_they_are_announced(client: Client) -> None:
    assert client.post("/v1/ocr", bytes(100_001)).problem == (413, "too-large")
    parts = (bytes(10_000) for _ in range(11))
    assert client.ask("POST", "/v1/ocr", parts, encode_chunked=True).problem == (413, "too-large")


def test_too_many_pages_are_refused_before_any_is_read(client: Client, tmp_path: Path) -> None:
    pages = [PIL.Image.new("L", (20, 20), 255) for _ in range(5)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    document = (tmp_path / "a.tif").read_bytes()
    assert client.post("/v1/ocr", document).problem == (413, "too-many-pages")
    assert len(client.post("/v1/ocr?pages=3-5", document).json["pages"]) == 3


def test_a_slow_upload_is_dropped_and_says_so(client: Client) -> None:
    started = time.monotonic()
    with client.raw(START + b"x" * 100) as silent, client.raw(START) as trickling:
        for _ in range(30):
            try:
                trickling.sendall(b"x")
            except OSError:
                break
            time.sleep(0.1)
        answers = [read_all(one) for one in (silent, trickling)]
    assert time.monotonic() - started < 8
    assert all(b"408 Request Timeout" in answer and b"slow-upload" in answer for answer in answers)


def test_who_asks_nothing_is_dropped(client: Client) -> None:
    started = time.monotonic()
    with client.raw() as silent, client.raw(b"POST /v1/ocr HTTP/1.1\r\nHost: loc") as partly:
        assert [read_all(one) for one in (silent, partly)] == [b"", b""]
    assert 0.9 < time.monotonic() - started < 8
    assert client.metric("ppocr_rejected_total", reason="idle-connection") >= 2


def test_what_is_no_http_is_a_problem(client: Client) -> None:
    with client.raw(b"nonsense\r\n\r\n") as connection:
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["status"] == 400


def test_a_full_queue_is_told_when_to_come_again_and_empties(client: Client) -> None:
    with client.raw(START) as one, client.raw(START) as two, client.raw(START) as three, client.raw(START) as four:
        until = time.monotonic() + 5
        while client.metric("ppocr_requests_under_way") < 4 and time.monotonic() < until:
            time.sleep(0.02)
        found = client.post("/v1/ocr", SMALL)
        assert found.problem == (429, "queue-full")
        assert int(found.headers["retry-after"]) >= 1
        assert client.get("/health").status == 200
        for connection in (one, two, three, four):
            assert b"408" in read_all(connection)
    assert client.post("/v1/ocr", SMALL).status == 200
    assert [client.metric(name) for name in ("ppocr_requests_under_way", "ppocr_spooled_bytes")] == [0, 0]


def test_connections_beyond_the_limit_are_told_so(client: Client) -> None:
    held = [client.raw() for _ in range(LIMITS["connections"])]
    for one in held:
        one.__enter__()
    try:
        assert client.get("/health").problem == (503, "service-unavailable")
    finally:
        for one in held:
            one.__exit__(None, None, None)
    until = time.monotonic() + 5
    while client.get("/health").status != 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert client.get("/health").status == 200


def test_a_client_that_leaves_takes_its_work_along(client: Client) -> None:
    gone = client.metric("ppocr_requests_total", path="/v1/ocr", status="499")
    body = png("GONE", (1200, 1200))
    with client.raw(START.replace(b"50000", str(len(body)).encode()) + body):
        pass
    until = time.monotonic() + 10
    while client.metric("ppocr_requests_under_way") and time.monotonic() < until:
        time.sleep(0.05)
    assert client.metric("ppocr_spooled_bytes") == 0
    assert client.metric("ppocr_requests_total", path="/v1/ocr", status="499") == gone + 1


def test_hostile_requests_at_once_leave_the_service_well(client: Client) -> None:
    def hurt(number: int) -> int:
        body, kind, _ = BAD[number % len(BAD)]
        return client.post("/v1/ocr", body, kind).status

    with ThreadPoolExecutor(4) as pool:
        assert {*pool.map(hurt, range(60))} <= {413, 415, 422, 429}
    assert client.post("/v1/ocr", SMALL).status == 200


@pytest.fixture(scope="module")
def guarded() -> Iterator[Client]:
    settings = Settings(port=0, ocr={"threads": 1}, api_key="se/cret", cors=("https://good.example",), seconds=0.1)
    with serving(server, settings) as found:
        yield found


def test_without_the_key_nothing_is_read(guarded: Client) -> None:
    for path in ("/v1/ocr", "/predict/ocr_system"):
        found = guarded.post(path, SMALL)
        assert found.problem == (401, "unauthorized")
        assert found.headers["www-authenticate"] == "Bearer"
    assert guarded.post("/v1/ocr", SMALL, X_API_Key="secret").status == 401
    assert guarded.get("/metrics").status == 401
    assert guarded.get("/metrics", X_API_Key="se/cret").status == 200
    assert guarded.get("/metrics", Authorization="Bearer se/cret").status == 200
    assert [guarded.get(path).status for path in ("/", "/health", "/ready")] == [200] * 3


def test_pages_of_other_sites_may_call_only_if_they_are_named(guarded: Client, client: Client) -> None:
    good, bad = "https://good.example", "https://bad.example"
    assert guarded.get("/docs", Origin=good).headers["access-control-allow-origin"] == good
    assert guarded.get("/docs", Origin=bad).status == 403
    assert client.get("/docs", Origin=good).problem == (403, "forbidden")
    assert client.get("/docs", Origin=f"http://127.0.0.1:{client.port}").status == 200
    asked = guarded.ask("OPTIONS", "/v1/ocr", headers={"Origin": good, "Access-Control-Request-Method": "POST"})
    assert asked.status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8866", "[", ""])
def test_a_service_of_this_machine_answers_to_no_other_name(client: Client, host: str) -> None:
    assert client.get("/docs", Host=host).problem == (403, "forbidden")
    assert client.get("/ready", Host=host).status == 200


def test_what_is_not_read_in_time_is_given_up(guarded: Client) -> None:
    body = base64.b64encode(png("SLOW", (1500, 1500))).decode()
    found = guarded.ask("POST", "/v1/ocr", json.dumps({"image": body}), {"X-API-Key": "se/cret", "Content-Type": JSON})
    assert found.problem == (503, "too-slow")
    assert int(found.headers["retry-after"]) >= 1
