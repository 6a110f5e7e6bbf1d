"""A detector learns from another: from an ONNX file that runs beside it, and from maps that were stored."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite import nn
from ppocr_lite.engine.trainer import Trainer
from ppocr_lite.io import images
from ppocr_lite.predict.stages import load_detector
from tests.integration.conftest import FAMILIES
from tests.scripts import load_script

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime")

STUDENT: dict[str, Any] = {"model_type": "det", "algorithm": "DB"} | FAMILIES["det"]["architecture"]
DILATED = {"DistillationDilaDBLoss": {"weight": 1.0, "model_name_pairs": [["Student", "Teacher"]]}}
TRUE_LABELS = {"DistillationDBLoss": {"weight": 1.0, "model_name_list": ["Student"]}}


def as_override(path: str, value: Any) -> str:
    return f"{path}={json.dumps(value)}"


def write_detector(path: Path) -> Path:
    """Write a graph of two convolutions, a normalisation and a sigmoid: (N, 3, H, W) → (N, 1, H, W)."""
    rng = np.random.default_rng(0)
    arrays = {
        "w1": rng.normal(0, 0.3, (4, 3, 3, 3)),
        "w2": rng.normal(0, 0.5, (1, 4, 3, 3)),
        "b2": np.zeros(1),
        **{name: rng.uniform(0.5, 1.5, 4) for name in ("scale", "bias", "mean", "variance")},
    }
    node = onnx.helper.make_node
    nodes = [
        node("Conv", ["x", "w1"], ["a"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        node("BatchNormalization", ["a", "scale", "bias", "mean", "variance"], ["b"]),
        node("Relu", ["b"], ["c"]),
        node("Conv", ["c", "w2", "b2"], ["d"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        node("Sigmoid", ["d"], ["y"]),
    ]
    image, answer = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", channels, "h", "w"])
        for name, channels in (("x", 3), ("y", 1))
    )
    weights = [onnx.numpy_helper.from_array(value.astype(np.float32), name) for name, value in arrays.items()]
    graph = onnx.helper.make_graph(nodes, "detector", [image], [answer], weights)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.fixture
def trainer(make_trainer: Callable[..., Trainer], det_label_file: Path, tmp_path: Path, engine: str) -> Trainer:
    """A student beside a frozen ONNX file."""
    network = {"name": "OnnxNetwork", "path": str(write_detector(tmp_path / "teacher.onnx"))}
    teacher = {"model_type": "det", "algorithm": "DB", "freeze_params": True, "Network": network}
    models = {"Teacher": teacher, "Student": STUDENT | {"freeze_params": False}}
    architecture = {"name": "DistillationModel", "model_type": "det", "algorithm": "Distillation", "Models": models}
    return make_trainer(
        "det",
        det_label_file,
        as_override("Architecture", architecture),
        as_override("Loss", {"name": "CombinedLoss", "loss_config_list": [DILATED, TRUE_LABELS]}),
        as_override("PostProcess", {"name": "DistillationDBPostProcess", "model_name": ["Student"], "key": "maps"}),
        as_override("Metric", {"name": "DistillationMetric", "base_metric_name": "DetMetric", "key": "Student"}),
        f"Global.engine={engine}",
        "Global.max_steps=2",
    )


def test_an_onnx_file_teaches_and_stays_as_it_is(trainer: Trainer, tmp_path: Path) -> None:
    before = {name: np.array(value) for name, value in trainer.backend.weights().items()}
    trainer.fit()
    after = trainer.backend.weights()
    changed = {name for name, value in before.items() if not np.array_equal(value, after[name])}
    assert changed
    assert all(name.startswith("Student.") for name in changed)
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    terms = [row["dila_dbloss_Student_Teacher"] for row in rows if row["event"] == "log"]
    assert len(terms) == 2
    assert all(0 < term < 10 for term in terms)


def test_the_teacher_answers_as_its_file(trainer: Trainer, tmp_path: Path) -> None:
    image = np.random.default_rng(0).normal(0, 1, (1, 3, 64, 96)).astype(np.float32)
    (expected,) = onnxruntime.InferenceSession(tmp_path / "teacher.onnx").run(None, {"x": image})
    trainer.fit()
    network: Any = trainer.backend.network  # type: ignore[attr-defined]
    with nn.no_grad():
        found = network.Teacher(nn.to_tensor(image))["maps"].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_stored_maps_teach(
    make_trainer: Callable[..., Trainer],
    det_label_file: Path,
    tmp_path: Path,
    engine: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tool, maps = load_script("tools/make_teacher_maps.py"), tmp_path / "maps"
    (det_label_file.parent / "broken.png").write_bytes(b"no image")
    with_broken = det_label_file.with_name("more.txt")
    with_broken.write_text(det_label_file.read_text(encoding="utf-8") + "broken.png\t[]\n", encoding="utf-8")
    command = [
        "x",
        str(with_broken),
        "--output",
        str(maps),
        "--det-model",
        str(write_detector(tmp_path / "teacher.onnx")),
    ]
    monkeypatch.setattr(sys, "argv", command)
    assert tool.main() == 1  # the broken one
    assert sorted(path.name for path in maps.iterdir()) == [f"page_{index}.png.png" for index in range(4)]
    sample = load_detector(tmp_path / "teacher.onnx").preprocess(
        {"image": images.read(with_broken.parent / "page_0.png")}
    )
    (seen,) = onnxruntime.InferenceSession(tmp_path / "teacher.onnx").run(None, {"x": sample["image"][None]})
    np.testing.assert_allclose(images.read(maps / "page_0.png.png")[:, :, 0], 255 * seen[0, 0], atol=0.51)
    stamp = (maps / "page_0.png.png").stat().st_mtime_ns
    tool.main()
    assert (maps / "page_0.png.png").stat().st_mtime_ns == stamp

    steps = [dict(step) for step in FAMILIES["det"]["train"]]
    steps.insert(1, {"LoadTeacherMap": {"map_dir": str(maps), "data_dir": str(det_label_file.parent)}})
    steps[-1] = {"KeepKeys": {"keep_keys": [*steps[-1]["KeepKeys"]["keep_keys"], "teacher_map"]}}
    losses = [{"DBLoss": {"weight": 1.0}}, {"TeacherMapLoss": {"weight": 0.5}}]
    trainer = make_trainer(
        "det",
        det_label_file,
        as_override("Train.dataset.transforms", steps),
        as_override("Loss", {"name": "CombinedLoss", "loss_config_list": losses}),
        f"Global.engine={engine}",
        "Global.max_steps=2",
    )
    trainer.fit()
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    terms = [row["loss_teacher_map"] for row in rows if row["event"] == "log"]
    assert len(terms) == 2
    assert all(0 < term < 10 for term in terms)
