from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ppocr_lite.predict.engines.pool import Pool


def test_threads_that_come_and_go_share_what_was_made() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    pool = Pool(make, limit=2)

    def use() -> None:
        with pool.lend() as item:
            assert item in made

    for _ in range(20):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert len(made) == 1


def test_never_more_than_the_limit_and_never_lent_twice_at_once() -> None:
    made: list[list[int]] = []

    def make() -> list[int]:
        made.append([0])
        return made[-1]

    pool = Pool(make, limit=3)
    most: list[int] = []

    def use(_: int) -> None:
        with pool.lend() as users:
            users[0] += 1
            most.append(users[0])
            time.sleep(0.002)
            users[0] -= 1

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(use, range(60)))
    assert 1 <= len(made) <= 3
    assert set(most) == {1}


def test_it_comes_back_after_an_error() -> None:
    pool = Pool(object, limit=1)
    with pytest.raises(KeyError), pool.lend() as first:
        raise KeyError
    with pool.lend() as second:
        assert second is first


def test_a_place_is_free_again_if_making_fails() -> None:
    answers = iter([OSError("no"), "made"])

    def make() -> object:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    pool = Pool(make, limit=1)
    with pytest.raises(OSError, match="no"), pool.lend():
        pass
    with pool.lend() as item:
        assert item == "made"
