"""Classes computed only where a character may be: the gate, and the network with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
ort = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")

from onnx import helper, numpy_helper  # noqa: E402

from ppocr_lite.engine.onnx_blanks import expose_head, insert_gate  # noqa: E402
from ppocr_lite.engine.onnx_graph import halve  # noqa: E402
from ppocr_lite.errors import DataError, ModelError  # noqa: E402
from ppocr_lite.predict.released import released_model  # noqa: E402
from ppocr_lite.slim import Gate, fit_gate, skip_blanks  # noqa: E402

STEPS, DIMENSION, CLASSES = 7, 5, 11


def head(*more: Any, opset: int = 11) -> Any:
    """A network that is nothing but the end of a recogniser: features (N, T, D) → probabilities (N, T, C)."""
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(DIMENSION, CLASSES)), rng.normal(size=CLASSES)
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("Softmax", ["sum"], ["y"], axis=2),
        *more,
    ]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, None, DIMENSION])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, None, CLASSES])
    constants = [
        numpy_helper.from_array(value.astype(np.float32), name) for name, value in (("weight", weight), ("bias", bias))
    ]
    graph = helper.make_graph(nodes, "head", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def run(model: Any, x: Any) -> list[Any]:
    onnx.checker.check_model(model)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: list[Any] = session.run(None, {"x": x})
    return found


def sees_first_feature() -> dict[str, Any]:
    """The parts of a gate that is the first feature where that is positive, and 0 elsewhere."""
    hidden = np.zeros((DIMENSION, 1), np.float32)
    hidden[0] = 1
    one, nothing = np.ones((1, 1), np.float32), np.zeros(1, np.float32)
    return dataclasses.asdict(Gate(hidden, nothing, one, nothing))


@pytest.fixture
def features() -> Any:
    return np.random.default_rng(1).normal(size=(3, STEPS, DIMENSION)).astype(np.float32)


@pytest.mark.parametrize("opset", [11, 13, 17])
def test_classes_are_computed_where_the_gate_is_low(features: Any, opset: int) -> None:
    expected = run(head(opset=opset), features)[0]
    blank = np.full(DIMENSION, 0.3, np.float32)
    shut_row = run(head(opset=opset), blank[None, None])[0][0, 0]
    model = head(opset=opset)
    insert_gate(model, sees_first_feature(), 0.5, blank)
    found = run(model, features)[0]
    shut = features[..., 0] > 0.5
    assert 0 < shut.mean() < 1
    np.testing.assert_allclose(found[~shut], expected[~shut], rtol=1e-5)
    np.testing.assert_allclose(found[shut], np.broadcast_to(shut_row, found[shut].shape), rtol=1e-5)


def test_a_gate_that_is_always_open_changes_nothing(features: Any) -> None:
    model = head()
    insert_gate(model, sees_first_feature(), 100.0, np.zeros(DIMENSION, np.float32))
    np.testing.assert_allclose(run(model, features)[0], run(head(), features)[0], rtol=1e-5)


def test_lines_may_be_blank_from_end_to_end(features: Any) -> None:
    model = head()
    insert_gate(model, sees_first_feature(), -1.0, features[0, 0])
    found = run(model, features)[0]
    np.testing.assert_allclose(found, np.broadcast_to(found[0, 0], found.shape))
    np.testing.assert_allclose(found[0, 0], run(head(), features)[0][0, 0], rtol=1e-5)


def test_weights_in_half_precision_stay_so(features: Any) -> None:
    model = head(opset=13)
    halve(model)
    insert_gate(model, sees_first_feature(), 0.5, np.zeros(DIMENSION, np.float32))
    matrices = [t for t in model.graph.initializer if len(t.dims) > 1]
    assert {t.data_type for t in matrices} == {onnx.TensorProto.FLOAT16}
    assert run(model, features)[0].shape == (3, STEPS, CLASSES)


def test_features_and_logits_are_returned_beside_the_probabilities(features: Any) -> None:
    model = head()
    expose_head(model)
    probabilities, seen, logits = run(model, features)
    np.testing.assert_array_equal(seen, features)
    exponents = np.exp(logits - logits.max(2, keepdims=True))
    np.testing.assert_allclose(exponents / exponents.sum(2, keepdims=True), probabilities, rtol=1e-5)


def test_a_network_with_another_end_is_named() -> None:
    model = head(helper.make_node("Relu", ["y"], ["z"]))
    model.graph.output[0].name = "z"
    with pytest.raises(ModelError, match="does not end in a linear layer and a softmax.*Softmax makes 'z'.*Relu"):
        insert_gate(model, sees_first_feature(), 0.5, np.zeros(DIMENSION, np.float32))


def test_a_gate_is_fitted_to_what_is_not_linear() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(2.0, 3.0, size=(6000, 8)).astype(np.float32)
    leads = (np.abs(features[:, 0] - 2) + np.abs(features[:, 1] - 2) - 4).astype(np.float32)
    guesses = fit_gate(features[:4000], leads[:4000]).leads(features[4000:])
    wanted = np.clip(leads[4000:], -3, 4)
    line = np.linalg.lstsq(np.c_[features, np.ones(6000)], leads, rcond=None)[0]
    assert np.corrcoef(np.c_[features[4000:], np.ones(2000)] @ line, wanted)[0, 1] < 0.3
    assert np.corrcoef(guesses, wanted)[0, 1] > 0.85
    assert guesses.dtype == np.float32


def test_a_gate_is_the_same_each_time() -> None:
    features = np.random.default_rng(3).normal(size=(500, 8)).astype(np.float32)
    one, other = (fit_gate(features, features[:, 0]) for _ in range(2))
    np.testing.assert_array_equal(one.out, other.out)


def test_a_folder_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is already there"):
        skip_blanks(released_model("rec", "en"), [], tmp_path)


def test_pages_without_text_are_too_few(tmp_path: Path) -> None:
    page = np.full((120, 160, 3), 255, np.uint8)
    with pytest.raises(DataError, match="0 steps with a character, too few"):
        skip_blanks(released_model("rec", "en"), [page], tmp_path / "new")
    assert not (tmp_path / "new").exists()
