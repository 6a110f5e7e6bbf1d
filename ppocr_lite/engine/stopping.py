"""What ends a run before its last update: a signal, or the time it was given; and what ends its reading processes."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
import time
import types
from collections import deque
from typing import Any

_PR_SET_PDEATHSIG = 1


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

    Reading processes inherit this, and keep it by :func:`begin_reader`. A signal to the whole group does not end them
    while the loop runs, for it may be in an evaluation that lasts, and then goes on to save; when it is over, it does.
    """

    READER_SECONDS = 10.0  # after which a reading process that was told to end looks again whether the loop runs

    def __init__(self) -> None:
        self.received, self.number = False, 0
        self._process = os.getpid()
        self._before: dict[int, Any] = {}
        self._running = mmap.mmap(-1, 1)  # shared with the processes that are forked from this one

    def __enter__(self) -> StopOnSignal:
        self._running[0] = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._note)
        except ValueError:  # not in the main thread: there signals are someone else's
            self._before.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._running[0] = 0
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: types.FrameType | None) -> None:
        if os.getpid() != self._process:
            self._note_in_reader(number)
            return
        if self.received and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received, self.number = True, number

    def _note_in_reader(self, number: int) -> None:
        if number == signal.SIGINT:
            return
        if self._running[0]:
            signal.setitimer(signal.ITIMER_REAL, self.READER_SECONDS)
        else:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)


def begin_reader() -> None:
    """Make a reading process end with the process that trains, and not before it; to be called where it begins.

    Its loader has installed a handler of SIGTERM, in C, in the place of the inherited one.
    """
    end_with_parent()
    inherited = signal.getsignal(signal.SIGTERM)  # what Python knows of
    if callable(inherited):
        signal.signal(signal.SIGTERM, inherited)
        if isinstance(getattr(inherited, "__self__", None), StopOnSignal):
            signal.signal(signal.SIGALRM, inherited)


def end_with_parent() -> None:
    """Let the system end this process when the one that forked it ends, even by ``kill -9``; only Linux can.

    Source:
        prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has ended before it could be said
            os.kill(os.getpid(), signal.SIGKILL)
