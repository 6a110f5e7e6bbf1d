"""The output of a bulk run: parts that are there whole or not at all, and are the journal of what is done.

One process writes. Each part is written beside its place, forced to the disk and renamed, so a kill at any moment
leaves only whole parts. A page is done if a part has its row; only pages that are not done are read. So no page is
read twice into the output, and a run ends well only when every page has its row.
"""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import files, locking
from ppocr_lite.bulk.document import Document, Format, Row
from ppocr_lite.bulk.parts import HANDLERS, ROWS
from ppocr_lite.errors import ConfigError

SETTINGS = "_bulk.json"  # readers of Parquet folders pass over names that begin with _ or .
PART_ROWS = 5_000  # of a part at most
PART_BYTES = 2**26  # held in memory at most
PART_SECONDS = 60.0  # that a kill may cost at most
_PART = re.compile(r"part-([0-9]+)\.(?:parquet|jsonl)")


class Journal:
    """An output that is open for one run.

    Args:
        output: A folder, in which parts are added; or a file of the format's suffix, which is put together of the parts
            when all are there. They are in a folder beside it until then, ``NAME.parts``.
        form: Format of the output.
        settings: What the rows depend on; they are not mixed with those of other settings.
        seconds: Rows are written to the disk after so many seconds.
        retry: Whether rows with an error are taken out, so that their pages are read again.

    Attributes:
        rows: How many rows there are,
        failed: and how many of them have an error.
        folder: Where the parts are.

    Raises:
        ConfigError: If the output was begun with other settings, is in use, or holds what was not written here.
        DataError: If a part is damaged.
        OSError: If it cannot be written.
    """

    def __init__(
        self,
        output: Path,
        form: Format,
        settings: Mapping[str, Any],
        seconds: float = PART_SECONDS,
        *,
        retry: bool = False,
    ) -> None:
        self.file = output if output.suffix.lower() == f".{form}" else None
        self.folder = output if self.file is None else output.with_name(f"{output.name}.parts")
        self._form, self._seconds = form, seconds
        self._handler = HANDLERS[form]
        self._held: list[bytes] = []
        self._bytes, self._since = 0, time.monotonic()
        self._open = ExitStack()
        self._begin(json.loads(json.dumps(settings, default=str)))
        try:
            self._clean()
            if retry:
                self._take_out_errors()
            self._look()
        except BaseException:
            self._open.close()
            raise

    @property
    def written(self) -> list[Path]:
        """What must not be read."""
        return [self.folder] if self.file is None else [self.folder, self.file]

    def _begin(self, settings: dict[str, Any]) -> None:
        """Make the folder ours, or see that it is."""
        noted = self.folder / SETTINGS
        if self.folder.exists() and not self.folder.is_dir():
            raise ConfigError(f"--output {self.folder}: a file. Give a folder, or a name ending in .{self._form}.")
        if not noted.is_file():
            foreign = self.file if self.file is not None and self.file.exists() else None
            if self.folder.exists():
                foreign = next((path for path in self.folder.iterdir() if path.name != locking.LOCK), foreign)
            if foreign is not None:
                raise ConfigError(
                    f"--output: {foreign} is there already, and not of a run of ppocr-lite bulk. Give another place."
                )
            self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._open.enter_context(locking.held(self.folder))
        except locking.HeldError as error:
            raise ConfigError(f"--output {self.folder}: process {error.owner} writes there. Wait for it.") from error
        if noted.is_file():
            self._compare(json.loads(noted.read_text(encoding="utf-8")), settings)
        else:
            files.write_text(noted, json.dumps(settings, indent=2, sort_keys=True) + "\n")

    def _compare(self, before: dict[str, Any], now: dict[str, Any]) -> None:
        other = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
        if other:
            self._open.close()
            said = "; ".join(f"{key}: {before.get(key)!r} then, {now.get(key)!r} now" for key in other)
            raise ConfigError(
                f"--output {self.folder} was begun with other settings, and rows of both would be mixed: {said}. "
                "Go on with the former, or give another place."
            )

    def _clean(self) -> None:
        """Remove what a run that was killed left behind: drafts, and parts that were joined already."""
        for draft in self.folder.glob(".*.tmp"):
            draft.unlink()
        parts = self.parts()
        if not parts or not self._joined():
            return
        joined = _Pages([self._handler.done(path) for path in self._joined()])
        for part in parts:
            rows = self._handler.done(part)
            if len(rows) and joined.has(rows[0]):
                part.unlink()

    def _take_out_errors(self) -> None:
        """Write each file again without its rows that have an error."""
        for path in self._joined() + self.parts():
            if self._handler.done(path)["failed"].any():
                self._write(path, functools.partial(self._handler.keep_good, source=path))

    def _look(self) -> None:
        """Find what is done."""
        parts = self.parts()
        self._done = _Pages([self._handler.done(path) for path in self._joined() + parts])
        self.rows, self.failed = len(self._done), self._done.failed
        self._number = max(map(_number, parts), default=0)

    def _joined(self) -> list[Path]:
        """Return the file that is put together of parts, if it is there."""
        return [self.file] if self.file is not None and self.file.exists() else []

    def parts(self) -> list[Path]:
        """Return the parts, in order."""
        found = [path for path in self.folder.iterdir() if _PART.fullmatch(path.name)]
        return sorted(found, key=_number)

    def left(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield what is left to do of documents."""
        for document in documents:
            pages, seen = self._done.of(bytes.fromhex(document.id))
            if not seen:
                yield document
            elif len(seen) < pages:
                yield document._replace(pages=pages, seen=frozenset(seen))

    def add(self, row: Row) -> None:
        """Take a row."""
        self._held.append(row.data)
        self._bytes += len(row.data)
        self.rows += 1
        self.failed += row.error is not None
        if len(self._held) >= PART_ROWS or self._bytes >= PART_BYTES:
            self.flush()

    def tick(self) -> None:
        """Write what has waited for long enough."""
        if time.monotonic() - self._since >= self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write the rows that were taken, as a part.

        Raises:
            OSError: If that cannot be done; names the file. They are still held.
        """
        self._since = time.monotonic()
        if not self._held:
            return
        path = self.folder / f"part-{self._number + 1:06d}.{self._form}"
        self._write(path, lambda draft: self._handler.write(draft, self._held))
        self._number += 1
        self._held, self._bytes = [], 0

    def finish(self) -> None:
        """Write what is left; make one file of all parts, if one was asked for."""
        self.flush()
        parts = self.parts()
        if self.file is None or not parts and self.file.exists():
            return
        self._write(self.file, lambda draft: self._handler.join(draft, self._joined() + parts))
        for part in parts:
            part.unlink()

    def _write(self, path: Path, write: Callable[[Path], None]) -> None:
        """Write a file beside its place, in the folder of the parts, where what a kill leaves is removed."""
        whole = self.folder / f".{path.name}.tmp"
        try:
            with files.replacing(whole) as draft:
                write(draft)
                files.sync(draft)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from error
        whole.replace(path)
        files.sync(path.parent)

    def close(self) -> None:
        """Let the output go; rows that are held are lost."""
        self._open.close()


class _Pages:
    """Which pages are done, in some 50 bytes a page.

    Args:
        parts: What is in each part.
    """

    def __init__(self, parts: list[NDArray[np.void]]) -> None:
        self._rows = np.concatenate([np.empty(0, ROWS), *parts])
        self._rows.sort(order="document", kind="stable")
        self._documents = np.ascontiguousarray(self._rows["document"])
        self.failed = int(np.count_nonzero(self._rows["failed"]))

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, document: bytes) -> tuple[int, list[int]]:
        """Return how many rows a document has in all, and which pages have theirs."""
        key = np.array(document, "S16")
        first, last = (int(np.searchsorted(self._documents, key, side)) for side in ("left", "right"))
        rows = self._rows[first:last]
        return (int(rows["pages"][0]) if len(rows) else 0), rows["page"].tolist()

    def has(self, row: np.void) -> bool:
        """Say whether a row is there."""
        return int(row["page"]) in self.of(bytes(row["document"]))[1]


def _number(path: Path) -> int:
    found = _PART.fullmatch(path.name)
    return int(found[1]) if found else 0
