"""What a request brings, kept in a folder of its own while it is answered. No name from outside is used there."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from io import FileIO
from pathlib import Path

from ppocr_lite.serve import metrics
from ppocr_lite.serve.problems import ProblemError

log = logging.getLogger(__name__)


class Spool:
    """Where uploads are kept, and how much of them there may be.

    Args:
        max_bytes: Bytes that all requests together may have here.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.used = max_bytes, 0
        self._folder = tempfile.TemporaryDirectory(prefix="ppocr-lite-serve-")

    def upload(self) -> Upload:
        """Return room for one request."""
        return Upload(self)

    def folder(self) -> Path:
        """Return a new folder for one request."""
        return Path(tempfile.mkdtemp(dir=self._folder.name))

    def take(self, count: int) -> None:
        """Count bytes that come, or with a number below 0 go.

        Raises:
            ProblemError: If there is no room.
        """
        if count > 0 and self.used + count > self.max_bytes:
            detail = "Other uploads take all the room there is. Try again in a moment."
            raise ProblemError(429, detail, retry_after=5, kind="no-room")
        self.used += count
        metrics.SPOOLED.inc(count)

    def close(self) -> None:
        """Remove everything."""
        self._folder.cleanup()


class Upload:
    """The body of one request.

    Args:
        spool: Where it is kept.

    Attributes:
        folder: The folder of this request alone.
        size: Bytes received.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool, self.folder, self.size = spool, spool.folder(), 0

    @property
    def body(self) -> Path:
        """The file with the body."""
        return self.folder / "body"

    async def receive(self, chunks: AsyncIterator[bytes]) -> None:
        """Take the whole body in.

        Raises:
            ProblemError: If there is no room for it, or it comes too slowly.
        """
        with metrics.STAGES.labels("upload").time(), self.body.open("wb", buffering=0) as file:
            async for chunk in chunks:
                self._spool.take(len(chunk))
                self.size += len(chunk)
                _write(file, chunk)
        metrics.BYTES.inc(self.size)

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._spool.take(-self.size)
        self.size = 0


def _write(file: FileIO, chunk: bytes) -> None:
    try:
        if file.write(chunk) < len(chunk):  # as much as there was room for
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        log.error("An upload cannot be kept: %s", error)
        raise ProblemError(503, "There is no room for the upload. Try again later.", 5, kind="no-room") from error
