"""What verbs say, and to whom: results to standard output, progress and complaints to standard error."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar, TypeVar

from tqdm import tqdm

from ppocr_lite.errors import ConfigError, OCRError
from ppocr_lite.install import missing

T = TypeVar("T")
DONE, FAILED, USAGE = 0, 1, 2
INTERRUPTED = 130  # as shells have it: 128 and the number of SIGINT


def say(text: str) -> None:
    """Write one line to standard output; what its encoding lacks, as escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Write one line to standard error, below a progress bar if there is one."""
    tqdm.write(text, file=sys.stderr)


def report_errors(main: Callable[[], int | None]) -> int:
    """Run a command and return its exit status; what goes wrong is said in a line or two on standard error.

    It is what *main* returns, None for 0. 2 for a wrong config or wrong usage; 1 for every other deliberate error, for
    a file that cannot be read or written, and for a package that is not installed; 130 for Ctrl-C. A mistake of the
    program itself is raised as it is.
    """
    try:
        return main() or DONE
    except SystemExit as leaving:  # argparse has said why
        return int(leaving.code or DONE)
    except ConfigError as error:
        return _status(error, USAGE)
    except OCRError as error:
        return _status(error, FAILED)
    except ModuleNotFoundError as error:
        if (error.name or "ppocr_lite").startswith("ppocr_lite"):
            raise
        return _status(missing(error), FAILED)
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return DONE
    except OSError as error:
        return _status(error, FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return INTERRUPTED


def _status(error: Exception, status: int) -> int:
    sys.stderr.write(f"{type(error).__name__}: {error}\n")
    return status


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add ``--quiet``, which :func:`ppocr_lite.cli.main` hands to :class:`Progress`."""
    parser.add_argument("--quiet", action="store_true", help="show no progress; what fails is still named")


class Progress:
    """Shows how far a piece of work has come: a bar on a terminal, a plain line every few seconds elsewhere.

    Args:
        what: Name of one kind of item, in the plural.
        total: Number of items.

    Attributes:
        shown: Whether anything is shown at all.
    """

    EVERY = 5.0  # seconds between two lines
    shown: ClassVar[bool] = True

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self._told = time.monotonic()
        self._bar = tqdm(total=total, unit=f" {what}", disable=not (self.shown and sys.stderr.isatty()))

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def reached(self, done: int, total: int) -> None:
        """Note that *done* of *total* items are done."""
        if self.shown and self._bar.disable and time.monotonic() >= self._told + self.EVERY:
            sys.stderr.write(f"{done}/{total} {self.what}\n")
            self._told = time.monotonic()
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
