"""The pages that readers are given: lists with truth, or pictures alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ppocr_lite.errors import DataError
from ppocr_lite.io.images import read
from ppocr_lite.predict.layout.order import reading_order
from ppocr_lite.transforms.labels import DetLabelEncode, read_lines

SPEC = re.compile(r"(?P<name>[^=]+)=(?P<path>.+?)(:(?P<limit>[1-9]\d*))?(:(?P<lang>en|ch))?")


@dataclass(frozen=True)
class PageList:
    """Pages of one kind, which get rows of their own in the table.

    Attributes:
        name: What they are; empty if there is only one kind.
        paths: Detection lists with texts, and pictures.
        limit: Pages taken of each list, evenly; None for all.
        lang: What they are written in, ``en`` or ``ch``.
    """

    name: str
    paths: tuple[Path, ...]
    limit: int | None
    lang: str

    @classmethod
    def parse(cls, spec: str, limit: int | None = None, lang: str = "en") -> PageList:
        """Return the list that ``NAME=PATH[:LIMIT][:LANG]`` says; what it leaves out is as given.

        Raises:
            ValueError: If it says something else.

        Example:
            >>> PageList.parse("papers=papers/val.txt:3:ch").limit
            3
        """
        match = SPEC.fullmatch(spec)
        if not match:
            raise ValueError(f"{spec!r} is not NAME=PATH[:LIMIT][:LANG]")
        own = int(match["limit"]) if match["limit"] else limit
        return cls(match["name"], (Path(match["path"]),), own, match["lang"] or lang)

    @property
    def judged(self) -> bool:
        """Whether any page has a truth."""
        return any(path.suffix == ".txt" for path in self.paths)

    def pages(self) -> list[tuple[Path, dict[str, Any] | None]]:
        """Return pictures with their labels in reading order, None where there are none.

        Raises:
            DataError: If there is no page.
        """
        found = list(pages(self.paths, self.limit))
        if not found:
            raise DataError(f"{', '.join(map(str, self.paths))}: no pages to read")
        return found


def pages(paths: Sequence[Path], limit: int | None) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """Yield pictures with their labels in reading order, None where there are none; *limit* thins lists out evenly."""
    for path in paths:
        if path.suffix != ".txt":
            yield path, None
            continue
        rows = [row for _, row in read_lines(path)]
        for row in rows[:: max(1, len(rows) // limit)][:limit] if limit else rows:
            name, _, label = row.partition("\t")
            file = path.parent / name
            truth = DetLabelEncode()({"image": read(file), "label": label, "path": name})
            order = reading_order(truth["polys"])
            yield (
                file,
                {
                    "polys": [truth["polys"][i] for i in order],
                    "texts": [truth["texts"][i] for i in order],
                    "ignore_tags": np.asarray(truth["ignore_tags"])[order],
                },
            )
