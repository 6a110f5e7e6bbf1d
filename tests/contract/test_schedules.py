"""What every learning-rate schedule promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ppocr_lite.optim import SCHEDULES

TOTAL, PER_EPOCH, PEAK = 120, 12, 0.02
REQUIRED: dict[str, dict[str, Any]] = {"Piecewise": {"decay_epochs": [4, 6], "values": [PEAK, PEAK / 10, PEAK / 100]}}
FALLING = [name for name in SCHEDULES if name != "OneCycle"]


def build(name: str, **arguments: Any) -> Callable[[int], float]:
    node = {"name": name} | REQUIRED.get(name, {"learning_rate": PEAK}) | arguments
    return SCHEDULES.build(node, total_steps=TOTAL, steps_per_epoch=PER_EPOCH)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_warm_up_starts_at_zero_and_is_a_line(name: str) -> None:
    schedule = build(name, warmup_epoch=2)
    end = schedule(24)
    assert [schedule(step) for step in (0, 6, 12, 18)] == pytest.approx([0.0, end / 4, end / 2, 3 * end / 4])


@pytest.mark.parametrize("name", FALLING)
def test_peak_stands_at_the_end_of_the_warm_up_and_nothing_rises_after(name: str) -> None:
    schedule = build(name, warmup_epoch=2)
    values = [schedule(step) for step in range(24, TOTAL + 1)]
    assert values[0] == pytest.approx(PEAK)
    assert all(later <= earlier + 1e-15 for earlier, later in zip(values, values[1:], strict=False))


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_values_stay_between_zero_and_the_peak(name: str) -> None:
    schedule = build(name, warmup_steps=5)
    assert all(0 <= schedule(step) <= PEAK + 1e-15 for step in range(TOTAL + 10))


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_peak_is_reached(name: str) -> None:
    schedule = build(name, warmup_steps=5)
    assert max(schedule(step) for step in range(TOTAL)) == pytest.approx(PEAK, rel=0.01)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_beyond_the_end_the_last_value_stays(name: str) -> None:
    schedule = build(name)
    assert schedule(TOTAL + 500) == schedule(TOTAL)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_equal_steps_give_equal_rates_in_any_order(name: str) -> None:
    steps = range(0, TOTAL, 7)
    first, second = build(name, warmup_epoch=1), build(name, warmup_epoch=1)
    forward = [first(step) for step in steps]
    assert [second(step) for step in reversed(steps)] == forward[::-1]
