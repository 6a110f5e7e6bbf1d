"""A process that reads documents as they come down a pipe, and sends back rows."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import cv2

from ppocr_lite.bulk.document import Document, Options
from ppocr_lite.bulk.reading import Reader
from ppocr_lite.errors import OCRError

READY = "ready"


def main(pipe: Connection, options: Options, split: bool) -> None:
    """Read documents until None comes, or whoever sends them has ended.

    Args:
        pipe: Brings documents; takes READY, then Opened, Row and Done, or the exception that ended it all.
        options: How to read.
        split: See :class:`~ppocr_lite.bulk.reading.Reader`.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # they are meant for the process that sends the documents
        signal.signal(number, signal.SIG_IGN)
    warnings.filterwarnings("ignore", message="No ccache found")  # Paddle, about compiling, which nobody does here
    cv2.setNumThreads(options.threads)
    lock = threading.Lock()

    def send(what: Any) -> None:
        with lock:
            pipe.send(what)

    try:
        reader = Reader(options, split=split, opened=send)
        send(READY)
        for what in reader.read(_documents(pipe)):
            send(what)
    except (BrokenPipeError, ConnectionResetError):  # nobody wants the rows any more
        return
    except Exception as error:  # noqa: BLE001 - whoever started the process raises it
        send(error if isinstance(error, OCRError) else OCRError(f"reading failed: {type(error).__name__}: {error}"))


def _documents(pipe: Connection) -> Iterator[Document]:
    while True:
        try:
            document = pipe.recv()
        except (EOFError, ConnectionResetError):
            return
        if document is None:
            return
        yield document
