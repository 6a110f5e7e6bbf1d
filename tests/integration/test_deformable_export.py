"""An exported detector with deformable convolutions: Paddle and ONNX Runtime run it, OpenVINO says why not."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ppocr_lite import OCR
from ppocr_lite.errors import ModelError
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.runner import load_runner

RESNET = "Architecture.Backbone={name: ResNet, layers: 18, dcn_stage: [false, true, true, true]}"
needs_onnx = pytest.mark.skipif(importlib.util.find_spec("paddle2onnx") is None, reason="needs paddle2onnx")


@pytest.fixture(scope="module")
def folder(export_small: Callable[..., Path]) -> Path:
    return export_small("det", RESNET, onnx=importlib.util.find_spec("paddle2onnx") is not None)


def test_the_folder_gives_polygons(folder: Path) -> None:
    ocr = OCR(det_model=str(folder), engine="paddle", det_box_type="poly", det_db_thresh=0.01, det_db_box_thresh=0.0)
    found = ocr.detect(np.full((96, 128, 3), 200, np.uint8))
    assert all(polygon.shape[1] == 2 for polygon in found.polygons)


@needs_onnx
def test_onnx_runtime_gives_what_paddle_gives(folder: Path) -> None:
    pytest.importorskip("onnxruntime")
    bundle = read_bundle(folder)
    image = np.random.default_rng(0).random((1, 3, 64, 96), np.float32)
    results = [load_runner(bundle, engine).run(image) for engine in ("paddle", "onnxruntime")]
    np.testing.assert_allclose(results[0], results[1], atol=1e-3)


@needs_onnx
def test_openvino_says_why_it_cannot(folder: Path) -> None:
    pytest.importorskip("openvino")
    with pytest.raises(ModelError, match="no deformable convolution; use engine='paddle' or 'onnxruntime'"):
        load_runner(read_bundle(folder), "openvino")
