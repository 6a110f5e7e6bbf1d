"""The part that tools/cut_backgrounds.py cuts out is free of text, and none is larger."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from tests.scripts import load_script


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_script("tools/cut_backgrounds.py")


def test_a_text_takes_every_cell_it_comes_near(tool: ModuleType) -> None:
    free = tool.free_cells((64, 96), [[[40, 20], [60, 20], [60, 30], [40, 30]]])
    taken = {(row, column) for row, column in zip(*np.nonzero(~free), strict=True)}
    assert taken == {(row, column) for row in (0, 1, 2) for column in (2, 3, 4)}  # 12 … 38 by 32 … 68 pixels


@pytest.mark.parametrize("seed", range(5))
def test_no_free_rectangle_is_larger(tool: ModuleType, seed: int) -> None:
    free = np.random.default_rng(seed).random((6, 7)) < 0.7
    top, left, bottom, right = tool.largest_rectangle(free)
    assert free[top:bottom, left:right].all()
    areas = [
        (b - t) * (r - x)
        for t in range(6) for b in range(t + 1, 7) for x in range(7) for r in range(x + 1, 8)
        if free[t:b, x:r].all()
    ]  # fmt: skip
    assert (bottom - top) * (right - left) == max(areas)


def test_there_may_be_none(tool: ModuleType) -> None:
    assert tool.largest_rectangle(np.zeros((3, 4), bool)) == (0, 0, 0, 0)
