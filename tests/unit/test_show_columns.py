"""What show-data draws of CTPN."""

from __future__ import annotations

import numpy as np

from ppocr_lite.commands.show_data import draw_sample
from ppocr_lite.transforms.ctpn_targets import MakeCTPNTargets


def test_anchors_are_drawn_by_label_and_text_where_they_say_it_is() -> None:
    page = np.full((96, 160, 3), 255, np.uint8)
    quad = np.float32([[32, 30], [112, 30], [112, 50], [32, 50]])
    sample = {"image": page, "polys": [quad], "ignore_tags": np.array([False]), "rng": np.random.default_rng(0)}
    ((number, name, drawn),) = draw_sample(sample, (MakeCTPNTargets(samples=40),))
    assert (number, name) == (0, "MakeCTPNTargets")
    anchors, said = (drawn[-96:, start : start + 160].astype(int) for start in (0, 160))
    green, red = ((anchors[..., c] > anchors[..., 3 - c] + 50).any(axis=0) for c in (1, 2))
    assert green[32:112].any()
    assert not green[:30].any()
    assert red.any()
    rows, columns = np.nonzero(said[..., 1] > said[..., 2] + 100)
    assert (abs(rows.min() - 30) <= 1, abs(rows.max() - 50) <= 1) == (True, True)
    assert columns.min() >= 31 and columns.max() <= 113
