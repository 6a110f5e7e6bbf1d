from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.postprocess import ClsPostProcess


def test_the_most_probable_angle_wins() -> None:
    found = ClsPostProcess(["0", "180"])(np.float32([[0.9, 0.1], [0.25, 0.75]]))
    assert [(r.angle, r.score) for r in found] == [(0, pytest.approx(0.9)), (180, 0.75)]


def test_the_order_of_the_labels_counts() -> None:
    assert ClsPostProcess(["180", "0"])(np.float32([[0.9, 0.1]]))[0].angle == 180


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(N, 2\)"):
        ClsPostProcess()(np.zeros((1, 3), np.float32))


def test_labels_that_are_no_angles_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"label_list must name angles in whole degrees. Received: \['up', 'down'\]"):
        ClsPostProcess(["up", "down"])
