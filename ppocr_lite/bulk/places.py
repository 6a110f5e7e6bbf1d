"""Files of any file system that fsspec knows: what they are called, how they are listed, opened and told apart."""

from __future__ import annotations

import functools
import glob
import os
import re
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ppocr_lite.errors import ImageError, OCRError
from ppocr_lite.install import optional

fsspec, core, _utils = optional("fsspec"), optional("fsspec.core"), optional("fsspec.utils")
LOCAL = "file"
# What file systems call it when, or in which state, a file was last written; the first that is there counts.
_STATES = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created")


class Entry(NamedTuple):
    """A file or folder in a list.

    Attributes:
        path: Where it is, as its file system says it.
        stamp: Size and state; empty if it is not known.
        is_folder: Whether it is a folder.
        error: Why it cannot be looked at, or into.
    """

    path: str
    stamp: str
    is_folder: bool
    error: str | None = None


class Place(NamedTuple):
    """A path in its file system.

    Attributes:
        system: The file system, of fsspec.
        base: What :func:`file_system` finds it by, in another process, too.
        path: The path, as the file system says it.
    """

    system: Any
    base: str
    path: str

    @property
    def is_local(self) -> bool:
        """Whether it is a path of this machine."""
        return is_local(self.system)

    def shown(self, path: str) -> str:
        """Return what people call a path of this file system."""
        if self.is_local:
            return path
        behind = self.base.partition("::")[1:]
        return str(self.system.unstrip_protocol(path)) + "".join(behind)


def find_place(given: str) -> Place:
    """Return the place that a path or a URL names; local paths become absolute.

    Raises:
        OCRError: If nothing installed opens such a URL; says what is missing.
    """
    try:
        system, path = (fsspec.filesystem(LOCAL), given) if os.path.lexists(given) else core.url_to_fs(given)
    except (ImportError, ValueError) as error:
        raise OCRError(f"{given}: cannot be opened: {error}") from error
    if not is_local(system):
        return Place(system, given, str(path))
    # Only what goes up is resolved: else files keep the names by which they are given, links and all.
    return Place(system, "/", str(Path(path).resolve() if ".." in Path(path).parts else Path(path).absolute()))


@functools.lru_cache(maxsize=64)
def file_system(base: str) -> Any:
    """Return the file system of a :class:`Place`."""
    return core.url_to_fs(base)[0]


def is_local(system: Any) -> bool:
    """Say whether a file system is that of this machine."""
    return LOCAL in ((system.protocol,) if isinstance(system.protocol, str) else system.protocol)


def look(place: Place) -> Entry | None:
    """Return what is at a place, None if nothing is; what cannot be looked at is taken for a file with that error."""
    if place.is_local:
        return _local_entry(place.path)
    try:
        return _remote_entry(place.system.info(place.path))
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - each file system has exceptions of its own
        return Entry(place.path, "", False, f"cannot be looked at: {type(error).__name__}: {error}")


def entries(place: Place, folder: str) -> Iterator[Entry]:
    """Yield what is in a folder, in the order of the names.

    Of a local folder only the names are held, so that one of a million files costs little memory.
    """
    if place.is_local:
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - names alone
            yield _local_entry(os.path.join(folder, name)) or Entry(os.path.join(folder, name), "", False)  # noqa: PTH118
        return
    listed = [_remote_entry(info) for info in place.system.ls(folder, detail=True)]
    place.system.invalidate_cache(folder)
    yield from sorted(entry for entry in listed if entry.path.rstrip("/") != folder.rstrip("/"))


def walk(place: Place, folder: str, depth: int | None) -> Iterator[Entry]:
    """Yield the files of a folder, and of those below it, in the order of their paths.

    Args:
        place: Says the file system.
        folder: Where to begin.
        depth: How many folders deep, 1 for the folder alone; None for all. Links to folders are not followed.

    Yields:
        Files; and folders that cannot be listed, with the error.
    """
    listed = entries(place, folder)
    while True:
        try:
            entry = next(listed, None)
        except Exception as error:  # noqa: BLE001 - each file system has exceptions of its own
            yield Entry(folder, "", False, f"the folder cannot be listed: {type(error).__name__}: {error}")
            return
        if entry is None:
            return
        if not entry.is_folder:
            yield entry
        elif (depth is None or depth > 1) and not (place.is_local and Path(entry.path).is_symlink()):
            yield from walk(place, entry.path, None if depth is None else depth - 1)


class Pattern:
    """A path with ``*``, ``?``, ``[…]`` or ``**``.

    Args:
        path: The path.

    Attributes:
        root: The folder that it begins at.
        depth: How many folders deep its files lie below that, None for any number.
    """

    def __init__(self, path: str) -> None:
        parts = path.split("/")
        first = next(index for index, part in enumerate(parts) if glob.has_magic(part))
        self.root = "/".join(parts[:first]) or "/"
        self.depth = None if "**" in parts else len(parts) - first
        self._match = re.compile(_utils.glob_translate(path)).match

    def __contains__(self, path: str) -> bool:
        return self._match(path) is not None


def read_bytes(base: str, path: str, start: int | None = None, end: int | None = None) -> bytes:
    """Return what a file holds, or what it holds from *start* to *end*.

    Raises:
        ImageError: If it cannot be read.
    """
    try:
        return bytes(file_system(base).cat_file(path, start=start, end=end))
    except FileNotFoundError as error:
        raise ImageError("there is no such file.") from error
    except Exception as error:  # noqa: BLE001 - each file system has exceptions of its own
        raise ImageError(f"cannot be read: {type(error).__name__}: {error}") from error


def _local_entry(path: str) -> Entry | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path a file costs as much as the call
    except (OSError, ValueError):
        return None
    return Entry(path, f"{found.st_size} {found.st_mtime_ns}", stat.S_ISDIR(found.st_mode))


def _remote_entry(info: dict[str, Any]) -> Entry:
    state = next((info[key] for key in _STATES if info.get(key) is not None), "")
    if isinstance(state, datetime):
        state = state.timestamp()
    if isinstance(state, float):
        state = f"{state:.6f}"
    return Entry(str(info["name"]), f"{info.get('size')} {state}", info.get("type") == "directory")
