"""One training at a time in a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ppocr_lite.errors import ConfigError

NAME = ".lock"


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold a folder while the block runs; the system lets it go when the process ends, however it ends.

    Raises:
        ConfigError: If another process holds it; says which.
    """
    descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not flock, which reading processes would inherit
        except OSError as error:
            owner = os.read(descriptor, 20).decode("ascii", "replace").strip()
            raise ConfigError(
                f"Global.save_model_dir: another training (process {owner or 'unknown'}) runs in {folder}. "
                "Wait for it, or choose another folder with -o Global.save_model_dir=…"
            ) from error
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
