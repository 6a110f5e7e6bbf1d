"""A process that reads documents as they come down a pipe, and sends back rows."""

from __future__ import annotations

import signal
import threading
import warnings
from multiprocessing.connection import Connection
from typing import Any

import cv2

from ppocr_lite.bulk.document import Options
from ppocr_lite.bulk.reading import Reader
from ppocr_lite.errors import OCRError

READY = "ready"
# What the process runs; its arguments are where Python looks for packages, and the descriptor of the pipe.
PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from ppocr_lite.bulk.worker import main
main(int(sys.argv[2]))
"""


def main(descriptor: int) -> None:
    """Read documents until None comes, or whoever sends them has ended.

    Args:
        descriptor: Of the pipe. It brings options, whether long documents are split, and then documents; it takes
            READY, then Opened, Row and Done, or the exception that ended it all.
    """
    pipe = Connection(descriptor)
    for number in (signal.SIGINT, signal.SIGTERM):  # they are meant for the process that sends the documents
        signal.signal(number, signal.SIG_IGN)
    warnings.filterwarnings("ignore", message="No ccache found")  # Paddle, about compiling, which nobody does here
    said = _receive(pipe)
    if said is None:
        return
    options: Options = said[0]
    cv2.setNumThreads(options.threads)
    lock = threading.Lock()

    def send(what: Any) -> None:
        with lock:
            pipe.send(what)

    try:
        reader = Reader(options, split=said[1], opened=send)
        send(READY)
        for what in reader.read(iter(lambda: _receive(pipe), None)):
            send(what)
    except (BrokenPipeError, ConnectionResetError):  # nobody wants the rows any more
        return
    except Exception as error:  # noqa: BLE001 - whoever started the process raises it
        send(error if isinstance(error, OCRError) else OCRError(f"reading failed: {type(error).__name__}: {error}"))


def _receive(pipe: Connection) -> Any:
    """Return what comes next; None if whoever sends has ended."""
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError):
        return None
