"""What an operator decides about the service: where it listens, who may use it, and how much."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from typing import Any

from ppocr_lite.errors import ConfigError

ENVIRONMENT = "PPOCR_LITE_SERVE"  # how the processes of --workers are told
API_KEY = "PPOCR_LITE_API_KEY"  # of the environment, for a command line is seen by every user of a machine
LOCAL = ("127.0.0.1", "localhost", "::1")
MIB = 2**20


@dataclass(frozen=True)
class Settings:
    """Every limit of the service; each is an option of ``ppocr-lite serve``.

    Attributes:
        host: Address to listen on.
        port: Port to listen on, 0 for any free one.
        workers: Processes; the processors are shared out among them.
        api_key: What a request must bring to be answered; None for nothing.
        cors: Origins whose pages may call the service from a browser.
        hosts: Names under which the service may be called; empty for any if *host* is not of this machine alone.
        ocr: Arguments of ``OCR`` for requests that do not say otherwise.
        pool: Sets of networks that are held at the same time.
        max_bytes: Most bytes of a request.
        max_pixels: Most pixels of a page.
        max_pages: Most pages of a request.
        max_spool: Bytes that all requests together may have on the disk.
        queue: Requests that may be under way at the same time, uploads and waiting ones among them.
        connections: Connections that may be open at the same time.
        seconds: Longest time from the end of the upload to the last page.
        idle: Seconds without a byte after which a client is dropped.
        min_rate: Bytes a second that a client must send, or take, on average.
        grace: Seconds in which requests that are under way are finished at SIGTERM.
        access_log: Log each request.
    """

    host: str = "127.0.0.1"
    port: int = 8866
    workers: int = 1
    api_key: str | None = field(default=None, repr=False)
    cors: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    ocr: dict[str, Any] = field(default_factory=dict)
    pool: int = 2
    max_bytes: int = 32 * MIB
    max_pixels: int = 40_000_000
    max_pages: int = 100
    max_spool: int = 768 * MIB
    queue: int = 256
    connections: int = 1000
    seconds: float = 120.0
    idle: float = 10.0
    min_rate: int = 16 * 1024
    grace: float = 25.0
    access_log: bool = False

    def __post_init__(self) -> None:
        least = {"port": 0, "grace": 0.0, "seconds": 0.1, "idle": 0.1}
        for name in _NUMBERS:
            value = getattr(self, name)
            if not value >= least.get(name, 1):
                raise ConfigError(f"serve: {name} must be at least {least.get(name, 1)}. Received: {value}")
        if self.port > 65535:
            raise ConfigError(f"serve: port must be at most 65535. Received: {self.port}")
        if self.api_key is not None and not (self.api_key and self.api_key.isascii()):
            raise ConfigError("serve: the API key must not be empty, and in ASCII, for it travels in a header.")

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Names under which the service may be called; empty for any.

        On the loopback address those of this machine alone: else a page of any site could have its own name mean
        127.0.0.1, and read the answers.
        """
        return (*LOCAL, *self.hosts) if self.host in LOCAL or self.hosts else ()

    def to_environment(self) -> None:
        """Tell the processes that this one starts."""
        os.environ[ENVIRONMENT] = json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_environment(cls) -> Settings:
        """Return what :meth:`to_environment` told, the defaults if it told nothing."""
        told: dict[str, Any] = json.loads(os.environ.get(ENVIRONMENT, "{}"))
        for name in {"cors", "hosts"} & told.keys():
            told[name] = tuple(told[name])
        return cls(**told)


_NUMBERS = tuple(one.name for one in dataclasses.fields(Settings) if one.type in ("int", "float"))
