"""Writes a PDF with text over its pages, as a process of its own that :mod:`ppocr_lite.serve.overlay` starts."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from ppocr_lite.errors import OCRError
from ppocr_lite.results import OCRResult, save_pages

SAID = 3  # exit status if the error is on standard output


def main(read: Path, target: Path, memory: int, seconds: int, password: str | None) -> int:
    """Write the PDF; return the exit status.

    Args:
        read: The pages as JSON, their sources where the PDF is.
        target: The file to write.
        memory: Bytes of address space that this process may have.
        seconds: Computing that it may take.
        password: Of an encrypted PDF.
    """
    for limit, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    pages = [OCRResult.from_dict(page) for page in json.loads(read.read_text(encoding="utf-8"))["pages"]]
    try:
        save_pages(pages, target, password)
    except OCRError as error:
        sys.stdout.write(str(error))
        return SAID
    return 0


if __name__ == "__main__":
    secret = json.loads(sys.stdin.read())
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), secret))
