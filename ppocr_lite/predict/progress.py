"""A bar that shows how many pages have been read, in a notebook as in a terminal."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from ppocr_lite.install import optional
from ppocr_lite.io.pages import SEVERAL_FRAMES

T = TypeVar("T")
bars = optional("tqdm.auto")  # which looks at where it is when it is imported


def show_progress(pages: Iterable[T], files: Sequence[Path], counts: Sequence[int]) -> Generator[T, None, None]:
    """Yield *pages* and show how far they have come.

    The bar knows its end for one file, or if each file has one page; otherwise it counts.

    Args:
        pages: What has been read.
        files: What they are read from.
        counts: How many pages each file has that has been opened so far; it may grow.

    Raises:
        OCRError: If tqdm is not installed.
    """
    bar = None
    try:
        for page in pages:
            if bar is None:  # by now a file has been opened
                bar = bars.tqdm(total=_total(files, counts), unit=" pages")
            bar.update()
            yield page
    finally:
        if bar is not None:
            bar.close()


def _total(files: Sequence[Path], counts: Sequence[int]) -> int | None:
    if len(files) == 1:
        return counts[0] if counts else 1  # one that cannot be opened is a page that cannot be read
    single = all(path.suffix.lower() not in (".pdf", *SEVERAL_FRAMES) for path in files)
    return len(files) if single else None
