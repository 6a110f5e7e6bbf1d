"""Lines too narrow for their text."""

from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.data.steps import FittingLines, check_steps, required_steps
from ppocr_lite.errors import DataError


@pytest.mark.parametrize("text, steps", [([3], 1), ([3, 4, 5], 3), ([3, 3], 3), ([3, 3, 3, 4], 6)])
def test_equal_neighbours_need_a_blank_between_them(text: list[int], steps: int) -> None:
    padded = np.array([*text, 0, 0, 0], np.int32)
    assert required_steps(padded, len(text)) == steps


def test_a_text_may_need_all_steps_and_no_more() -> None:
    label = np.arange(1, 20, dtype=np.int32)
    check_steps(label, 16, 64, 4)
    with pytest.raises(DataError, match="the text of 17 characters needs 17 steps, but the network makes only 16"):
        check_steps(label, 17, 64, 4)


@pytest.mark.parametrize("length, fits", [(8, True), (9, False)])
def test_a_line_counts_as_wide_as_its_batch_is_at_least(length: int, fits: bool) -> None:
    sample = {"image": np.zeros((3, 32, 5), np.float32), "label": np.arange(1, 31), "length": length}
    chain = FittingLines(dict, 4)  # 5 pixels become 32 in a batch: 8 steps
    if fits:
        assert chain(sample) == sample
        return
    with pytest.raises(DataError):
        chain(sample)


def test_samples_without_a_text_pass() -> None:
    assert FittingLines(dict, 4)({"image": 0}) == {"image": 0}
