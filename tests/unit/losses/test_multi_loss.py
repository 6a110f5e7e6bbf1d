"""The losses of a guided recogniser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import CTCLoss, DBLoss, MultiLoss, NRTRLoss
from tests.engine import array, tensor

BOTH = [{"CTCLoss": None}, {"NRTRLoss": {"smoothing": False}}]
LABELS = np.array([[2, 4, 5, 3, 0], [2, 6, 3, 0, 0]], np.int32)


def batch() -> dict[str, Any]:
    label = tensor(np.array([[1, 2, 0], [3, 0, 0]], np.int32))
    return {"label_ctc": label, "label": label, "label_gtc": tensor(LABELS), "length": tensor(np.array([2, 1]))}


def outputs() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "logits": tensor(rng.normal(size=(2, 6, 4)).astype(np.float32)),
        "gtc": tensor(rng.normal(size=(2, 4, 8)).astype(np.float32)),
    }


def value(terms: dict[str, Any], name: str = "loss") -> float:
    return float(array(terms[name]))


def test_the_guide_is_judged_on_characters_and_ends(engine: str) -> None:
    logits = array(outputs()["gtc"])
    logs = logits - np.log(np.exp(logits).sum(2, keepdims=True))
    truth = [(0, 0, 4), (0, 1, 5), (0, 2, 3), (1, 0, 6), (1, 1, 3)]
    expected = -np.mean([logs[place] for place in truth])
    assert value(NRTRLoss(smoothing=False)(outputs(), batch())) == pytest.approx(expected, rel=1e-5)
    spread = [0.9 * logs[p] + 0.1 * (logs[p[:2]].sum() - logs[p]) / 7 for p in truth]
    assert value(NRTRLoss()(outputs(), batch())) == pytest.approx(-np.mean(spread), rel=1e-5)


def test_both_losses_are_weighted_and_added(engine: str) -> None:
    terms = MultiLoss(BOTH, weight_1=2.0, weight_2=0.5)(outputs(), batch())
    ctc, guide = value(CTCLoss()(outputs(), batch())), value(NRTRLoss(smoothing=False)(outputs(), batch()))
    assert value(terms) == pytest.approx(2 * ctc + 0.5 * guide, rel=1e-5)
    assert value(terms, "CTCLoss") == pytest.approx(2 * ctc, rel=1e-5)
    assert value(terms, "ctc_infeasible") == 0


def test_a_head_without_a_guide_is_told(engine: str) -> None:
    with pytest.raises(ConfigError, match="needs a MultiHead with an NRTRHead"):
        NRTRLoss()({"logits": outputs()["logits"]}, batch())


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([{"CTCLoss": None}, {"SARLoss": None}], r"loss_config_list\[1\] must be one of \['NRTRLoss'\]"),
        ([{"NRTRLoss": None}], "must have a CTCLoss"),
        ([{"CTCLoss": None}, {"CTCLoss": None}], r"\[1\] must be one of"),
        ([{"CTCLoss": {"focal": True}}], r"\[0\].CTCLoss.focal is not an argument"),
        ([{"CTCLoss": None, "NRTRLoss": None}], r"\[0\] must be '- Class"),
    ],
)
def test_what_does_not_fit_is_refused(entries: list[Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MultiLoss(entries)


def page() -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(1)
    maps = rng.uniform(0.1, 0.9, (1, 3, 8, 8)).astype(np.float32)
    shrink = (rng.random((1, 8, 8)) < 0.4).astype(np.float32)
    ones = np.ones((1, 8, 8), np.float32)
    truth = {"shrink_map": shrink, "shrink_mask": ones, "threshold_map": 0.5 * ones, "threshold_mask": ones}
    return {"maps": tensor(maps)}, {name: tensor(array) for name, array in truth.items()}


def test_auxiliary_maps_count_with_their_weight(engine: str) -> None:
    found, truth = page()
    alone = value(DBLoss()(found, truth))
    terms = DBLoss(aux_weight_p2=0.4, aux_weight_p4=0.2)(
        found | {"aux_maps_p2": found["maps"], "aux_maps_p4": found["maps"]}, truth
    )
    assert value(terms) == pytest.approx(1.6 * alone, rel=1e-5)
    assert value(terms, "loss_aux_p4") == pytest.approx(0.2 * alone, rel=1e-5)
    with pytest.raises(ConfigError, match="aux_weight_p3 needs a DBHead with aux_in_channels"):
        DBLoss(aux_weight_p3=0.1)(found, truth)


def test_dice_and_focal_loss_are_added(engine: str) -> None:
    found, truth = page()
    options = {"alpha": 1.0, "beta": 0.0, "balance_loss": False}
    both = value(DBLoss(main_loss_type="DiceFocalLoss", **options)(found, truth), "loss_shrink_maps")
    parts = [
        value(DBLoss(main_loss_type=kind, **options)(found, truth), "loss_shrink_maps")
        for kind in ("DiceLoss", "FocalLoss")
    ]
    assert both == pytest.approx(sum(parts), rel=1e-4)


def test_a_focal_weight_outside_its_range_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"focal_alpha in \(0, 1\)"):
        DBLoss(focal_alpha=1.5)
