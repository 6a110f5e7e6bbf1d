"""What verbs say, and to whom: results to standard output, progress and complaints to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def say(text: str) -> None:
    """Write one line to standard output; what its encoding lacks, as escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Write one line to standard error, below a progress bar if there is one."""
    tqdm.write(text, file=sys.stderr)


class Progress:
    """Shows how far a piece of work has come: a bar on a terminal, about ten plain lines elsewhere.

    Args:
        what: Name of one kind of item, in the plural.
        total: Number of items.
    """

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self._bar = tqdm(total=total, unit=f" {what}", disable=not sys.stderr.isatty())

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def reached(self, done: int, total: int) -> None:
        """Note that *done* of *total* items are done."""
        tenth = 10 * done // total
        if self._bar.disable and (tenth > 10 * self.done // total or done == total):
            sys.stderr.write(f"{done}/{total} {self.what}\n")
        self._bar.update(done - self.done)
        self.done = done


def progress(items: Sequence[T], what: str) -> Iterator[T]:
    """Yield *items* and show how far they have come."""
    with Progress(what, len(items)) as bar:
        for number, item in enumerate(items, 1):
            yield item
            bar.reached(number, len(items))


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return *rows* with their columns aligned, two spaces apart."""
    rows = [list(row) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
