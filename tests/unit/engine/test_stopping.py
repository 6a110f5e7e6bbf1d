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
