"""All exceptions raised on purpose by ppocr_lite.

OCRError
├── ConfigError      a YAML file or an override is wrong
├── RegistryError    a component is declared or named wrongly
├── DataError        a label line or a data set is wrong
├── ImageError       an input image is unreadable
│   └── PasswordError  a PDF is encrypted, and the password is missing or wrong
├── CheckpointError  a checkpoint does not fit the model or the config
├── DivergenceError  training has left the finite numbers
└── ModelError       an exported model folder is incomplete, foreign or too new

Each message says where, what is wrong, what was received and what to do.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable

_QUOTE = reprlib.Repr()
_QUOTE.maxlevel, _QUOTE.maxlist, _QUOTE.maxtuple, _QUOTE.maxdict = 4, 12, 12, 12
_QUOTE.maxstring, _QUOTE.maxother, _QUOTE.maxlong = 200, 200, 100
LONGEST = 5_000  # characters of a message; what it quotes may be a whole file


class OCRError(Exception):
    """Base of every deliberate error. A message is never long: of one that would be, the middle is left out."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*(_shortened(a) if isinstance(a, str) else a for a in arguments))


class ConfigError(OCRError, ValueError):
    """A YAML file or a command-line override is wrong."""


class RegistryError(OCRError):
    """A component is declared or named wrongly."""


class DataError(OCRError, ValueError):
    """A label line, a label file or a data set is wrong."""


class ImageError(OCRError, ValueError):
    """An input image is unreadable or not an image.

    Attributes:
        page: Of a file of several pages the one that is damaged, counted from 1; None if it is the whole file.
    """

    page: int | None = None


class PasswordError(ImageError):
    """A PDF is encrypted, and its password is missing or wrong."""


class CheckpointError(OCRError):
    """A checkpoint does not fit the model or the run."""


class DivergenceError(OCRError, FloatingPointError):
    """A loss or a weight is no longer finite."""


class ModelError(OCRError):
    """An exported model folder is incomplete, foreign or too new."""


def shown(value: object) -> str:
    """Return *value* as a message quotes it: its first items, levels and characters."""
    return _QUOTE.repr(value)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 4 :]}"


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the tail of an error message: the nearest known name, then all of them."""
    known = sorted(known)
    lowered = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    hint = f" Did you mean {lowered[near[0]]!r}?" if near else ""
    return f"{hint} Known: {', '.join(known) or '(none)'}."
