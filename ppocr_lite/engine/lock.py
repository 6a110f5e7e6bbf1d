"""One training at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ppocr_lite import locking
from ppocr_lite.errors import ConfigError

NAME = locking.LOCK


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold a folder while the block runs; the system lets it go when the process ends, however it ends.

    Raises:
        ConfigError: If another process holds it; says which.
    """
    try:
        with locking.held(folder):
            yield
    except locking.HeldError as error:
        raise ConfigError(
            f"Global.save_model_dir: another training (process {error.owner}) runs in {folder}. "
            "Wait for it, or choose another folder with -o Global.save_model_dir=…"
        ) from error
