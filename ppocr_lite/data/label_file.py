"""A label file in the making: it can be stopped at any moment, and nothing is done twice or lost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ppocr_lite import files
from ppocr_lite.errors import DataError
from ppocr_lite.transforms.labels import read_lines


class LabelFile:
    """Collects a label for each image, and becomes a label file when all are there.

    Each label is appended to ``NAME.part`` beside the file and forced to the disk before :meth:`add` returns; whoever
    opens the same file again after an interruption finds it there. :meth:`finish` puts the whole file in place at
    once. Rows that stood in the file before stay as they are, and come first: a person may have corrected them.

    Args:
        path: The label file. Images are named relative to its folder.
        settings: What the labels depend on; they are not mixed with those of other settings.

    Raises:
        DataError: If an unfinished file was begun with other settings, or an existing one cannot be read.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path, self.part = path, path.with_name(f"{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._before = [line for _, line in read_lines(path)] if path.exists() else []
        self._labels: dict[str, str | None] = {}
        self._known = {line.partition("\t")[0] for line in self._before}
        self._begin(json.dumps({"settings": dict(settings)}, sort_keys=True))
        self._file = self.part.open("ab")

    def _begin(self, settings: str) -> None:
        """Take over what an interrupted run has left, or begin anew."""
        *whole, torn = (self.part.read_bytes() if self.part.exists() else b"").split(b"\n")
        if not whole:
            self.part.write_bytes(settings.encode() + b"\n")
            return
        if whole[0] != settings.encode():
            raise DataError(
                f"{self.part} was begun with other settings: {whole[0].decode(errors='replace')[:500]}. "
                f"Received: {settings}. Go on with the former, or remove the file."
            )
        try:
            self._labels = dict(json.loads(row) for row in whole[1:])
        except ValueError as error:
            raise DataError(f"{self.part}: what an interrupted run left is damaged: {error}. Remove it.") from error
        if torn:
            os.truncate(self.part, self.part.stat().st_size - len(torn))

    def __contains__(self, image: Path) -> bool:
        name = self._relative(image)
        return name in self._labels or name in self._known or f"{self.folder}/{name}" in self._known

    @property
    def folder(self) -> str:
        """Name of the folder that the file is in, with which PPOCRLabel begins the names of the images."""
        return Path(os.path.abspath(self.path)).parent.name  # noqa: PTH100 - resolve() would follow links

    @property
    def rows(self) -> list[str]:
        """What the finished file holds: the rows from before, then one for each image that has a label."""
        new = [f"{name}\t{label}" for name, label in self._labels.items() if label is not None]
        return self._before + [row for row in new if row.partition("\t")[0] not in self._known]

    def name(self, image: Path) -> str:
        """Return what the file calls an image.

        Raises:
            DataError: If no label file can hold that name.
        """
        name = self._relative(image)
        if any(sign in name for sign in "\t\r\n") or name != name.encode("utf-8", "replace").decode():
            raise DataError(f"{str(image)!r}: a label file cannot hold that name. Rename the image.")
        return name

    def _relative(self, image: Path) -> str:
        return os.path.relpath(image, self.path.parent).replace(os.sep, "/")

    def add(self, image: Path, label: str | None) -> None:
        """Keep the label of an image; None if it was looked at and has none."""
        name = self.name(image)
        self._file.write(json.dumps([name, label]).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._labels[name] = label

    def finish(self) -> int:
        """Put the file in its place, if there is anything to put into it; return the number of its rows."""
        rows = self.rows
        self._file.close()
        if rows:
            _write_rows(self.path, rows)
        self.part.unlink()
        return len(rows)

    def close(self) -> None:
        """Leave the file unfinished, to go on later."""
        self._file.close()


def _write_rows(path: Path, rows: Iterable[str]) -> None:
    with files.replacing(path) as draft:
        draft.write_bytes("".join(f"{row}\n" for row in rows).encode())
        files.sync(draft)


def write_ppocrlabel_cache(labels: LabelFile) -> Path | None:
    """Write ``Cache.cach`` beside a finished label file, so that PPOCRLabel offers its labels for review.

    PPOCRLabel opens a folder of images, reads ``Label.txt`` and ``Cache.cach`` in it, calls the images
    ``folder/name``, and keeps in ``Label.txt`` only those that a person has confirmed, which it lists in
    ``fileState.txt``: what nobody has confirmed lives in the cache. Rows that are in it already stay.

    Returns:
        The file; None if the label file is not called ``Label.txt``, or none of its images is in its own folder.
    """
    here = [row for row in labels.rows if "/" not in row.partition("\t")[0]]
    if labels.path.name != "Label.txt" or not here:
        return None
    cache = labels.path.with_name("Cache.cach")
    before = [line for _, line in read_lines(cache)] if cache.exists() else []
    known = {line.partition("\t")[0] for line in before}
    new = [f"{labels.folder}/{row}" for row in here]
    _write_rows(cache, before + [row for row in new if row.partition("\t")[0] not in known])
    return cache
