"""Which filters are redundant, and a network without them; NumPy only."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.slim.fpgm import distance_sums, prune_architecture, prune_weights, redundant, width_after
from ppocr_lite.slim.groups import Group, Slice


def test_sums_of_distances_by_hand() -> None:
    points = np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])  # on a line, 5 apart
    assert distance_sums(points).tolist() == [15.0, 10.0, 15.0]


def test_the_middle_goes_and_the_outlier_stays() -> None:
    # 0, 1, 2, 10: sums 13, 11, 11, 27
    assert redundant(np.array([[0.0], [1.0], [2.0], [10.0]]), 2).tolist() == [1, 2]


def test_a_small_norm_alone_is_no_reason_to_go() -> None:
    filters = np.array([[0.0, 0.1], [5.0, 5.0], [5.1, 5.0], [5.0, 5.1], [5.1, 5.1]])
    assert np.linalg.norm(filters, axis=1).argmin() == 0
    assert 0 not in redundant(filters, 3)


@pytest.mark.parametrize("seed", range(5))
def test_the_choice_is_that_of_a_slow_search(seed: int) -> None:
    filters = np.random.default_rng(seed).normal(size=(13, 7))
    sums = [sum(math.dist(first, second) for second in filters) for first in filters]
    nearest = sorted(range(13), key=lambda index: sums[index])[:5]
    assert redundant(filters, 5).tolist() == sorted(nearest)


@pytest.mark.parametrize(
    "width, ratio, divisor, expected",
    [
        (64, 0.5, 8, 32),
        (64, 0.3, 8, 48),
        (40, 0.9, 8, 8),
        (24, 0.0, 8, 24),
        (12, 0.0, 8, 12),
        (6, 0.9, 8, 6),
        (9, 0.5, 1, 4),
    ],
)
def test_widths_are_multiples_and_never_grow(width: int, ratio: float, divisor: int, expected: int) -> None:
    assert width_after(width, ratio, divisor) == expected


GROUPS = [
    Group("Head", "hidden_channels", 0, 4, (Slice("a"),), (Slice("bias"), Slice("reader", 1, 2))),
    Group("Head", "hidden_channels", 1, 3, (Slice("b"),), ()),
]
WEIGHTS = {
    "a": np.array([[0.0], [1.0], [2.0], [10.0]]),
    "bias": np.array([100, 101, 102, 103]),
    "reader": np.arange(14.0).reshape(2, 7),
    "b": np.array([[1.0], [2.0], [3.0]]),
    "other": np.zeros(5),
}


def test_a_channel_goes_wherever_it_runs_through() -> None:
    pruned = prune_weights(WEIGHTS, GROUPS, {"Head.hidden_channels[0]": 2})  # 1 and 2 go, see above
    assert pruned["a"].ravel().tolist() == [0, 10]
    assert pruned["bias"].tolist() == [100, 103]
    assert pruned["reader"].tolist() == [[0, 1, 2, 5, 6], [7, 8, 9, 12, 13]]  # its channels start at 2
    assert pruned["b"].tolist() == WEIGHTS["b"].tolist() and pruned["other"] is WEIGHTS["other"]


def test_the_widths_are_spelt_out_for_every_group() -> None:
    architecture = {"Head": {"name": "DBHead", "k": 50}}
    pruned = prune_architecture(architecture, GROUPS, {"Head.hidden_channels[0]": 2})
    assert pruned == {"Head": {"name": "DBHead", "k": 50, "hidden_channels": [2, 3]}}
    assert architecture == {"Head": {"name": "DBHead", "k": 50}}


def test_layers_that_make_a_sum_are_compared_as_one() -> None:
    # Each alone would lose channel 0 or 2; together the distances are 2 + 8, 2 + 6, 8 + 6: channel 1 goes.
    group = Group("Neck", "out_channels", None, 3, (Slice("x"), Slice("y")), ())
    weights = {"x": np.array([[0.0], [0.0], [0.0]]), "y": np.array([[0.0, 0], [0, 2], [0, 8]])}
    pruned = prune_weights(weights, [group], {"Neck.out_channels": 2})
    assert pruned["y"].tolist() == [[0, 0], [0, 8]] and pruned["x"].shape == (2, 1)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ConfigError, match=r"no group 'Head.hidden'.*hidden_channels"):
        prune_weights(WEIGHTS, GROUPS, {"Head.hidden": 2})
    with pytest.raises(ConfigError, match="has 3 channels. It cannot keep 4"):
        prune_architecture({"Head": {}}, GROUPS, {"Head.hidden_channels[1]": 4})
    with pytest.raises(ConfigError, match="cannot keep 0"):
        prune_weights(WEIGHTS, GROUPS, {"Head.hidden_channels[1]": 0})
