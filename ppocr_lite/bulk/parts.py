"""How rows of each format are written, joined, and looked through for what is done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.bulk.document import Format
from ppocr_lite.bulk.rows import beginning, schema
from ppocr_lite.errors import DataError
from ppocr_lite.install import optional

arrow, compute = optional("pyarrow"), optional("pyarrow.compute")
ipc, parquet = optional("pyarrow.ipc"), optional("pyarrow.parquet")
_DIGITS = 32  # of an id that say which document it is of


# What is known of each row: its document, its page (0 for a document that could not be opened), how many rows the
# document has in all, and whether it has an error.
ROWS = np.dtype([("document", "S16"), ("page", np.int32), ("pages", np.int32), ("failed", np.bool_)])


class Handler(Protocol):
    """What a format must do."""

    def write(self, path: Path, rows: Sequence[bytes]) -> None:
        """Write rows as a file."""

    def join(self, path: Path, parts: Sequence[Path]) -> None:
        """Write the rows of several files as one, a few at a time."""

    def keep_good(self, path: Path, source: Path) -> None:
        """Write the rows of *source* that have no error as a file, a few at a time."""

    def done(self, path: Path) -> NDArray[np.void]:
        """Return which rows a file has, an array (N,) of :data:`ROWS`.

        Raises:
            DataError: If it is damaged.
        """


class Parquet:
    """Rows are record batches of Arrow, as :func:`~ppocr_lite.bulk.rows.make_row` makes them."""

    def write(self, path: Path, rows: Sequence[bytes]) -> None:
        """See :class:`Handler`."""
        batches = [ipc.read_record_batch(arrow.py_buffer(row), schema()) for row in rows]
        parquet.write_table(arrow.Table.from_batches(batches).combine_chunks(), path, compression="zstd")

    def join(self, path: Path, parts: Sequence[Path]) -> None:
        """See :class:`Handler`."""
        with parquet.ParquetWriter(path, schema(), compression="zstd") as target:
            for part in parts:
                with parquet.ParquetFile(part) as source:
                    for group in range(source.num_row_groups):
                        target.write_table(source.read_row_group(group))

    def keep_good(self, path: Path, source: Path) -> None:
        """See :class:`Handler`."""
        with parquet.ParquetWriter(path, schema(), compression="zstd") as target, parquet.ParquetFile(source) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                target.write_table(table.filter(compute.is_null(table["error"])))

    def done(self, path: Path) -> NDArray[np.void]:
        """See :class:`Handler`."""
        try:
            with parquet.ParquetFile(path) as source:
                return np.fromiter(self._rows(source), ROWS)
        except (OSError, ValueError, KeyError) as error:  # the exceptions of Arrow are of these kinds
            raise _damaged(path, error) from error

    @staticmethod
    def _rows(source: Any) -> Iterator[tuple[bytes, int, int, bool]]:
        for batch in source.iter_batches(columns=["id", "pages", "error"]):
            for name, pages, error in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield bytes.fromhex(name[:_DIGITS]), int(name[_DIGITS + 1 :]), pages, error is not None


class JSONLines:
    """Rows are lines."""

    def write(self, path: Path, rows: Sequence[bytes]) -> None:
        """See :class:`Handler`."""
        with path.open("wb") as draft:
            draft.writelines(rows)

    def join(self, path: Path, parts: Sequence[Path]) -> None:
        """See :class:`Handler`."""
        with path.open("wb") as draft:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, draft)

    def keep_good(self, path: Path, source: Path) -> None:
        """See :class:`Handler`."""
        with source.open("rb") as file, path.open("wb") as draft:
            draft.writelines(line for line in file if not beginning(line)[3])

    def done(self, path: Path) -> NDArray[np.void]:
        """See :class:`Handler`."""
        try:
            with path.open("rb") as source:
                return np.fromiter((beginning(line) for line in source), ROWS)
        except DataError as error:
            raise _damaged(path, error) from error


HANDLERS: dict[Format, Handler] = {"parquet": Parquet(), "jsonl": JSONLines()}


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} is damaged: {error}. Remove it; the pages that were in it are then read again.")
