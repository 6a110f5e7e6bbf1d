"""A bulk run from its sources to its output."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ppocr_lite.bulk.cluster import read_on_cluster
from ppocr_lite.bulk.document import Done, Options, Row, Supply
from ppocr_lite.bulk.journal import PART_SECONDS, Journal
from ppocr_lite.bulk.processes import PAGE_SECONDS, Processes
from ppocr_lite.bulk.reading import Reader, taken
from ppocr_lite.bulk.settings import settings_of
from ppocr_lite.bulk.sources import Source, find_documents
from ppocr_lite.bulk.spool import Spool
from ppocr_lite.errors import ConfigError
from ppocr_lite.install import need
from ppocr_lite.predict.engines.pool import cpu_count

Backend = Literal["processes", "ray", "here"]
Rows = Generator[Row | None, None, None]


@dataclass
class Count:
    """How far a run has come.

    Attributes:
        pages: Rows that this run has added.
        failed: Those of them that have an error.
        before: Rows that were there before.
        failed_before: Those of them that have an error.
        documents: Documents that this run has read.
        total: Documents that it has to read, as far as they have been found.
        complete: Whether all have been found.
        seconds: Since it began.
        finished: Whether everything has been read.
    """

    pages: int = 0
    failed: int = 0
    before: int = 0
    failed_before: int = 0
    documents: float = 0.0
    total: int = 0
    complete: bool = False
    seconds: float = 0.0
    finished: bool = False


def read_many(
    sources: Sequence[str],
    output: str | Path,
    options: Options | None = None,
    *,
    recursive: bool = False,
    share: tuple[int, int] | None = None,
    retry: bool = False,
    backend: Backend = "processes",
    workers: int | None = None,
    page_seconds: float = PAGE_SECONDS,
    part_seconds: float = PART_SECONDS,
    tell: Callable[[Count, Row | None], None] = lambda count, row: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Count:
    """Read all pages of all sources into a table of a row a page; go on where an earlier run stopped.

    Args:
        sources: Images, PDF, tar and Parquet files, folders and patterns, as paths or as URLs of fsspec.
        output: A local folder; or a file, ending in the format's suffix.
        options: How pages are read.
        recursive: Look into the folders below those given, too.
        share: ``(number, of)``, counted from 1: of the documents only those of this share, for machines that each take
            one; which document is in which follows from its name alone.
        retry: Read pages again whose rows have an error.
        backend: ``"processes"`` of this machine, ``"ray"``, the machines of a Ray cluster, or ``"here"``, this process.
        workers: How many processes; None for one a processor.
        page_seconds: Time that one page may take in a process.
        part_seconds: After so many seconds rows are written to the disk.
        tell: Told of each row, and now and then without one.
        stopped: Asked whether to stop; then what has been read is written, and the run is not finished.

    Returns:
        How far it has come.

    Raises:
        ConfigError: If an option has a wrong value, or the output is another run's, in use, or not ours.
        ImageError: If there is nothing to read in a folder, or nothing of a pattern.
        ModelError: If a network is missing, or does not fit.
        OCRError: If a package is not installed, or processes are lost again and again.
        OSError: If the output cannot be written.
    """
    options = options or Options()
    if "://" in str(output):
        raise ConfigError(f"--output {output}: a URL. Give a local path; the parts can be copied from there.")
    output = Path(output)
    if workers is not None and workers < 1:
        raise ConfigError(f"workers must be at least 1. Received: {workers}")
    if share is not None and not 1 <= share[0] <= share[1]:
        raise ConfigError(f"a share must be like 3/100. Received: {share[0]}/{share[1]}")
    packages = {"pyarrow.parquet": options.format == "parquet", "ray.data": backend == "ray"}
    need("fsspec", *(name for name, needed in packages.items() if needed))
    given = [Source.of(one, recursive) for one in dict.fromkeys(sources)]
    started = time.monotonic()
    with closing(Journal(output, options.format, settings_of(options), part_seconds, retry=retry)) as journal:
        count = Count(before=journal.rows, failed_before=journal.failed)
        found = journal.left(find_documents(given, journal.written, options.column, share))
        with closing(Spool(found)) as spool:
            rows = _rows(backend, options, workers, page_seconds, spool)
            with closing(rows):
                for row in rows:
                    if row is not None:
                        journal.add(row)
                        count.pages += 1
                        count.failed += row.error is not None
                        count.documents += 1 / row.pages
                    journal.tick()
                    count.total, count.complete = spool.total, spool.complete
                    count.seconds = time.monotonic() - started
                    tell(count, row)
                    if stopped():
                        journal.flush()
                        return count
        journal.finish()
        count.total, count.complete = spool.total, True
    count.seconds, count.finished = time.monotonic() - started, True
    return count


def _rows(backend: Backend, options: Options, workers: int | None, page_seconds: float, supply: Supply) -> Rows:
    if backend == "ray":
        return read_on_cluster(options, workers, page_seconds, supply)
    if backend == "here":
        return _read_here(options, supply)
    return _read_by_processes(Processes(options, workers or cpu_count(), page_seconds), supply)


def _read_by_processes(processes: Processes, supply: Supply) -> Rows:
    with closing(processes):
        yield from processes.read(supply)


def _read_here(options: Options, supply: Supply) -> Rows:
    with closing(Reader(options).read(taken(supply))) as rows:
        for row in rows:
            yield None if isinstance(row, Done) else row
