"""What becomes of an input that cannot be read, when the others are to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ppocr_lite.errors import ConfigError, OCRError
from ppocr_lite.io.images import Image
from ppocr_lite.predict.page import FoundPage, PageReader, Steps
from ppocr_lite.results import Detections, OCRResult

# What to do about an input that cannot be read: raise its error, or go on, and perhaps call somebody with its name and
# the error.
OnError = Literal["raise", "skip"] | Callable[[str | None, Exception], object]


@dataclass(eq=False)
class FailedPage(FoundPage):
    """A page that could not be read, in its place among the others."""

    error: Exception | None = None


def find_page(reader: PageReader, name: str, image: Image | OCRError, steps: Steps) -> FoundPage:
    """Find the lines of a page, as :meth:`PageReader.find` does; of one that could not be read keep the place."""
    if isinstance(image, OCRError):
        return FailedPage(name, (0, 0), Detections([], []), [], [], error=image)
    return reader.find(image, name, steps)


def finish_page(reader: PageReader, page: FoundPage, on_error: OnError) -> OCRResult:
    """Return the result of a page, as :meth:`PageReader.finish` does, or of one that could not be read.

    Raises:
        OCRError: If it could not be read, and *on_error* is ``"raise"``.
    """
    if isinstance(page, FailedPage) and page.error is not None:
        if on_error == "raise":
            raise page.error
        return failed_result(page.source, page.error, on_error)
    return reader.finish(page)


def failed_result(name: str | None, error: Exception, on_error: OnError) -> OCRResult:
    """Return the empty result of an input that could not be read, and tell whoever is to be told."""
    if callable(on_error):
        on_error(name, error)
    return OCRResult(source=name, error=str(error))


def check_on_error(on_error: OnError) -> bool:
    """Return whether reading goes on after an input that cannot be read.

    Raises:
        ConfigError: If *on_error* is something else.
    """
    if on_error not in ("raise", "skip") and not callable(on_error):
        raise ConfigError(f"on_error must be 'raise', 'skip' or a function of name and error. Received: {on_error!r}")
    return on_error != "raise"
