"""Documents shared out among the machines of a Ray cluster, by Ray Data.

Each actor keeps a process with one ``OCR``, as on one machine: what kills it costs the page it held, not the actor.
Sources must be where every machine finds them by the same path or URL; the output is written where this runs.
"""

from __future__ import annotations

import logging
import pickle
import signal
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

from ppocr_lite.bulk.document import Document, Options, Row, Supply
from ppocr_lite.bulk.processes import Processes
from ppocr_lite.bulk.spool import Handful
from ppocr_lite.errors import OCRError
from ppocr_lite.install import need, optional

arrow, ray, ray_data, ray_errors = (optional(name) for name in ("pyarrow", "ray", "ray.data", "ray.exceptions"))
ROUND = 100_000  # documents that Ray is given at once; their places, not what they hold
BLOCK = 16  # documents that an actor is given at once
_LOOK = 0.1  # seconds between two looks for more documents
MOST_ROUNDS = 3  # in which a document is tried


class Actor:
    """Reads blocks of documents; Ray makes one for each place that it has.

    Args:
        options: How to read.
        seconds: Time that one page may take.
    """

    def __init__(self, options: Options, seconds: float) -> None:
        self._processes = Processes(options, 1, seconds, split=False)

    def __call__(self, block: Any) -> Iterator[Any]:
        """Yield the rows of a block of documents, each as a table of one."""
        documents = (Document(*pickle.loads(data)) for data in block["document"].to_pylist())
        for row in self._processes.read(Handful(documents)):
            if row is not None:
                yield arrow.table({"row": [pickle.dumps(tuple(row))]})

    def __del__(self) -> None:
        self._processes.close()


def read_on_cluster(
    options: Options, workers: int | None, seconds: float, supply: Supply
) -> Generator[Row | None, None, None]:
    """Yield the rows of all documents, as they come.

    Args:
        options: How to read.
        workers: How many actors; None for as many as the cluster has processors.
        seconds: Time that one page may take.
        supply: Where documents come from.

    Raises:
        OCRError: If Ray gives up.
    """
    need("ray.data", "pyarrow")
    waiting: dict[str, _Waiting] = {}
    yield from _gather(supply, waiting)
    if not waiting:
        return
    mine = not ray.is_initialized()
    if mine:  # the cluster that RAY_ADDRESS names or that runs here, else one of this machine alone
        with _own_signals():
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        logging.getLogger("ray.data").setLevel(logging.ERROR)  # else it tells of each round
    ray_data.DataContext.get_current().enable_progress_bars = False
    count = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    try:
        while waiting:
            yield from _round(options, count, seconds, waiting)
            yield from _gather(supply, waiting)
    except ray_errors.RayError as error:
        raise OCRError(f"Ray gave up: {error}. Run the same command again to go on.") from error
    finally:
        if mine:
            ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what was to happen at SIGTERM, for which Ray installs a handler of its own that ends the process."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if before is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


def _gather(supply: Supply, waiting: dict[str, _Waiting]) -> Iterator[None]:
    """Take documents until there are enough for a round, or no more."""
    while not supply.ended and len(waiting) < ROUND:
        document = supply.take()
        if document is not None:
            waiting[document.id] = _Waiting(document)
        else:
            time.sleep(_LOOK)
            yield None


class _Waiting:
    """A document that is with Ray, and the pages of it that have come back."""

    def __init__(self, document: Document) -> None:
        self.document, self.pages, self.rounds = document, document.pages, 0
        self.got = set(document.seen)

    @property
    def is_over(self) -> bool:
        return 0 < self.pages <= len(self.got)


def _round(
    options: Options, count: int, seconds: float, waiting: dict[str, _Waiting]
) -> Generator[Row | None, None, None]:
    """Read what waits; what has not come back whole waits on."""
    for one in waiting.values():
        one.rounds += 1
        if one.rounds > MOST_ROUNDS:
            raise OCRError(
                f"{one.document.name}: Ray lost it {MOST_ROUNDS} times. Run the same command again to go on."
            )
    plain = [pickle.dumps(tuple(one.document._replace(seen=frozenset(one.got)))) for one in waiting.values()]
    blocks = [arrow.table({"document": plain[start : start + BLOCK]}) for start in range(0, len(plain), BLOCK)]
    read = ray_data.from_arrow(blocks).map_batches(
        Actor,
        fn_constructor_args=(options, seconds),
        batch_size=BLOCK,
        batch_format="pyarrow",
        compute=ray_data.ActorPoolStrategy(size=min(count, len(blocks))),
        num_cpus=options.threads,
    )
    with closing(_tables(read)) as tables:
        for table in tables:
            for data in table["row"].to_pylist():
                row = Row(*pickle.loads(data))
                found = waiting.get(row.document[0])
                if found is None or row.page in found.got:  # of a block that Ray did twice
                    continue
                found.got.add(row.page)
                found.pages = row.pages
                if found.is_over:
                    del waiting[row.document[0]]
                yield row
            yield None


def _tables(read: Any) -> Generator[Any, None, None]:
    yield from read.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
