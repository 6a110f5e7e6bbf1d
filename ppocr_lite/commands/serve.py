"""Serve OCR over HTTP: an API, and a web page to try it.

    ppocr-lite serve
    curl --data-binary @receipt.jpg http://127.0.0.1:8866/v1/ocr

It listens on this machine alone unless --host says otherwise; then give --api-key, or put it behind a proxy that asks
who is there.  SIGTERM ends it: what is under way is finished first.  Needs the extra [serve].
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
from typing import Any

from ppocr_lite.commands.console import complain
from ppocr_lite.commands.inputs import add_ocr_options, ocr_options
from ppocr_lite.install import need
from ppocr_lite.serve.settings import API_KEY, LOCAL, Settings

# option → (what it limits, unit); the defaults stand in Settings alone
LIMITS = {
    "workers": "processes; the processors are shared out among them",
    "pool": "sets of networks that are held at the same time",
    "max_bytes": "most bytes of a request",
    "max_pages": "most pages of a request",
    "max_spool": "bytes that all uploads together may have on the disk",
    "queue": "requests that may be under way at the same time",
    "connections": "connections that may be open at the same time",
    "seconds": "longest time from the end of an upload to the last page",
    "idle": "seconds without a byte after which a client is dropped",
    "min_rate": "bytes a second that a client must send, or take, on average",
    "grace": "seconds for what is under way at SIGTERM",
}
PACKAGES = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    usual = {one.name: one.default for one in dataclasses.fields(Settings)}
    parser.add_argument("--host", default=usual["host"], help=f"address to listen on (default: {usual['host']})")
    parser.add_argument("--port", type=int, default=usual["port"], help=f"default: {usual['port']}; 0 for any free one")
    parser.add_argument("--api-key", help=f"key that requests must bring; better in the environment as {API_KEY}")
    parser.add_argument("--cors", action="append", default=[], metavar="ORIGIN", help="let pages of ORIGIN call it")
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="answer to this name, too")
    parser.add_argument("--access-log", action="store_true", help="log each request")
    group = parser.add_argument_group("limits")
    for name, text in LIMITS.items():
        value: Any = usual[name]
        group.add_argument(
            f"--{name.replace('_', '-')}",
            type=type(value),
            default=value,
            metavar="N",
            help=f"{text} (default: {value})",
        )
    add_ocr_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal; return the exit status."""
    need(*PACKAGES)
    settings = make_settings(arguments)
    if settings.host not in LOCAL and settings.api_key is None:
        complain(f"Whoever reaches {settings.host}:{settings.port} may use this service. Give --api-key, or {API_KEY}.")
    importlib.import_module("ppocr_lite.serve.server").serve(settings)
    return 0


def make_settings(arguments: argparse.Namespace) -> Settings:
    """Return what the arguments say; every process has its share of the processors."""
    ocr = ocr_options(arguments)
    max_pixels = ocr.pop("max_pixels", Settings.max_pixels)
    ocr.setdefault("threads", max(1, len(os.sched_getaffinity(0)) // arguments.workers))
    return Settings(
        host=arguments.host,
        port=arguments.port,
        api_key=arguments.api_key or os.environ.get(API_KEY) or None,
        cors=tuple(arguments.cors),
        hosts=tuple(arguments.allow_host),
        ocr=ocr,
        max_pixels=max_pixels,
        access_log=arguments.access_log,
        **{name: getattr(arguments, name) for name in LIMITS},
    )
