"""Things that only one thread may use at a time, shared by any number of threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


def cpu_count() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Pool(Generic[T]):
    """Lends what it has made, the last that came back first, and makes more only while all of it is lent.

    A thread that ends leaves nothing behind; threads beyond *limit* wait, which costs no time where all processors are
    busy anyway.

    Args:
        make: Makes one more; it is called by one thread at a time.
        limit: How many to have at most; None for one a processor.
    """

    def __init__(self, make: Callable[[], T], limit: int | None = None) -> None:
        self._make = make
        self._idle: list[T] = []
        self._making = threading.Lock()
        self._left = threading.BoundedSemaphore(limit or cpu_count())

    @contextmanager
    def lend(self) -> Iterator[T]:
        """Have one of them for the ``with`` block."""
        with self._left:
            try:
                item = self._idle.pop()
            except IndexError:
                with self._making:
                    item = self._make()
            try:
                yield item
            finally:
                self._idle.append(item)
