"""Lays text over the pages of a PDF in a process of its own, with limits.

A PDF may hold little that becomes much when it is unpacked. What draws it is bounded, see
:mod:`ppocr_lite.io.pdf_reader`; what writes it again shall not take the memory of the service, either.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ppocr_lite.errors import ImageError
from ppocr_lite.results import OCRResult, save_pages
from ppocr_lite.serve import overlay_child

SECONDS = 60  # of computing, and twice as many in all
MEMORY = 2**31  # bytes of address space


def save_over(pages: Sequence[OCRResult], target: Path, password: str | None = None) -> None:
    """Write a PDF of the pages of a PDF, as :func:`ppocr_lite.results.save_pages` does.

    Args:
        pages: What was read; sources are where the PDF is.
        target: The file to write.
        password: Of an encrypted PDF; it reaches the process by its standard input, not where others see it.

    Raises:
        ImageError: If it cannot be done, or takes too long or too much memory.
    """
    read = target.with_suffix(".read.json")
    save_pages(pages, read)
    here = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", overlay_child.__name__, str(read), str(target), str(MEMORY), str(SECONDS)]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(password),
            env=os.environ | here,
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ImageError("Laying text over the PDF takes too long.") from error
    finally:
        read.unlink()
    if done.returncode == overlay_child.SAID:
        raise ImageError(done.stdout)
    if done.returncode != 0:
        raise ImageError("Laying text over the PDF takes too long, or too much memory.")
