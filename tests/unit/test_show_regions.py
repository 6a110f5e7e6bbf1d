"""What show-data draws of a two-stage detector."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ppocr_lite.commands.show_regions import anchor_settings, draw_regions
from ppocr_lite.engine.build import load_config
from ppocr_lite.geometry import RegionTruth

CONFIGS = Path(__file__).parents[2] / "configs" / "det"


def test_a_page_is_drawn_three_times() -> None:
    settings = anchor_settings(load_config(CONFIGS / "det_mv3_mask_rcnn.yml"))
    assert settings is not None
    page = np.full((96, 128, 3), 255, np.uint8)
    outline = np.array([[10, 20], [60, 20], [60, 40], [10, 40]], np.float32)
    truth = RegionTruth(
        np.array([[10, 20, 60, 40]], np.float32), (outline,), np.array([[70, 60, 100, 80]], np.float32), (96, 128)
    )
    drawn = draw_regions(page, truth, settings)
    boxes, anchors, masks = (drawn[-96:, start : start + 128] for start in (0, 128, 256))
    assert boxes[20, 30].argmax() == 1  # green
    assert len(set(boxes[60, 80].tolist())) == 1  # gray
    assert boxes[60, 80, 0] < 250
    _, green, red = np.moveaxis(anchors.astype(int), -1, 0)
    assert (green > red + 50).any()
    assert (red > green + 50).any()
    assert masks[30, 30].tolist() != [255, 255, 255]
    assert masks[70, 85].tolist() == [255, 255, 255]


def test_other_detectors_have_no_anchors_to_draw() -> None:
    assert anchor_settings(load_config(CONFIGS / "det_r18vd_db.yml")) is None
