"""Serve OCR over HTTP with the standard library.

python deploy/serve.py --port 8866
curl --data-binary @receipt.jpg http://127.0.0.1:8866/ocr

The body of a POST is one encoded image; the answer is the JSON of ``OCRResult.to_dict``.  A body that is no image gets
status 400 and the reason.  For a public address put a proxy in front of it: there is no encryption and no log-in here.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ppocr_lite import OCR
from ppocr_lite.errors import ImageError

MAX_BYTES = 32 * 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    """Answers ``POST /ocr``; one thread a request, one shared OCR object."""

    def __init__(self, *arguments: Any, ocr: OCR, **named: Any) -> None:
        self.ocr = ocr
        super().__init__(*arguments, **named)

    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        """Read the body as an image and answer with its lines."""
        length = int(self.headers.get("Content-Length", 0))
        if self.path != "/ocr":
            self.answer(404, {"error": f"POST an image to /ocr, not to {self.path}."})
        elif not 0 < length <= MAX_BYTES:
            self.answer(413, {"error": f"The body must have 1 to {MAX_BYTES} bytes. Received: {length}"})
        else:
            try:
                self.answer(200, self.ocr.ocr(self.rfile.read(length)).to_dict())
            except ImageError as error:
                self.answer(400, {"error": str(error)})

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
    make_server(OCR(lang=arguments.lang), arguments.host, arguments.port).serve_forever()


if __name__ == "__main__":
    main()
