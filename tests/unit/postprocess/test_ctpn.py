from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.postprocess import CTPNPostProcess
from ppocr_lite.transforms.ctpn_targets import MakeCTPNTargets


def box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.float32([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def predicted(*texts: np.ndarray, score: float = 0.9) -> np.ndarray:
    """What a network predicts for texts on a page of 160 × 256 pixels that has learnt its targets."""
    sample = {
        "image": np.zeros((160, 256, 3), np.uint8),
        "polys": list(texts),
        "ignore_tags": np.zeros(len(texts), bool),
        "rng": np.random.default_rng(0),
    }
    truth = MakeCTPNTargets(samples=100_000, positive_fraction=1.0)(sample)
    text = np.where(truth["anchor_labels"] == 1, np.float32(score), np.float32(0.01))
    return np.concatenate([text, *truth["anchor_vertical"], truth["anchor_sides"]])[None]


def rounded(found: Any) -> list[list[list[int]]]:
    return sorted(np.round(polygon).astype(int).tolist() for polygon in found.polygons)


def test_lines_are_read_back_with_their_ends() -> None:
    texts = box(20, 30, 111, 52), box(150, 30, 240, 52), box(37, 90, 203, 118)
    found = CTPNPostProcess(max_distance=20)(predicted(*texts))
    assert rounded(found) == sorted(text.astype(int).tolist() for text in texts)
    assert found.scores == pytest.approx([0.9] * 3)


def test_lines_end_with_their_columns_without_refinement() -> None:
    found = CTPNPostProcess(side_refinement=False)(predicted(box(20, 30, 113, 52)))
    assert rounded(found) == [box(16, 30, 112, 52).astype(int).tolist()]


def test_text_of_one_column_is_a_line_unless_that_is_too_short() -> None:
    page = predicted(box(82, 30, 94, 52))
    assert len(CTPNPostProcess()(page).polygons) == 1
    assert CTPNPostProcess(min_boxes=2)(page).polygons == []


@pytest.mark.parametrize(("distance", "count"), [(20, 2), (50, 1)])
def test_a_gap_is_closed_up_to_a_distance(distance: float, count: int) -> None:
    page = predicted(box(16, 30, 96, 52), box(118, 30, 240, 52))
    assert len(CTPNPostProcess(max_distance=distance)(page).polygons) == count


def test_lines_of_another_height_are_not_joined() -> None:
    page = predicted(box(16, 30, 112, 52), box(114, 30, 240, 70))
    assert len(CTPNPostProcess()(page).polygons) == 2


def test_a_line_that_is_not_sure_enough_is_dropped() -> None:
    page = predicted(box(16, 30, 112, 52), score=0.75)
    assert len(CTPNPostProcess()(page).polygons) == 1
    assert CTPNPostProcess(box_thresh=0.8)(page).polygons == []


def test_an_empty_page_has_no_lines() -> None:
    found = CTPNPostProcess()(np.zeros((1, 40, 4, 6), np.float32))
    assert (found.polygons, found.scores) == ([], [])


def test_extreme_heights_stay_in_the_image() -> None:
    anchors = np.zeros((1, 40, 4, 6), np.float32)
    anchors[0, 5, 1, 2], anchors[0, 25, 1, 2] = 1.0, 1e9
    (quad,) = CTPNPostProcess()(anchors).polygons
    assert np.isfinite(quad).all()
    assert (quad[:, 1].min(), quad[:, 1].max()) == (0, 64)


def test_the_surest_are_looked_at_where_all_is_text(caplog: pytest.LogCaptureFixture) -> None:
    anchors = np.zeros((1, 40, 8, 8), np.float32)
    anchors[0, :10] = np.linspace(0.8, 1, 640).reshape(10, 8, 8)
    boxes, scores, _ = CTPNPostProcess(max_proposals=50).proposals(anchors)
    assert (len(boxes), len(scores)) == (50, 50)
    assert scores.min() == pytest.approx(np.sort(anchors[0, :10].ravel())[-50])
    assert "640 anchors are text" in caplog.text


def test_other_anchors_are_refused() -> None:
    assert CTPNPostProcess(heights=[11.0, 20.0]).output_shape((64, 96)) == (1, 8, 4, 6)
    with pytest.raises(ValueError, match="Expected"):
        CTPNPostProcess()(np.zeros((1, 8, 4, 6), np.float32))


@pytest.mark.parametrize("options", [{"thresh": 1.1}, {"max_distance": 0.0}, {"min_boxes": 0}, {"heights": []}])
def test_arguments_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        CTPNPostProcess(**options)
