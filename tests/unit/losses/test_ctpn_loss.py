from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import CTPNLoss
from ppocr_lite.transforms.ctpn_targets import MakeCTPNTargets
from tests.engine import array, tensor

PLACES = (10, 4, 6)


def truth(*texts: list[list[float]]) -> dict[str, np.ndarray]:
    sample = {
        "image": np.zeros((64, 96, 3), np.uint8),
        "polys": [np.float32(text) for text in texts],
        "ignore_tags": np.zeros(len(texts), bool),
        "rng": np.random.default_rng(0),
    }
    made = MakeCTPNTargets()(sample)
    return {name: made[name][None] for name in MakeCTPNTargets.provides}


TEXT = [[5.0, 20.0], [90.0, 20.0], [90.0, 38.0], [5.0, 38.0]]


def outputs(seed: int, places: tuple[int, int, int] = PLACES) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    count, rows, columns = places
    sizes = {"scores": 2 * count, "vertical": 2 * count, "sides": count}
    return {name: rng.normal(size=(1, size, rows, columns)).astype(np.float32) for name, size in sizes.items()}


def losses(found: dict[str, np.ndarray], batch: dict[str, np.ndarray], **options: Any) -> dict[str, float]:
    terms = CTPNLoss(**options)(
        {name: tensor(value) for name, value in found.items()}, {name: tensor(value) for name, value in batch.items()}
    )
    return {name: array(value).item() for name, value in terms.items()}


def test_terms_are_what_numpy_computes_anchor_by_anchor(engine: str) -> None:
    found, batch = outputs(0), truth(TEXT)
    labels = batch["anchor_labels"][0]
    sums: dict[str, list[float]] = {"scores": [], "vertical": [], "sides": []}

    def smooth(value: float) -> float:
        return value**2 / 2 if abs(value) < 1 else abs(value) - 0.5

    for place in zip(*np.nonzero(labels >= 0), strict=True):
        anchor, row, column = place
        background, text = (found["scores"][0, anchor + 10 * i, row, column] for i in (0, 1))
        chosen = text if labels[place] == 1 else background
        sums["scores"].append(float(np.log(np.exp(background) + np.exp(text)) - chosen))
        if labels[place] == 1:
            gaps = [
                found["vertical"][0, anchor + 10 * i, row, column] - batch["anchor_vertical"][(0, i, *place)]
                for i in (0, 1)
            ]
            sums["vertical"].append(sum(smooth(float(gap)) for gap in gaps))
        if batch["anchor_side_mask"][(0, *place)]:
            gap = found["sides"][(0, *place)] - batch["anchor_sides"][(0, *place)]
            sums["sides"].append(smooth(float(gap)))
    terms = losses(found, batch, vertical_weight=3.0, side_weight=0.5)
    assert terms["loss_scores"] == pytest.approx(np.mean(sums["scores"]), rel=1e-4)
    assert terms["loss_vertical"] == pytest.approx(3 * np.mean(sums["vertical"]), rel=1e-4)
    assert terms["loss_sides"] == pytest.approx(0.5 * np.mean(sums["sides"]), rel=1e-4)
    assert terms["loss"] == pytest.approx(sum(terms.values()) - terms["loss"], rel=1e-5)


def test_a_page_without_text_costs_scores_alone(engine: str) -> None:
    terms = losses(outputs(0), truth())
    assert np.isfinite(terms["loss"])
    assert (terms["loss_vertical"], terms["loss_sides"]) == (0, 0)
    assert terms["loss_scores"] > 0


def test_what_is_right_costs_nothing(engine: str) -> None:
    batch = truth(TEXT)
    text = 40.0 * (batch["anchor_labels"] == 1).astype(np.float32) - 20
    found = {
        "scores": np.concatenate([-text, text], axis=1),
        "vertical": batch["anchor_vertical"].reshape(1, 20, 4, 6),
        "sides": batch["anchor_sides"],
    }
    assert losses(found, batch)["loss"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("places", "message"),
    [((10, 8, 12), "8 x 12 places, the targets 4 x 6"), ((9, 4, 6), "9 anchors at each place, the targets 10")],
)
def test_a_network_with_other_anchors_is_told_what_to_change(
    engine: str, places: tuple[int, int, int], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        losses(outputs(0, places), truth(TEXT))


def test_negative_weights_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 0"):
        CTPNLoss(side_weight=-1.0)
