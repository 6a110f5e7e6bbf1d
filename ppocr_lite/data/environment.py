"""LMDB folders that are open in this process.

LMDB opens a folder once in a process, and what it opened must not cross a fork.  So data sets of one folder share what
is open, and a forked process begins with nothing open.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from ppocr_lite.errors import DataError
from ppocr_lite.install import optional

lmdb = optional("lmdb")

_OPEN: WeakValueDictionary[Path, Any] = WeakValueDictionary()


def open_environment(folder: Path) -> Any:
    """Return the LMDB environment of *folder*, to read only; it is closed when the last that holds it lets it go.

    Raises:
        DataError: If the folder cannot be opened.
    """
    path = folder.resolve()
    environment = _OPEN.get(path)
    if environment is None:
        try:
            environment = lmdb.open(str(path), readonly=True, lock=False, readahead=False, meminit=False)
        except (lmdb.Error, OSError, ValueError, OverflowError, MemoryError) as error:
            raise DataError(f"{folder}: the LMDB folder cannot be opened: {error}") from error
        _check_whole(environment, folder)
        _OPEN[path] = environment
    return environment


def _check_whole(environment: Any, folder: Path) -> None:
    """Refuse a file that was cut short: it is mapped, and to read beyond its end would end the process."""
    needed = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    found = (folder / "data.mdb").stat().st_size
    if found < needed:
        environment.close()
        raise DataError(f"{folder}: data.mdb has {found:,} of {needed:,} bytes. Copy it again.")


def _forget() -> None:
    """Close in a forked process what its parent had opened."""
    for environment in list(_OPEN.values()):
        environment.close()
    _OPEN.clear()


if hasattr(os, "register_at_fork"):  # where processes are forked
    os.register_at_fork(after_in_child=_forget)
