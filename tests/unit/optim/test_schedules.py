from __future__ import annotations

import math
import subprocess
import sys

import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.optim import SCHEDULES, Const, Cosine, Linear, OneCycle, Piecewise


def test_cosine_with_warm_up_of_two_epochs() -> None:
    node = {"name": "Cosine", "learning_rate": 0.001, "warmup_epoch": 2}
    schedule = SCHEDULES.build(node, total_steps=2000, steps_per_epoch=100)
    assert schedule(0) == 0.0
    assert schedule(100) == pytest.approx(0.0005)
    assert schedule(200) == pytest.approx(0.001)
    assert schedule(1100) == pytest.approx(0.0005)
    assert schedule(2000) == pytest.approx(0.0)


def test_cosine_follows_its_formula() -> None:
    schedule = Cosine(total_steps=50, steps_per_epoch=5, learning_rate=0.2, end_lr=0.02)
    assert schedule(13) == pytest.approx(0.02 + 0.18 * (1 + math.cos(math.pi * 13 / 50)) / 2)


def test_piecewise_changes_at_the_start_of_an_epoch() -> None:
    schedule = Piecewise([7, 8], [0.1, 0.01, 0.001], total_steps=100, steps_per_epoch=10)
    assert [schedule(step) for step in (0, 69, 70, 79, 80, 99)] == [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]


def test_piecewise_keeps_the_last_value_where_there_are_as_many_as_epochs() -> None:
    schedule = Piecewise([700, 800], [1e-4, 1e-5], total_steps=9000, steps_per_epoch=10, warmup_epoch=5)
    assert [schedule(step) for step in (50, 6999, 7000, 8999)] == [1e-4, 1e-4, 1e-5, 1e-5]


def test_linear_is_a_line_and_its_power_bends_it() -> None:
    assert Linear(total_steps=10, steps_per_epoch=1, learning_rate=1.0, end_lr=0.5)(4) == pytest.approx(0.8)
    assert Linear(total_steps=10, steps_per_epoch=1, learning_rate=1.0, power=2.0)(5) == pytest.approx(0.25)


def test_one_cycle_rises_then_falls() -> None:
    schedule = OneCycle(total_steps=100, steps_per_epoch=10, learning_rate=0.25, pct_start=0.4)
    assert [schedule(step) for step in (0, 40, 100)] == pytest.approx([0.01, 0.25, 1e-6])


def test_warm_up_may_be_given_in_steps() -> None:
    assert Const(total_steps=10, steps_per_epoch=5, learning_rate=1.0, warmup_steps=4)(1) == pytest.approx(0.25)


def test_run_shorter_than_its_warm_up_only_rises() -> None:
    schedule = Cosine(total_steps=10, steps_per_epoch=10, learning_rate=1.0, warmup_epoch=5)
    assert schedule(9) == pytest.approx(9 / 50)


def test_last_update_still_learns() -> None:
    assert Cosine(total_steps=100, steps_per_epoch=10, learning_rate=1.0)(99) > 0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Cosine(10, 1, learning_rate=0.0), "learning rate must be above 0"),
        (lambda: Cosine(0, 1), "at least one step"),
        (lambda: Cosine(10, 1, warmup_epoch=1, warmup_steps=1), "warmup_epoch or warmup_steps"),
        (lambda: Piecewise([1, 2], [0.1], 10, 1), "one value more"),
        (lambda: Piecewise([2, 1], [0.1, 0.1, 0.1], 10, 1), "must rise"),
        (lambda: Piecewise([], [-1.0], 10, 1), "must not be below 0"),
        (lambda: Linear(10, 1, power=0.0), "power must be above 0"),
        (lambda: OneCycle(10, 1, pct_start=1.0), "0 < pct_start < 1"),
    ],
)
def test_senseless_value_is_refused(build: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build()


def test_steps_are_not_below_zero() -> None:
    with pytest.raises(ValueError, match="counted from 0"):
        Const(10, 1)(-1)


def test_no_framework_is_imported() -> None:
    code = "import ppocr_lite.optim, sys; sys.exit('paddle' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
