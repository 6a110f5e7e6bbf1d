"""A campaign that fails: its second try raises a foreign exception, its fourth crashes; the runner must see both."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path


def prepare(folder: Path, seed: int) -> Callable[[int], str]:
    """Return the tries."""
    del folder, seed

    def attempt(number: int) -> str:
        if number == 1:
            raise ZeroDivisionError
        if number == 3:
            os.kill(os.getpid(), signal.SIGSEGV)
        return "used"

    return attempt
