"""Serve OCR over HTTP with the standard library.

python deploy/serve.py --port 8866
curl --data-binary @receipt.jpg http://127.0.0.1:8866/ocr

The body of a POST is one encoded image; the answer is the JSON of ``OCRResult.to_dict``.  A body that is no image gets
status 400 and the reason, one without a length 411, one that is too large 413.  A client that says nothing for half a
minute is left.  For a public address put a proxy in front of it: there is no encryption and no log-in here.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ppocr_lite import OCR
from ppocr_lite.commands.console import report_errors
from ppocr_lite.errors import ImageError

MAX_BYTES = 32 * 1024 * 1024
log = logging.getLogger("ppocr_lite.serve")


class Handler(BaseHTTPRequestHandler):
    """Answers ``POST /ocr``; one thread a request, one shared OCR object."""

    timeout = 30  # seconds without a byte

    def __init__(self, *arguments: Any, ocr: OCR, **named: Any) -> None:
        self.ocr = ocr
        super().__init__(*arguments, **named)

    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        """Read the body as an image and answer with its lines."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self.answer(411, {"error": "The header Content-Length must say how many bytes the body has."})
        elif int(length) > MAX_BYTES:
            self.answer(413, {"error": f"The body must have at most {MAX_BYTES} bytes. Received: {length}"})
        else:
            self.read(self.rfile.read(int(length)))

    def read(self, body: bytes) -> None:
        """Answer with the lines of an encoded image."""
        if self.path != "/ocr":
            self.answer(404, {"error": f"POST an image to /ocr, not to {self.path}."})
            return
        try:
            self.answer(200, self.ocr.ocr(body).to_dict())
        except ImageError as error:
            self.answer(400, {"error": str(error)})
        except Exception:
            log.exception("A request failed.")
            self.answer(500, {"error": "The image could not be read; the log of the server says why."})

    def answer(self, status: int, content: dict[str, Any]) -> None:
        """Send *content* as JSON."""
        body = json.dumps(content, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def make_server(ocr: OCR, host: str = "127.0.0.1", port: int = 8866) -> ThreadingHTTPServer:
    """Return a server bound to *host* and *port* (0 for any free one); ``serve_forever`` starts it."""
    return ThreadingHTTPServer((host, port), partial(Handler, ocr=ocr))


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8866)
    parser.add_argument("--lang", choices=("ch", "en"))
    arguments = parser.parse_args()
    logging.basicConfig()
    make_server(OCR(lang=arguments.lang), arguments.host, arguments.port).serve_forever()


if __name__ == "__main__":
    sys.exit(report_errors(main))
