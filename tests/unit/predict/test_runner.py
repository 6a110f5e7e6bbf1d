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


@dataclass
class Two:
    """A network that returns two arrays."""

    parallel: bool = True

    def run_all(self, array: np.ndarray) -> list[np.ndarray]:
        return [array[:, :1], array[:, 1:]]


def test_several_outputs_have_their_names_and_the_first_is_the_one_of_run() -> None:
    runner, image = (
        EngineRunner("some", lambda count: Two(), outputs=("heat", "size")),
        np.ones((1, 3, 2, 2), np.float32),
    )
    assert {name: value.shape for name, value in runner.run_all(image).items()} == {
        "heat": (1, 1, 2, 2),
        "size": (1, 2, 2, 2),
    }
    assert runner.run(image).shape == (1, 1, 2, 2)


def test_a_function_may_name_what_it_returns() -> None:
    named = FunctionRunner(lambda image: {"heat": image[:, :1], "size": image})
    assert list(named.run_all(NOTHING)) == ["heat", "size"]
    assert named.run(NOTHING).shape == (1, 1, 1, 1)
    assert list(FunctionRunner(lambda image: image).run_all(NOTHING)) == ["output"]
