"""The time a run is given, with a clock that only goes when told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ppocr_lite.engine.stopping import Budget, StopOnSignal, begin_reader


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: made.now)
    return made


def pass_turn(budget: Budget, clock: Clock, seconds: float, *, evaluates: bool = False) -> None:
    """Begin a turn, and let it last so long."""
    budget.spent(evaluates=evaluates)
    clock.now += seconds


def test_a_turn_begins_only_if_it_ends_in_time(clock: Clock) -> None:
    budget = Budget(1.0)
    for _ in range(5):
        assert not budget.spent(evaluates=False)
        clock.now += 10.1  # the sixth would end after 60.6 seconds
    assert budget.spent(evaluates=False)


def test_the_time_of_an_evaluation_is_kept_where_one_is_due(clock: Clock) -> None:
    budget = Budget(1.0)
    pass_turn(budget, clock, 30.0, evaluates=True)
    pass_turn(budget, clock, 1.0)
    assert not budget.spent(evaluates=False)
    assert budget.spent(evaluates=True)


def test_a_slow_beginning_is_forgotten(clock: Clock) -> None:
    budget = Budget(1.0)
    pass_turn(budget, clock, 40.0)
    assert budget.spent(evaluates=False)
    for _ in range(Budget.TURNS):
        pass_turn(budget, clock, 0.1)
    assert not budget.spent(evaluates=False)


def test_without_a_limit_nothing_is_too_late(clock: Clock) -> None:
    budget = Budget(None)
    pass_turn(budget, clock, 10.0**9)
    assert not budget.spent(evaluates=True)


def ends_within(process: int, seconds: float) -> bool:
    """Return whether a child ends in that time, and reap it."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        if os.waitpid(process, os.WNOHANG)[0]:
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def reader() -> Callable[[], int]:
    """Starts a reading process."""

    def start() -> int:
        ready, begun = os.pipe()
        process = os.fork()
        if process == 0:
            begin_reader()
            os.write(begun, b"x")
            while True:
                time.sleep(60)
        os.read(ready, 1)
        os.close(ready), os.close(begun)
        return process

    return start


def test_a_signal_to_a_reader_ends_it_when_the_loop_is_over(
    monkeypatch: pytest.MonkeyPatch, reader: Callable[[], int]
) -> None:
    monkeypatch.setattr(StopOnSignal, "READER_SECONDS", 0.1)
    with StopOnSignal():
        process = reader()
        os.kill(process, signal.SIGTERM)
        os.kill(process, signal.SIGINT)
        assert not ends_within(process, 0.5)
    assert ends_within(process, 5)


def test_a_reader_ends_at_once_by_the_signal_of_its_loader(reader: Callable[[], int]) -> None:
    with StopOnSignal():
        process = reader()
    os.kill(process, signal.SIGTERM)
    assert ends_within(process, 5)


READERS = """
import os, signal, time
from ppocr_lite.engine.stopping import StopOnSignal, begin_reader
with StopOnSignal():
    for _ in range(2):
        if os.fork() == 0:
            begin_reader()
            os.write(1, b"%d\\n" % os.getpid())
            time.sleep(60)
    time.sleep(60)
"""


def test_a_process_that_is_killed_takes_its_readers_with_it(root: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", READERS], stdout=subprocess.PIPE, text=True, cwd=root) as trainer:
        assert trainer.stdout is not None
        readers = [int(trainer.stdout.readline()) for _ in range(2)]
        trainer.kill()
    deadline = time.perf_counter() + 10
    while any(Path(f"/proc/{reader}").exists() and _state(reader) != "Z" for reader in readers):
        assert time.perf_counter() < deadline
        time.sleep(0.02)


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"
