"""From what is given on a command line to the documents in it: files, folders, patterns, tar and Parquet files."""

from __future__ import annotations

import functools
import glob
import os
import posixpath
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ppocr_lite.bulk.document import Document, identity
from ppocr_lite.bulk.places import Entry, Pattern, Place, find_place, look, walk
from ppocr_lite.bulk.shards import PACKED, parquet_documents, tar_documents
from ppocr_lite.errors import ImageError
from ppocr_lite.io.pages import SUFFIXES

_COMPRESSED = "a compressed tar file, whose members cannot be reached one by one. Unpack it to .tar."
WANTED = SUFFIXES | {".tar", ".parquet"}


@dataclass(frozen=True)
class Source:
    """A file, a folder or a pattern.

    Attributes:
        given: As it was given.
        place: Where it is.
        folder: Whether it is a folder.
        pattern: The pattern, if it is one.
        recursive: Of a folder whether those below it count, too.
    """

    given: str
    place: Place
    folder: bool = False
    pattern: Pattern | None = None
    recursive: bool = False

    @classmethod
    def of(cls, given: str, recursive: bool = False) -> Source:
        """Return the source that a path or a URL names; what does not exist is a file.

        Raises:
            OCRError: If nothing installed opens such a URL.
            ImageError: If there is nothing to read in a folder, or nothing of a pattern.
        """
        place = find_place(given)
        entry = look(place)
        if entry is None and glob.has_magic(place.path):
            source = cls(given, place, pattern=Pattern(place.path))
        else:
            source = cls(given, place, folder=entry is not None and entry.is_folder, recursive=recursive)
        if next(source.files(), None) is None:
            what = f"Looked for {', '.join(sorted(WANTED))}." if source.folder else "No file has such a path."
            deeper = " Folders below it are read with --recursive." if source.folder and not recursive else ""
            raise ImageError(f"{given}: nothing to read there. {what}{deeper}")
        return source

    def files(self) -> Iterator[Entry]:
        """Yield its files, in order; one that does not exist, too."""
        path = self.place.path
        if self.pattern is not None:
            if look(self.place._replace(path=self.pattern.root)) is not None:
                found = walk(self.place, self.pattern.root, self.pattern.depth)
                yield from (entry for entry in found if entry.error or entry.path in self.pattern)
        elif self.folder:
            found = walk(self.place, path, None if self.recursive else 1)
            yield from (entry for entry in found if entry.error or _suffix(entry.path) in WANTED)
        else:
            yield look(self.place) or Entry(path, "", False)

    def covers(self, place: Place, path: str) -> bool:
        """Say whether a path is among its files."""
        if place.system != self.place.system:
            return False
        if self.pattern is not None:
            return path in self.pattern
        if not self.folder:
            return path == self.place.path
        below = path.removeprefix(self.place.path.rstrip("/") + "/")
        return below != path and _suffix(path) in WANTED and (self.recursive or "/" not in below)


def find_documents(
    sources: Sequence[Source],
    output: Sequence[Path] = (),
    column: str | None = None,
    share: tuple[int, int] | None = None,
) -> Iterator[Document]:
    """Yield the documents of all sources, each once, however often it is given.

    Args:
        sources: What was given.
        output: Files and folders that are written, and therefore not read.
        column: Of Parquet files the column with the images; None to find it.
        share: ``(number, of)``, counted from 1: only this share of the documents.
    """
    written = [str(path.resolve()) for path in output]
    files: set[str] = set()  # that were given themselves; there may be many
    wide: list[Source] = []  # folders and patterns that came before
    for source in sources:
        alone = not source.folder and source.pattern is None
        for entry in source.files():
            key = source.place.shown(entry.path)
            if key in files or any(other.covers(source.place, entry.path) for other in wide):
                continue
            if source.place.is_local and any(_is_in(_resolved(entry.path), one) for one in written):
                continue
            if alone:
                files.add(key)
            for document in _documents(source.place, entry, column):
                if share is None or _share(document, share[1]) == share[0]:
                    yield document
        if not alone:
            wide.append(source)


def _documents(place: Place, entry: Entry, column: str | None) -> Iterator[Document]:
    suffix = _suffix(entry.path)
    if suffix == ".tar" and entry.stamp:
        yield from tar_documents(place, entry)
    elif suffix == ".parquet" and entry.stamp:
        yield from parquet_documents(place, entry, column)
    else:
        shown = place.shown(entry.path)
        error = entry.error or (_COMPRESSED if entry.path.lower().endswith(PACKED) else None)
        yield Document(identity(shown, entry.stamp), shown, None, place.base, entry.path, error=error)


def _share(document: Document, count: int) -> int:
    """Return which of *count* shares a document is in; its name says it, for times of files may differ by machine."""
    return zlib.crc32(document.name.encode("utf-8", "surrogateescape")) % count + 1


def _suffix(path: str) -> str:
    return posixpath.splitext(path)[1].lower()


def _resolved(path: str) -> str:
    """Return a path without the links among its folders."""
    folder, name = os.path.split(path)
    return posixpath.join(_resolved_folder(folder), name)


@functools.lru_cache(maxsize=256)
def _resolved_folder(folder: str) -> str:
    return str(Path(folder).resolve())


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
