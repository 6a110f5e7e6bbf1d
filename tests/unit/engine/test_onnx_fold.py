"""Convolutions of sums written as sums of convolutions: the same numbers, fewer multiplications."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
ort = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")

from onnx import helper, numpy_helper  # noqa: E402

from ppocr_lite.engine.onnx_fold import fold_sums  # noqa: E402

RNG = np.random.default_rng(0)


def weight(name: str, *shape: int) -> Any:
    return numpy_helper.from_array(RNG.normal(size=shape).astype(np.float32), name)


def conv(source: str, kernel: str, result: str, **attributes: Any) -> Any:
    side = attributes.pop("side", 3)
    return helper.make_node("Conv", [source, kernel], [result], **{"pads": [side // 2] * 4} | attributes)


def enlarged(source: str, factor: int, result: str) -> tuple[Any, Any]:
    scales = numpy_helper.from_array(np.array([1, 1, factor, factor], np.float32), f"{result}.scales")
    modes = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return helper.make_node("Resize", [source, "", scales.name], [result], **modes), scales


def model_of(nodes: list[Any], constants: list[Any], **channels: int) -> Any:
    inputs = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, count, None, None])
        for name, count in channels.items()
    ]
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, None, None, None])
    graph = helper.make_graph(nodes, "sums", inputs, [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


def run(model: Any, **maps: Any) -> Any:
    onnx.checker.check_model(model)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, maps)[
        0
    ]


def drawn(*shape: int) -> Any:
    return RNG.normal(size=shape).astype(np.float32)


def kinds(model: Any) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
@pytest.mark.parametrize("side", [3, 5])
def test_an_enlarged_map_is_convolved_at_its_own_size(factor: int, side: int) -> None:
    resize, scales = enlarged("x", factor, "large")
    model = model_of([resize, conv("large", "w", "y", side=side)], [scales, weight("w", 4, 3, side, side)], x=3)
    x = drawn(2, 3, 5, 7)
    before = run(model, x=x)
    assert fold_sums(model) == 1
    assert kinds(model) == ["ConvTranspose"]
    np.testing.assert_allclose(run(model, x=x), before, rtol=1e-4, atol=1e-4)


def pyramid() -> Any:
    """The end of a DB detector of two levels: lateral convolutions, a sum, smoothing, joined maps, a head."""
    up, up_scales = enlarged("coarse", 2, "up")
    level, level_scales = enlarged("smooth_coarse", 2, "level")
    nodes = [
        conv("c3", "w3", "coarse", side=1),
        conv("c2", "w2", "fine", side=1),
        up,
        helper.make_node("Add", ["fine", "up"], ["sum"]),
        conv("coarse", "wp3", "smooth_coarse"),
        conv("sum", "wp2", "smooth_fine"),
        level,
        helper.make_node("Concat", ["level", "smooth_fine"], ["joined"], axis=1),
        conv("joined", "wh", "y"),
    ]
    constants = [
        *(up_scales, level_scales, weight("w2", 16, 4, 1, 1), weight("w3", 16, 6, 1, 1)),
        *(weight("wp2", 8, 16, 3, 3), weight("wp3", 8, 16, 3, 3), weight("wh", 5, 16, 3, 3)),
    ]
    return model_of(nodes, constants, c2=4, c3=6)


def test_a_pyramid_is_computed_at_the_size_of_its_maps() -> None:
    model = pyramid()
    maps = {"c2": drawn(1, 4, 12, 20), "c3": drawn(1, 6, 6, 10)}
    before = run(model, **maps)
    assert fold_sums(model) == 3  # both smoothings and the head
    assert "Resize" not in kinds(model)
    assert kinds(model).count("ConvTranspose") == 2
    np.testing.assert_allclose(run(model, **maps), before, rtol=1e-4, atol=1e-3)


def test_nothing_is_left_of_what_is_not_needed_any_more() -> None:
    model = pyramid()
    fold_sums(model)
    read = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= read
    assert "w2" not in read  # the lateral convolution went into the smoothing


@pytest.mark.parametrize(
    "attributes",
    [{"strides": [2, 2]}, {"dilations": [2, 2], "pads": [2] * 4}, {"pads": [0] * 4}, {"group": 3}],
    ids=["strides", "dilations", "pads", "group"],
)
def test_other_convolutions_stay(attributes: dict[str, Any]) -> None:
    resize, scales = enlarged("x", 2, "large")
    channels = 1 if "group" in attributes else 3
    model = model_of([resize, conv("large", "w", "y", **attributes)], [scales, weight("w", 3, channels, 3, 3)], x=3)
    assert fold_sums(model) == 0
    assert kinds(model) == ["Resize", "Conv"]


def test_what_is_enlarged_otherwise_stays() -> None:
    resize, scales = enlarged("x", 2, "large")
    resize.attribute[0].s = b"linear"
    model = model_of([resize, conv("large", "w", "y")], [scales, weight("w", 4, 3, 3, 3)], x=3)
    assert fold_sums(model) == 0


def test_a_sum_that_would_not_multiply_less_stays() -> None:
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"]), conv("sum", "w", "y")]
    model = model_of(nodes, [weight("w", 4, 3, 3, 3)], a=3, b=3)
    assert fold_sums(model) == 0
    assert kinds(model) == ["Add", "Conv"]
