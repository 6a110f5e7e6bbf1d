"""How slow a client may be, and who is let in, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ppocr_lite.serve.settings import Settings

gate = pytest.importorskip("ppocr_lite.serve.gate", reason="the extra [serve] is not installed")

Send = Callable[[Any], Awaitable[None]]


class Spool:
    def upload(self) -> Spool:
        return self

    def close(self) -> None:
        return


class Service:
    """Stands for the service."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(idle=0.2, min_rate=100_000, **settings)
        self.ready, self.under_way, self.spool = True, 0, Spool()


def ask(app: Any, service: Service, path: str = "/", send: Send | None = None, **scope: Any) -> list[Any]:
    """What is sent when *app* is asked through the gate."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def keep(message: Any) -> None:
        sent.append(message)

    asked = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")], **scope}
    asyncio.run(gate.Gate(app, service)(asked, receive, send or keep))
    return sent


async def large(scope: Any, receive: Any, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": bytes(300_000)})


def test_an_answer_is_handed_over_in_parts() -> None:
    start, *bodies = ask(large, Service())
    assert start["status"] == 200
    assert b"nosniff" in dict(start["headers"])[b"x-content-type-options"]
    assert [len(part["body"]) for part in bodies] == [65536] * 4 + [300_000 - 4 * 65536]
    assert [part["more_body"] for part in bodies] == [True] * 4 + [False]


def test_who_does_not_take_the_answer_does_not_get_the_rest() -> None:
    taken: list[int] = []

    async def stuck(message: Any) -> None:
        taken.append(len(message.get("body", b"")))
        if len(taken) > 2:
            await asyncio.sleep(60)

    ask(large, Service(), send=stuck)
    assert taken == [0, 65536, 65536]


def test_time_of_the_service_is_not_time_of_the_client() -> None:
    async def slow(scope: Any, receive: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            await asyncio.sleep(0.15)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    assert len(ask(slow, Service())) == 5


def test_a_pace_allows_pauses_to_who_was_quick() -> None:
    async def after(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def run() -> None:
        pace = gate.Pace(idle=0.2, rate=1000)
        pace.add(1000)
        for _ in range(3):
            await pace.wait(after(0.1))
        with pytest.raises(asyncio.TimeoutError):
            await pace.wait(after(0.5))  # silent for too long

        trickling = gate.Pace(idle=0.2, rate=1000)
        with pytest.raises(asyncio.TimeoutError):
            for _ in range(10):
                await trickling.wait(after(0.05))
                trickling.add(1)

    asyncio.run(run())


def test_no_work_is_let_in_when_the_end_is_near() -> None:
    service = Service()
    service.ready = False
    start, body = ask(large, service, "/v1/ocr", method="POST")
    assert start["status"] == 503
    assert dict(start["headers"])[b"connection"] == b"close"
    assert b"shutting-down" in body["body"]
    assert ask(large, service, "/health")[0]["status"] == 200


def test_other_kinds_of_connections_are_left_alone() -> None:
    assert ask(large, Service(), type="websocket") == []
