"""What ends a run before its last update: a signal, or the time it was given."""

from __future__ import annotations

import os
import signal
import time
import types
from collections import deque
from typing import Any


class Budget:
    """Says when one more turn of the loop would end too late, judged by the slowest of the last turns.

    A turn lasts from one batch to the next: the update, what follows it, and the wait for the next batch.

    Args:
        minutes: Counted from here; None for any number.
    """

    TURNS = 100

    def __init__(self, minutes: float | None) -> None:
        self._end = None if minutes is None else time.monotonic() + minutes * 60
        self._turns: deque[float] = deque([0.0], maxlen=self.TURNS)
        self._evaluation = 0.0
        self._begun: tuple[float, bool] | None = None

    def spent(self, *, evaluates: bool) -> bool:
        """Say whether the turn that begins now would end too late; to be asked once a turn.

        Args:
            evaluates: Whether this turn evaluates; such turns are measured apart.
        """
        now = time.monotonic()
        if self._begun is not None:
            began, evaluated = self._begun
            if evaluated:
                self._evaluation = now - began
            else:
                self._turns.append(now - began)
        self._begun = now, evaluates
        needed = max(*self._turns, self._evaluation if evaluates else 0.0)
        return self._end is not None and now + needed >= self._end


class StopOnSignal:
    """Turns SIGTERM and SIGINT into a flag while the loop runs; a second SIGINT interrupts at once.

    Reading processes inherit this and keep it by :func:`keep_handler`.  They outlive a signal to the whole group long
    enough for the loop to stop.
    """

    WORKER_SECONDS = 10

    def __init__(self) -> None:
        self.received = False
        self._process = os.getpid()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopOnSignal:
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._note)
        except ValueError:  # not in the main thread: there signals are someone else's
            self._before.clear()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: types.FrameType | None) -> None:
        if os.getpid() != self._process:
            if number == signal.SIGTERM:
                signal.alarm(self.WORKER_SECONDS)
            return
        if self.received and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = True


def keep_handler() -> None:
    """Put the inherited handler of SIGTERM back, in a reading process whose loader has installed one of its own."""
    inherited = signal.getsignal(signal.SIGTERM)  # what Python knows of; the loaders' are written in C
    if callable(inherited):
        signal.signal(signal.SIGTERM, inherited)
