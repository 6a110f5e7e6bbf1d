"""The pages of a PDF as pixels, drawn by PDFium in a process of its own, with limits.

A page may call itself for ever, or declare pictures of any size. So one process is started for a document, asked for a
page at a time, and ended when the document is closed; see :mod:`ppocr_lite.io.pdf_child`.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import multiprocessing.spawn
import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ImageError, OCRError, PasswordError
from ppocr_lite.install import install_command
from ppocr_lite.io import pdf_child
from ppocr_lite.io.formats import MAX_PIXELS

log = logging.getLogger(__name__)

SECONDS = 20.0  # CPU time of a page; a scan of 600 dots an inch takes about one
MEMORY = 2**30  # bytes, and four more for each pixel of max_pixels
_LINE = 4096  # no line that the process writes is as long


class PDFReader:
    """A PDF that is open; to be closed, or used in a ``with`` statement.

    Args:
        path: The file.
        max_pixels: Most pixels of a page; a larger one is drawn at fewer dots an inch, and the log says so.
        seconds: CPU time that a page may take.
        password: Of an encrypted file.

    Attributes:
        count: Number of pages.

    Raises:
        ImageError: If it is no PDF that can be read; PasswordError if it wants a password, or another one.
        OCRError: If pypdfium2 is not installed.
    """

    def __init__(
        self, path: Path, max_pixels: int = MAX_PIXELS, seconds: float = SECONDS, password: str | None = None
    ) -> None:
        if importlib.util.find_spec("pypdfium2") is None:
            raise OCRError(f"{path}: reading PDF needs the package pypdfium2. {install_command('pypdfium2')}")
        if not stat.S_ISREG(path.stat().st_mode):
            raise ImageError(f"{path}: not a file.")
        self.path, self.max_pixels, self.seconds = path, max_pixels, seconds
        executable = os.fsdecode(multiprocessing.spawn.get_executable())
        limits = (str(max_pixels), str(MEMORY + 4 * max_pixels), str(seconds))
        command = [executable, "-I", "-S", pdf_child.__file__, str(path), *limits, *map(os.path.abspath, sys.path)]
        pipe = subprocess.PIPE
        self._process: Any = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self._encrypted = (
            "the PDF is encrypted. Give its password: --password, or password= of OCR.stream()."
            if password is None
            else "the PDF is encrypted, and the password does not open it."
        )
        try:
            self._tell(json.dumps(password))
            self.count = int(self._answer(str(path), "not a readable PDF")["count"])
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> PDFReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def page(self, number: int) -> NDArray[np.uint8]:
        """Return the pixels, BGR uint8 (H, W, 3), of a page, counted from 1, with what is filled into its forms.

        Raises:
            ImageError: If the page is damaged, or takes too long or too much memory.
        """
        name = f"{self.path}#{number}"
        self._tell(str(number))
        head = self._answer(name, "the page is damaged")
        height, width, channels, stride = (int(head[key]) for key in ("height", "width", "channels", "stride"))
        if not (0 < width * channels <= stride and 0 < width * height <= self.max_pixels and 3 <= channels <= 4):
            raise ImageError(f"{name}: the page is damaged: drawn as {width} x {height} pixels.")
        if head["dpi"] < pdf_child.DPI:
            log.warning(
                "%s: drawn at %.0f dots an inch instead of %d, for max_pixels (%d).",
                name, head["dpi"], pdf_child.DPI, self.max_pixels,
            )  # fmt: skip
        drawn = np.empty((height, stride), np.uint8)
        if self._process.stdout.readinto(drawn) < drawn.size:
            raise self._ended(name, "the page is damaged")
        return np.ascontiguousarray(drawn[:, : width * channels].reshape(height, width, channels)[:, :, :3])

    def _tell(self, line: str) -> None:
        with suppress(BrokenPipeError):  # the process has ended; its answer says so
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def _answer(self, name: str, failure: str) -> dict[str, Any]:
        """Return the next line of the process.

        Raises:
            ImageError: If it says that something failed, or the process has ended.
        """
        line = self._process.stdout.readline(_LINE)
        if not line.endswith(b"\n"):
            raise self._ended(name, failure)
        answer: dict[str, Any] = json.loads(line)
        if "password" in str(answer.get("error")):
            raise PasswordError(f"{name}: {self._encrypted}")
        if "error" in answer:
            raise ImageError(f"{name}: {failure}: {answer['error']}")
        return answer

    def _ended(self, name: str, failure: str) -> ImageError:
        """Return what to raise when the process has ended."""
        status = self._process.wait()
        if status == -signal.SIGPROF:
            return ImageError(f"{name}: not drawn within {self.seconds:g} seconds of computing.")
        return ImageError(f"{name}: {failure}: PDFium ended with status {status}.")
