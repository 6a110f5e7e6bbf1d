"""What is in tar and Parquet files, found without reading the images: each is a document of its own."""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from ppocr_lite.bulk.document import Document, identity
from ppocr_lite.bulk.places import Entry, Place
from ppocr_lite.errors import DataError, OCRError
from ppocr_lite.install import optional
from ppocr_lite.io.pages import SUFFIXES

parquet, arrow = optional("pyarrow.parquet"), optional("pyarrow.types")
PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


def tar_documents(place: Place, entry: Entry) -> Iterator[Document]:
    """Yield the images and PDF files in a tar file, such as a shard of WebDataset; what else is in it is left out.

    A damaged one gives those before the damage, and then a document with the error.
    """
    whole = _whole(place, entry)
    members = 0
    try:
        with place.system.open(entry.path, "rb") as file:
            for member in _members(file):
                members += 1
                if member.isreg() and posixpath.splitext(member.name)[1].lower() in SUFFIXES:
                    where = f"{member.name}\0{member.offset_data}"
                    yield whole._replace(
                        id=identity(whole.source, entry.stamp, where),
                        member=member.name,
                        kind="tar",
                        start=member.offset_data,
                        size=member.size,
                        error="a sparse member of a tar file. Write it whole." if member.issparse() else None,
                    )
    except Exception as error:  # noqa: BLE001 - each file system has exceptions of its own
        yield whole._replace(
            id=identity(whole.source, entry.stamp, "\0damaged"),
            error=f"the tar file is damaged behind its first {members} members: {error}. Those are read.",
        )


def _members(file: BinaryIO) -> Iterator[tarfile.TarInfo]:
    """Yield the members of a tar file.

    Raises:
        tarfile.ReadError: If it ends, or goes on, as no tar file does.
    """
    with tarfile.open(fileobj=file, mode="r:") as tar:
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]  # or it holds all that there are
            yield member
        file.seek(tar.offset)
        end = file.read(tarfile.BLOCKSIZE)
    # tarfile itself takes a damaged header, and the end of the file, for the end of the members.
    if end.strip(b"\0"):
        raise tarfile.ReadError(f"there is no header at byte {tar.offset}")
    if len(end) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("it ends without the mark of its end; was it cut off?")


def parquet_documents(place: Place, entry: Entry, wanted: str | None) -> Iterator[Document]:
    """Yield the rows of a Parquet file with images; of one that has none, a document with the error.

    Args:
        place: Says the file system.
        entry: The file.
        wanted: The column with the images; None to find it.
    """
    whole = _whole(place, entry)
    try:
        with place.system.open(entry.path, "rb") as file:
            data = parquet.ParquetFile(file)
            column = image_column(data.schema_arrow, wanted)
            groups = [data.metadata.row_group(group).num_rows for group in range(data.metadata.num_row_groups)]
    except Exception as error:  # noqa: BLE001 - each file system has exceptions of its own
        if type(error) is OCRError:  # pyarrow is not installed
            raise
        yield whole._replace(error=f"not a Parquet file with images: {error}")
        return
    number = 0
    for group, rows in enumerate(groups):
        for row in range(rows):
            number += 1
            name = f"row {number}"
            where = identity(whole.source, entry.stamp, f"{column}\0{number}")
            yield whole._replace(id=where, member=name, kind="parquet", start=group, size=row, column=column)


def image_column(schema: Any, wanted: str | None) -> str:
    """Return the column of a Parquet file that holds encoded images: ``"name"``, or of a struct ``"name.bytes"``.

    Args:
        schema: Of Arrow.
        wanted: Its name; None for the only one that can be.

    Raises:
        DataError: If there is none, or more than one; lists the columns.
    """
    found = {field.name: inner for field in schema if (inner := _bytes_in(field)) is not None}
    listed = ", ".join(f"{field.name} ({field.type})" for field in schema)
    if wanted is not None:
        if wanted not in found:
            raise DataError(f"there is no column {wanted!r} of bytes. Its columns: {listed}.")
        return found[wanted]
    if len(found) != 1:
        many = f"{len(found)} columns may hold images; say which with --column" if found else "no column holds bytes"
        raise DataError(f"{many}. Its columns: {listed}.")
    return next(iter(found.values()))


def _bytes_in(field: Any) -> str | None:
    if arrow.is_binary(field.type) or arrow.is_large_binary(field.type):
        return str(field.name)
    if arrow.is_struct(field.type):  # as the library datasets writes images: bytes and path
        inside = {part.name: part.type for part in field.type}
        if "bytes" in inside and (arrow.is_binary(inside["bytes"]) or arrow.is_large_binary(inside["bytes"])):
            return f"{field.name}.bytes"
    return None


def _whole(place: Place, entry: Entry) -> Document:
    shown = place.shown(entry.path)
    return Document(identity(shown, entry.stamp), shown, None, place.base, entry.path)
