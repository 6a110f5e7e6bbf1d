"""Boxes with masks → polygons."""

from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import mask_in_box
from ppocr_lite.postprocess import MaskRCNNPostProcess


def regions(*rows: tuple[list[float], float, np.ndarray]) -> np.ndarray:
    return np.stack([np.concatenate([rect, [score], mask.ravel()]) for rect, score, mask in rows])[None].astype("f4")


FULL = np.ones((28, 28), np.float32)
SLANTED = np.array([[20, 40], [90, 20], [95, 35], [25, 55]], np.float32)
BENT = np.array([[10, 10], [50, 4], [90, 10], [90, 30], [50, 24], [10, 30]], np.float32)


def box_of(polygon: np.ndarray) -> list[float]:
    return [*polygon.min(axis=0).tolist(), *polygon.max(axis=0).tolist()]


def test_a_full_mask_is_its_box() -> None:
    found = MaskRCNNPostProcess()(regions(([10, 20, 60, 40], 0.9, FULL)))
    (polygon,) = found.polygons
    np.testing.assert_allclose(polygon, [[10, 20], [60, 20], [60, 40], [10, 40]], atol=1.01)
    assert found.scores == pytest.approx([0.9])


def test_slanted_text_becomes_a_slanted_quad() -> None:
    box = box_of(SLANTED)
    mask = mask_in_box(SLANTED, np.array(box, np.float32), 28)
    (polygon,) = MaskRCNNPostProcess()(regions((box, 0.9, mask))).polygons
    np.testing.assert_allclose(polygon, SLANTED, atol=4)  # a cell is 2.7 pixels wide


def test_bent_text_becomes_an_outline() -> None:
    box = box_of(BENT)
    mask = mask_in_box(BENT, np.array(box, np.float32), 28)
    (polygon,) = MaskRCNNPostProcess(box_type="poly")(regions((box, 0.9, mask))).polygons
    assert len(polygon) > 4
    np.testing.assert_allclose(polygon.min(axis=0), BENT.min(axis=0), atol=2)
    middle = polygon[np.abs(polygon[:, 0] - 50) < 20]
    assert middle[:, 1].min() < 8
    assert middle[:, 1].max() < 28  # the lower side is bent, too


def test_what_is_unsure_empty_or_tiny_is_dropped() -> None:
    rows = regions(
        ([10, 20, 60, 40], 0.4, FULL),
        ([10, 20, 60, 40], 0.9, np.zeros_like(FULL)),
        ([10, 20, 12, 22], 0.9, FULL),
        ([10, 20, 60, 40], np.nan, FULL),
        ([0, 0, 0, 0], 0.0, FULL),
    )
    for box_type in ("quad", "poly"):
        assert MaskRCNNPostProcess(box_type=box_type, score_thresh=0.5)(rows).polygons == []  # type: ignore[arg-type]


def test_of_several_parts_the_largest_counts() -> None:
    mask = np.zeros((28, 28), np.float32)
    mask[2:6, 2:6] = mask[10:26, 4:24] = 1
    (polygon,) = MaskRCNNPostProcess()(regions(([0, 0, 56, 56], 0.9, mask))).polygons
    np.testing.assert_allclose(polygon[0], [8, 20], atol=1.5)


@pytest.mark.parametrize("shape", [(2, 3, 789), (3, 5), (1, 3, 11), (789,)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="one image"):
        MaskRCNNPostProcess()(np.zeros(shape, np.float32))


def test_a_threshold_is_a_probability() -> None:
    with pytest.raises(ConfigError, match="probabilities"):
        MaskRCNNPostProcess(mask_thresh=1.5)
