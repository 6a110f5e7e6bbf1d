"""The large configs of detectors with anchors: one update, and an exported folder that reads a page."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppocr_lite.engine.build import build_trainer, load_config, prepare_folder
from ppocr_lite.engine.export import export_model
from ppocr_lite.predict.stages import load_detector
from tests.conftest import draw_page

CONFIGS = Path(__file__).parents[2] / "configs" / "det"
NAMES = ("det_r18_mask_rcnn", "det_r50_mask_rcnn", "ctpn_r18", "ctpn_vgg16")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("paddle2onnx") is None, reason="needs paddle2onnx"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_large_config_trains_and_its_exported_folder_reads(name: str, det_label_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    options = [f"{split}.dataset.data_dir={det_label_file.parent}" for split in ("Train", "Eval")]
    options += [f"{split}.dataset.label_file_list=[{det_label_file}]" for split in ("Train", "Eval")]
    options += [
        "Train.dataset.transforms[3].EastRandomCropData={size: [128, 128]}",
        "Optimizer.lr={name: Const, learning_rate: 0.001}",  # a warm-up begins at 0
        "Train.loader.batch_size_per_card=1",
        "Train.loader.num_workers=0",
        "Eval.dataset.transforms[2].DetResizeForTest.limit_side_len=160",
        f"Global.save_model_dir={tmp_path / 'run'}",
        "Global.max_steps=1",
        "Global.print_batch_step=1",
        "Global.eval_batch_step=0",
    ]
    config = load_config(CONFIGS / f"{name}.yml", options)
    trainer = build_trainer(config, prepare_folder(config, resuming=True))
    before = trainer.backend.weights()
    assert trainer.fit().step == 1
    after = trainer.backend.weights()
    losses = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert np.isfinite(losses[0]["loss"])
    moved = {key for key, value in after.items() if not np.array_equal(value, before[key])}
    assert any(key.startswith("backbone.") for key in moved)
    assert any(key.startswith("head.") for key in moved)

    folder = export_model(config, tmp_path / "run", tmp_path / "model", onnx=True)  # checks what it has written
    page = cv2.resize(draw_page((160, 192), lines=3, seed=2).image, (192, 160))
    found = load_detector(folder, engine="onnxruntime").detect(page)
    assert len(found.polygons) == len(found.scores)
    for polygon in found.polygons:
        assert polygon.min() >= 0
        assert (polygon <= [page.shape[1], page.shape[0]]).all()
