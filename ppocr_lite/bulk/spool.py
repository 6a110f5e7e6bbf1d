"""Documents that were found and wait to be read: on the disk, so that there may be any number of them."""

from __future__ import annotations

import pickle
import tempfile
import threading
from collections import deque
from collections.abc import Iterator

from ppocr_lite.bulk.document import Document

_LENGTH = 4  # bytes that say how long an entry is


class Spool:
    """Finds documents in a thread of its own, as fast as it can, and gives them out one by one.

    So how many there are is known long before they are read.

    Args:
        documents: Finds them.

    Attributes:
        total: How many have been found.
        complete: Whether that is all.
    """

    def __init__(self, documents: Iterator[Document]) -> None:
        self.total, self.complete = 0, False
        self._taken = self._read_at = self._written_at = 0
        self._error: Exception | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._file = tempfile.TemporaryFile(prefix="ppocr-lite-")  # noqa: SIM115 - as long as the object
        self._thread = threading.Thread(target=self._fill, args=(documents,), name="ppocr-find", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the last one has been taken."""
        return self.complete and self._taken == self.total and self._error is None

    def take(self) -> Document | None:
        """Return the next one; None if there is none, or none yet.

        Raises:
            Exception: What finding them failed with.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._taken == self.total:
                return None
            self._file.seek(self._read_at)
            length = int.from_bytes(self._file.read(_LENGTH), "big")
            document = Document(*pickle.loads(self._file.read(length)))
            self._read_at += _LENGTH + length
            self._taken += 1
            return document

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._thread.join()
        self._file.close()

    def _fill(self, documents: Iterator[Document]) -> None:
        try:
            for document in documents:
                if self._closed:
                    return
                data = pickle.dumps(tuple(document))
                with self._lock:
                    self._file.seek(self._written_at)
                    self._file.write(len(data).to_bytes(_LENGTH, "big") + data)
                    self._written_at += _LENGTH + len(data)
                    self.total += 1
        except Exception as error:  # noqa: BLE001 - whoever takes is told
            self._error = error
        self.complete = True


class Handful:
    """A few documents, given out one by one."""

    def __init__(self, documents: Iterator[Document]) -> None:
        self._left = deque(documents)

    @property
    def ended(self) -> bool:
        """Whether the last one has been taken."""
        return not self._left

    def take(self) -> Document | None:
        """Return the next one, None if there is none."""
        return self._left.popleft() if self._left else None
