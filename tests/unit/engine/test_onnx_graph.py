"""Changes to exported ONNX networks: what they compute stays the same, or is rounded as said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
ort = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")

from onnx import helper, numpy_helper  # noqa: E402

from ppocr_lite.engine.onnx_graph import halve, quantize, simplify  # noqa: E402
from ppocr_lite.errors import ModelError  # noqa: E402

KERNEL = {"kernel_shape": [2, 2], "strides": [2, 2], "group": 3}


def constant(name: str, value: Any) -> Any:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value, np.float32)))


def model_of(*nodes: Any, channels: int = 3) -> Any:
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, channels, None, None])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, None, None, None])
    graph = helper.make_graph(list(nodes), "small", [x], [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


def run(model: Any, x: Any) -> Any:
    onnx.checker.check_model(model)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def kinds(model: Any) -> list[str]:
    return [node.op_type for node in model.graph.node]


def enlarging(weight: Any, **attributes: Any) -> Any:
    return model_of(
        constant("w", weight),
        helper.make_node("Identity", ["x"], ["a"]),
        helper.make_node("ConvTranspose", ["a", "w"], ["b"], **(KERNEL | attributes)),
        helper.make_node("Identity", ["b"], ["y"]),
    )


def test_a_convolution_with_ones_becomes_an_enlargement() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    model = enlarging(np.ones((3, 1, 2, 2)))
    before = run(model, x)
    simplify(model)
    assert kinds(model) == ["Resize", "Identity"]  # the last one keeps the name of the output
    assert np.array_equal(run(model, x), before)
    assert np.array_equal(before, x.repeat(2, axis=2).repeat(2, axis=3))


@pytest.mark.parametrize(
    "weight, attributes",
    [
        (np.full((3, 1, 2, 2), 0.5), {}),
        (np.ones((3, 1, 2, 2)), {"strides": [1, 1]}),
        (np.ones((3, 1, 2, 2)), {"pads": [1, 1, 1, 1]}),
        (np.ones((3, 2, 2, 2)), {"group": 1}),
    ],
)
def test_other_convolutions_stay(weight: Any, attributes: dict[str, Any]) -> None:
    x = np.random.default_rng(0).normal(size=(1, 3, 4, 4)).astype(np.float32)
    model = enlarging(weight, **attributes)
    before = run(model, x)
    simplify(model)
    assert kinds(model) == ["Constant", "ConvTranspose", "Identity"]
    assert np.array_equal(run(model, x), before)


def product(bias: Any, half: bool = False, more: tuple[Any, ...] = ()) -> Any:
    weight = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float16 if half else np.float32)
    given = helper.make_node("Constant", [], ["v"], value=numpy_helper.from_array(weight))
    widened = helper.make_node("Cast", ["v"], ["w"], to=onnx.TensorProto.FLOAT)
    nodes = given, widened, constant("b", bias), helper.make_node("MatMul", ["x", "w"], ["p"])
    return model_of(*nodes, helper.make_node("Add", ["b", "p"], ["y"]), *more)


@pytest.mark.parametrize("half", [False, True])
def test_a_product_and_a_sum_become_one_step(half: bool) -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 5)).astype(np.float32)
    model = product(np.arange(7), half)
    before = run(model, x)
    simplify(model)
    assert "Gemm" in kinds(model) and not {"MatMul", "Add"} & set(kinds(model))
    np.testing.assert_allclose(run(model, x), before, rtol=1e-6, atol=1e-6)
    assert run(model, x).shape == (2, 3, 4, 7)


@pytest.mark.parametrize(
    "bias, more",
    [
        (np.zeros(1), ()),
        (np.zeros((4, 7)), ()),
        (np.zeros(7), (helper.make_node("Relu", ["p"], ["z"]),)),
    ],
    ids=["one number", "rows", "read elsewhere"],
)
def test_other_sums_stay(bias: Any, more: tuple[Any, ...]) -> None:
    model = product(bias, more=more)
    simplify(model)
    assert {"MatMul", "Add"} <= set(kinds(model))


def test_a_convolution_in_bytes_by_hand() -> None:
    weight = np.float32([[[[1.27]], [[-0.634]]], [[[0.0]], [[254.0]]]])  # steps 0.01 and 2
    model = model_of(constant("w", weight), helper.make_node("Conv", ["x", "w"], ["y"]), channels=2)
    quantize(model, {"w": 12.7})  # step 0.1
    x = np.float32([1.04, -99.0]).reshape(1, 2, 1, 1)  # → 1.0, -12.8: a byte reaches -128
    expected = [1.0 * 1.27 + -12.8 * -0.63, 0.0 + -12.8 * 254]
    np.testing.assert_allclose(run(model, x).ravel(), expected, rtol=1e-5)
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert stored["w.bytes"].dtype == np.int8
    assert stored["w.bytes"].ravel().tolist() == [127, -63, 0, 127]
    assert "w" not in {name for node in model.graph.node for name in node.output}, "the weight in float is gone"


@pytest.mark.parametrize("kind, shape, axis", [("ConvTranspose", (3, 2, 2, 2), 1), ("MatMul", (5, 4), 1)])
def test_steps_lie_along_the_output_channels_of_each_kind(kind: str, shape: tuple[int, ...], axis: int) -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=shape).astype(np.float32)
    np.moveaxis(weight, axis, 0)[1] *= 50
    x = rng.uniform(-1, 1, (1, 3, 4, 5)).astype(np.float32)
    nodes = constant("w", weight), helper.make_node(kind, ["x", "w"], ["y"])
    before, model = run(model_of(*nodes), x), model_of(*nodes)
    quantize(model, {"w": 1.0})
    peaks = np.abs(np.moveaxis(weight, axis, 0)).reshape(shape[axis], -1).max(1)
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    np.testing.assert_allclose(stored["w.step"], peaks / 127, rtol=1e-6)
    places = 1 if kind == "ConvTranspose" else 3  # where the output channels are in the result
    gaps = np.abs(np.moveaxis(run(model, x) - before, places, 0)).reshape(shape[axis], -1).max(1)
    assert (gaps <= peaks * 15 / 127).all() and (gaps > 0).all()  # at most 15 products, each off by less than a step


def test_a_weight_that_is_not_there_is_named() -> None:
    model = model_of(constant("w", np.ones((2, 3, 1, 1))), helper.make_node("Conv", ["x", "w"], ["y"]))
    with pytest.raises(ModelError, match="no layer with the weights .*'other'"):
        quantize(model, {"w": 1.0, "other": 1.0})


def test_halved_weights_are_rounded_and_vectors_are_not() -> None:
    weight, bias = np.float32([1 / 3, 2.0]).reshape(1, 2, 1, 1), np.float32([1e-9])
    nodes = constant("w", weight), constant("b", bias), helper.make_node("Conv", ["x", "w", "b"], ["y"])
    model = model_of(*nodes, channels=2)
    halve(model)
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert list(stored) == ["w.half"] and stored["w.half"].dtype == np.float16
    for x, expected in (([1.0, 0.0], np.float32(np.float16(1 / 3))), ([0.0, 0.0], bias[0])):
        assert run(model, np.float32(x).reshape(1, 2, 1, 1)).ravel() == expected


def test_a_weight_beyond_half_precision_is_named() -> None:
    model = model_of(constant("w", np.full((2, 3, 1, 1), 7e4)), helper.make_node("Conv", ["x", "w"], ["y"]))
    with pytest.raises(ModelError, match="too large for half precision: .*'w'"):
        halve(model)
