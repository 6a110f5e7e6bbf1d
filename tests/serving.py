"""The service on a free port of this machine, in a thread, and clients of it that may misbehave."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import cv2
import numpy as np


class Answer(NamedTuple):
    """What a client got."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> tuple[int, str]:
        """Status and kind of a problem document."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        assert self.json["status"] == self.status
        assert self.json["title"] and self.json["detail"]
        return self.status, self.json["kind"]


class Client:
    """Asks one service."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **named: Any
    ) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=180)) as connection:
            connection.request(method, path, body, dict(headers or {}), **named)
            with connection.getresponse() as answer:
                names = {name.lower(): value for name, value in answer.getheaders()}
                return Answer(answer.status, names, answer.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, body: Any, kind: str = "application/octet-stream", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, body, {"Content-Type": kind, **named})

    def post_file(self, path: str, data: bytes, name: str = "a.png") -> Answer:
        return self.post(path, *form(("file", name, data)))

    def post_json(self, path: str, content: Any) -> Answer:
        return self.post(path, json.dumps(content), "application/json")

    @contextmanager
    def raw(self, data: bytes = b"") -> Iterator[socket.socket]:
        """A connection to which *data* has been written."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(data)
            yield connection

    def metric(self, name: str, **labels: str) -> float:
        """The value of one series of ``/metrics``, 0 if it is not there."""
        said = ",".join(f'{key}="{value}"' for key, value in labels.items())
        start = f"{name}{{{said}}} " if said else f"{name} "
        lines = self.get("/metrics").body.decode().splitlines()
        return next((float(line.removeprefix(start)) for line in lines if line.startswith(start)), 0.0)


def form(*files: tuple[str, str, bytes]) -> tuple[bytes, str]:
    """The body of a form with these (field, file name, content), and its type."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode() + data
        for field, name, data in files
    ]
    return b"\r\n".join([*parts, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes, or cuts, the connection."""
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def png(text: str = "", size: tuple[int, int] = (60, 400)) -> bytes:
    """A white picture (height, width) with a line of text."""
    image = np.full((*size, 3), 255, np.uint8)
    cv2.putText(image, text, (12, 42), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (0, 0, 0), 2, cv2.LINE_AA)
    return bytes(cv2.imencode(".png", image)[1].tobytes())


@contextmanager
def serving(server: Any, settings: Any) -> Iterator[Client]:
    """Serve as *settings* say; *server* is the module ``ppocr_lite.serve.server``."""
    running = server.uvicorn.Server(server.config_of(settings, server.create_app(settings)))
    thread = threading.Thread(target=lambda: asyncio.run(running.serve()), daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 60
        while not running.started:
            assert thread.is_alive() and time.monotonic() < until, "the service did not start"
            time.sleep(0.02)
        yield Client(running.servers[0].sockets[0].getsockname()[1])
    finally:
        running.should_exit = True
        thread.join(60)
        assert not thread.is_alive()
