"""Draws the pages of one PDF, as a process of its own that :mod:`ppocr_lite.io.pdf_reader` starts.

It is run as a file, for it must start quickly: it imports PDFium and nothing of this package. A page that never ends,
wants all memory or crashes PDFium ends this process alone.

On standard output comes one line of JSON for each thing done, ``{"count": pages}`` first; behind that of a page come
its pixels, ``height`` rows of ``stride`` bytes. Standard input says the password, a line of
JSON, and asks for pages, one number a line.
"""

from __future__ import annotations

import importlib
import json
import math
import resource
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

DPI = 200  # a 10 point line becomes 28 pixels high, near what recognisers are trained on
POINTS_PER_INCH = 72


def main(path: str, max_pixels: int, memory: int, seconds: float, search: list[str]) -> None:
    """Open a PDF and draw the pages that are asked for.

    Args:
        path: The file.
        max_pixels: Most pixels of a page; a larger one is drawn smaller.
        memory: Most bytes that this process may use.
        seconds: CPU time for opening, and for each page; the process ends by SIGPROF when it is over.
        search: Where Python looks for packages.
    """
    sys.path[:] = search
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CORE, 0)
    out = sys.stdout.buffer
    signal.setitimer(signal.ITIMER_PROF, seconds)
    pdfium = importlib.import_module("pypdfium2")
    try:
        document = pdfium.PdfDocument(_source(path), password=json.loads(sys.stdin.buffer.readline()))
        document.init_forms()
    except (pdfium.PdfiumError, OSError, MemoryError) as error:
        _say(out, {"error": str(error)[:300]})
        return
    _say(out, {"count": len(document)})
    for request in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            _draw(out, document, int(request) - 1, max_pixels)
        except (pdfium.PdfiumError, MemoryError) as error:
            _say(out, {"error": str(error)[:300] or type(error).__name__})
    sys.exit()


def _draw(out: BinaryIO, document: Any, index: int, max_pixels: int) -> None:
    with closing(document[index]) as page:
        scale = DPI / POINTS_PER_INCH
        width, height = (max(1, math.ceil(side * scale)) for side in page.get_size())
        if width * height > max_pixels:
            scale *= math.sqrt(max_pixels / (width * height)) * 0.999
        with closing(page.render(scale=scale)) as bitmap:
            sides = {"width": bitmap.width, "height": bitmap.height, "stride": bitmap.stride}
            _say(out, sides | {"channels": bitmap.n_channels, "dpi": scale * POINTS_PER_INCH})
            out.write(bitmap.buffer)
            out.flush()


def _say(out: BinaryIO, what: dict[str, Any]) -> None:
    out.write(json.dumps(what).encode() + b"\n")
    out.flush()


def _source(path: str) -> str | bytes:
    """Return what PDFium is given: the path, or what the file holds if it is not called by characters."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return Path(path).read_bytes()
    return path


def _limit(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:])
