"""One process at a time in a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"


class HeldError(OSError):
    """Another process holds a folder.

    Attributes:
        owner: Its number; ``"unknown"`` if it has not said it yet.
    """

    owner: str = "unknown"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder while the block runs; the system lets it go when the process ends, however it ends.

    Raises:
        HeldError: If another process holds it.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not flock, which forked processes would inherit
        except OSError as error:
            refused = HeldError(error.errno, error.strerror, str(folder))
            refused.owner = os.read(descriptor, 20).decode("ascii", "replace").strip() or HeldError.owner
            raise refused from error
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
