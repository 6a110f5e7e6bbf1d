"""What each group of channels is worth, and the ratios that follow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.slim.groups import Group, Slice, Weights
from ppocr_lite.slim.sensitivity import Sensitivities, analyse, widths_for_loss

GROUPS = [
    Group("Backbone", "expanded", 0, 4, (Slice("gate"),), (), share=4),
    Group("Backbone", "expanded", 0, 16, (Slice("first"),), ()),
    Group("Backbone", "last_channels", None, 32, (Slice("last"),), ()),
]
WEIGHTS = {"gate": np.ones((4, 1)), "first": np.ones((16, 1)), "last": np.ones((32, 1))}
FOUND = Sensitivities("hmean", 0.8, {"a": {"0.25": 0.796, "0.5": 0.78, "0.75": 0.4}, "b": {"0.5": 0.81}})


@pytest.mark.parametrize(
    "key, max_loss, expected",
    [
        ("a", 0.025, 0.5),  # 0.78 of 0.8 is a loss of 0.025
        ("a", 0.015, 0.375),  # half-way between 0.005 at 0.25 and 0.025 at 0.5
        ("a", 0.0025, 0.125),  # half-way between nothing and 0.005
        ("a", 0.9, 0.75),  # nothing is assumed beyond the last
        ("b", 0.0, 0.5),  # it even gained
        ("not analysed", 0.5, 0.0),
    ],
)
def test_ratios_follow_from_losses(key: str, max_loss: float, expected: float) -> None:
    assert FOUND.ratio(key, max_loss) == pytest.approx(expected)


def test_a_network_that_knows_nothing_has_nothing_to_lose() -> None:
    with pytest.raises(ConfigError, match="hmean 0.0: train it"):
        Sensitivities("hmean", 0.0, {"a": {"0.5": 0.0}}).ratio("a", 0.1)


def test_each_group_is_pruned_alone() -> None:
    seen = []

    def score(architecture: Mapping[str, Any], weights: Weights) -> dict[str, float]:
        seen.append(tuple(len(weights[name]) for name in ("gate", "first", "last")))
        assert architecture["Backbone"].get("last_channels", 32) == len(weights["last"])
        return {"made up": sum(len(value) for value in weights.values()) / 100, "another": 7.0}

    found = analyse({"Backbone": {}}, WEIGHTS, GROUPS, score, [0.5, 0.7], divisor=8)
    assert seen == [(4, 16, 32), (2, 8, 32), (4, 16, 16), (4, 16, 8)]  # 0.7 of 16 leaves 8 as well
    assert (found.metric, found.baseline) == ("made up", pytest.approx(0.52))
    assert found.groups == {
        "Backbone.expanded[0]": {"0.5": pytest.approx(0.42)},
        "Backbone.last_channels": {"0.5": pytest.approx(0.36), "0.75": pytest.approx(0.28)},
    }


def test_widths_follow_from_losses() -> None:
    found = Sensitivities("hmean", 1.0, {"Backbone.expanded[0]": {"0.5": 0.9}, "Backbone.last_channels": {"0.5": 0.99}})
    assert widths_for_loss(GROUPS, found, 0.02) == {"Backbone.expanded[0]": 16, "Backbone.last_channels": 16}


def test_an_analysis_survives_its_file(tmp_path: Path) -> None:
    FOUND.save(tmp_path / "new" / "found.json")
    assert Sensitivities.load(tmp_path / "new" / "found.json") == FOUND


@pytest.mark.parametrize("text", ["", "[1]", '{"metric": "hmean"}', '{"other": 1}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "found.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="found.json is not an analysis"):
        Sensitivities.load(path)
