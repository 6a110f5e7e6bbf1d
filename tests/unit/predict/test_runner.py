"""Which network runs when several are wanted at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from ppocr_lite.predict.runner import EngineRunner, FunctionRunner


@dataclass
class Threads:
    """A network that returns the number of threads it was loaded for."""

    count: int
    parallel: bool = True

    def run_all(self, array: np.ndarray) -> list[np.ndarray]:
        return [np.full(1, self.count, np.float32)]


NOTHING = np.zeros((1, 3, 1, 1), np.float32)


def test_one_thread_is_loaded_when_it_is_first_asked_for_and_once() -> None:
    loaded: list[int] = []

    def load(count: int) -> Threads:
        loaded.append(count)
        return Threads(count)

    runner = EngineRunner("some", load, threads=4)
    assert loaded == [4]
    alone = runner.on_one_thread()
    assert runner.on_one_thread() is alone
    assert loaded == [4, 1]
    assert (runner.run(NOTHING)[0], alone.run(NOTHING)[0]) == (4, 1)
    assert alone.on_one_thread() is alone


@pytest.mark.parametrize(
    "device, threads, parallel",
    [("cpu", 1, True), ("gpu:0", 2, True), ("cpu", 2, False)],
    ids=["one thread", "gpu", "takes turns"],
)
def test_where_it_would_gain_nothing_the_network_stays(device: str, threads: int, parallel: bool) -> None:
    runner = EngineRunner("some", lambda count: Threads(count, parallel), device, threads)
    assert runner.on_one_thread() is runner
    assert runner.parallel is parallel


def test_a_function_stays_itself() -> None:
    runner = FunctionRunner(np.negative)
    assert runner.on_one_thread() is runner
