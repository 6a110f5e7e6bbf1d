"""The time a run is given, with a clock that only goes when told to."""

from __future__ import annotations

import time

import pytest

from ppocr_lite.engine.stopping import Budget


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: made.now)
    return made


def test_a_turn_begins_only_if_it_ends_in_time(clock: Clock) -> None:
    budget = Budget(1.0)
    budget.note(10.0, evaluated=False)
    clock.now += 49.9
    assert not budget.spent(evaluates=False)
    clock.now += 0.2
    assert budget.spent(evaluates=False)


def test_the_time_of_an_evaluation_is_kept_where_one_is_due(clock: Clock) -> None:
    budget = Budget(1.0)
    budget.note(1.0, evaluated=False)
    budget.note(30.0, evaluated=True)
    clock.now += 35
    assert not budget.spent(evaluates=False)
    assert budget.spent(evaluates=True)


def test_a_slow_beginning_is_forgotten(clock: Clock) -> None:
    budget = Budget(1.0)
    for seconds in (40.0, *[0.1] * Budget.TURNS):
        budget.note(seconds, evaluated=False)
    clock.now += 59
    assert not budget.spent(evaluates=False)


def test_without_a_limit_nothing_is_too_late(clock: Clock) -> None:
    budget = Budget(None)
    clock.now += 10**9
    assert not budget.spent(evaluates=True)
