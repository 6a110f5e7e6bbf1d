"""Files that are written whole or not at all: beside their place first, then renamed into it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Give a path to write to, and rename it to *path* when the block ends well.

    Until then *path* is as it was: on a full disk or a kill the old file stays. What is no regular file, such as
    ``/dev/stdout``, is written in place.

    Args:
        path: The file to write; its folder must exist. A link stays one, and what it leads to is replaced.

    Yields:
        Where to write: a hidden file in the same folder.

    Raises:
        OSError: If the file cannot be written; names *path*. Nothing is left behind.
    """
    target = Path(path)
    if target.exists() and not target.is_file():
        yield target
        return
    target = target.resolve() if target.is_symlink() else target
    draft = target.with_name(f".{os.getpid()}-{threading.get_ident()}.tmp")  # short: a name may have 255 bytes
    try:
        yield draft
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    except OSError as error:
        if error.filename in (None, str(draft), draft):  # a write names no file, the rest the draft
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        draft.unlink(missing_ok=True)


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write *data* to *path*, whole or not at all; see :func:`replacing` for what it raises."""
    with replacing(path) as draft:
        draft.write_bytes(data)


def write_text(path: Path | str, text: str, errors: str = "strict") -> None:
    """Write *text* to *path* as UTF-8, lines ending as they are; see :func:`replacing` for what it raises.

    Args:
        path: The file to write.
        text: What to write.
        errors: What to do with lone surrogates, as for ``str.encode``.
    """
    write_bytes(path, text.encode("utf-8", errors))


def sync(path: Path) -> None:
    """Make the disk hold a file or folder, so that a rename never outlives its content."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
