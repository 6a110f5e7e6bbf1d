"""Changes to an exported ONNX network: plain enlargements, 8-bit integers in learnt ranges, half-precision weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ppocr_lite.errors import ModelError

LEVELS = 127  # of a signed byte, the same number on both sides of 0
# Operator → axis of the output channels in its weight, the second input.
WEIGHT_AXIS = {"Conv": 0, "ConvTranspose": 1, "MatMul": 1, "Gemm": 1}
_TINY = 1e-6  # smallest largest weight of a channel, as in training


def rewrite(path: Path, change: Callable[..., None], *arguments: Any) -> None:
    """Load the network at *path*, call ``change(model, *arguments)``, and write it back."""
    model = onnx.load(path)
    change(model, *arguments)
    onnx.save(model, path)


def simplify(model: Any) -> None:
    """Remove identities, and write two things as what they are, which ONNX Runtime and OpenVINO compute faster.

    An enlargement by a convolution with ones becomes a ``Resize``, with results that are the same to the last bit; a
    product with a matrix and a sum after it one ``Gemm``.  That takes rows alone, so what has more axes is laid out as
    rows before and put back together after: neither moves a number.

    Args:
        model: ``onnx.ModelProto``, opset 11 or later; changed in place.
    """
    graph = model.graph
    _drop_identities(graph)
    constants = constants_of(graph)
    for node in list(graph.node):
        if node.op_type == "ConvTranspose" and _enlarges(node, constants.get(node.input[1])):
            factors = constants[node.input[1]].shape[2:]
            scales = f"{node.output[0]}.scales"
            graph.initializer.append(numpy_helper.from_array(np.array([1, 1, *factors], np.float32), scales))
            resize = helper.make_node(
                "Resize",
                [node.input[0], "", scales],
                list(node.output),
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
            node.CopyFrom(resize)
    _join_sums(graph, constants)
    _drop_unused(graph)


def quantize(model: Any, ranges: Mapping[str, float]) -> None:
    """Turn weights into bytes, and round the activations they multiply to bytes in their learned ranges.

    Each weight gets a step for each output channel, from its largest magnitude, and a ``DequantizeLinear``; each
    activation a ``QuantizeLinear`` and a ``DequantizeLinear``. An engine that knows this form computes in integers.
    Activations below -α end one step lower than in training, because a byte reaches from -128 to 127.

    Args:
        model: ``onnx.ModelProto``, opset 13 or later; changed in place.
        ranges: Name of a weight → α of the activations it multiplies; all other weights stay in float.

    Raises:
        ModelError: If the network does not use a weight of *ranges*, or not as the weight of a layer.
    """
    graph = model.graph
    _drop_identities(graph)
    constants = constants_of(graph)
    nodes: list[Any] = []
    missing = set(ranges)
    for node in graph.node:
        name = node.input[1] if node.op_type in WEIGHT_AXIS else None
        if name in ranges and name in constants:
            weight, step = _to_bytes(constants[name], WEIGHT_AXIS[node.op_type])
            nodes += _weight_nodes(graph, name, weight, step, WEIGHT_AXIS[node.op_type])
            nodes += _activation_nodes(graph, f"{name}.input", node.input[0], ranges[name] / LEVELS)
            node.input[0], node.input[1] = f"{name}.input", f"{name}.float"
            missing.discard(name)
        nodes.append(node)
    if missing:
        raise ModelError(f"The exported network has no layer with the weights {sorted(missing)}.")
    replace_nodes(graph, nodes)
    _drop_unused(graph)


def halve(model: Any) -> None:
    """Store weights in half precision; they are read as float32, in which everything is computed as before.

    Vectors stay as they are: they are small, and a variance in half precision may be 0.

    Args:
        model: ``onnx.ModelProto``; changed in place.

    Raises:
        ModelError: If a weight is greater than half precision reaches.
    """
    graph = model.graph
    weights = {k: v for k, v in constants_of(graph).items() if v.dtype == np.float32 and v.ndim > 1}
    if large := [name for name, value in weights.items() if np.abs(value).max() > np.finfo(np.float16).max]:
        raise ModelError(f"These weights are too large for half precision: {large}.")
    names = {name: f"{name}.half" for name in weights}
    casts = [helper.make_node("Cast", [names[name]], [name], to=onnx.TensorProto.FLOAT) for name in weights]
    kept = [node for node in graph.node if not set(node.output) & set(weights)]
    replace_nodes(graph, [*casts, *kept])
    for tensor in [tensor for tensor in graph.initializer if tensor.name in weights]:
        graph.initializer.remove(tensor)
    graph.initializer.extend(numpy_helper.from_array(v.astype(np.float16), names[k]) for k, v in weights.items())


def _to_bytes(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return *weight* as bytes, and the step of each slice along *axis*."""
    others = tuple(other for other in range(weight.ndim) if other != axis)
    step = np.maximum(np.abs(weight).max(others), np.float32(_TINY)) / np.float32(LEVELS)
    rounded = np.rint(weight / np.expand_dims(step, others))
    return rounded.astype(np.int8), step.astype(np.float32)


def _weight_nodes(graph: Any, name: str, weight: NDArray[np.int8], step: NDArray[np.float32], axis: int) -> list[Any]:
    """Add the bytes of a weight to *graph*; return what turns them into ``name.float``."""
    graph.initializer.append(numpy_helper.from_array(weight, f"{name}.bytes"))
    graph.initializer.append(numpy_helper.from_array(step, f"{name}.step"))
    return [helper.make_node("DequantizeLinear", [f"{name}.bytes", f"{name}.step"], [f"{name}.float"], axis=axis)]


def _activation_nodes(graph: Any, name: str, source: str, step: float) -> list[Any]:
    """Add the step of an activation to *graph*; return what rounds *source* into *name*."""
    graph.initializer.append(numpy_helper.from_array(np.array(step, np.float32), f"{name}.step"))
    graph.initializer.append(numpy_helper.from_array(np.array(0, np.int8), f"{name}.zero"))
    rest = [f"{name}.step", f"{name}.zero"]
    return [
        helper.make_node("QuantizeLinear", [source, *rest], [f"{name}.bytes"]),
        helper.make_node("DequantizeLinear", [f"{name}.bytes", *rest], [name]),
    ]


def _enlarges(node: Any, weight: NDArray[Any] | None) -> bool:
    """Say whether a transposed convolution repeats each pixel and does nothing else."""
    if weight is None or weight.shape[1] != 1 or not (weight == 1).all():
        return False
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    sides = list(weight.shape[2:])
    return values.get("group") == len(weight) and values.get("strides") == sides and not any(values.get("pads", []))


def _join_sums(graph: Any, constants: Mapping[str, NDArray[Any]]) -> None:
    """Write as one ``Gemm`` each product with a constant matrix (C, K) that only a sum with a constant (K,) reads."""
    made = {name: node for node in graph.node for name in node.output}
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    def value(name: str) -> NDArray[Any] | None:
        while name in made and made[name].op_type == "Cast":  # of half precision
            name = made[name].input[0]
        return constants.get(name)

    results = {output.name for output in graph.output}
    joined: dict[str, list[Any]] = {}  # by the result of the sum: what stands in its place
    dropped = set()
    for product in graph.node:
        following = readers.get(product.output[0], [])
        if product.op_type != "MatMul" or [node.op_type for node in following] != ["Add"]:
            continue
        matrix, total = value(product.input[1]), following[0]
        (other,) = (name for name in total.input if name != product.output[0])
        bias = value(other)
        if matrix is None or bias is None or matrix.ndim != 2 or bias.shape != matrix.shape[1:]:
            continue
        if product.output[0] not in results:
            dropped.add(product.output[0])
            joined[total.output[0]] = _gemm(graph, product, other, total.output[0], matrix.shape)
    nodes = [node for node in graph.node if node.output[0] not in dropped]
    replace_nodes(graph, [new for node in nodes for new in joined.get(node.output[0], [node])])


def _gemm(graph: Any, product: Any, bias: str, result: str, shape: tuple[int, ...]) -> list[Any]:
    """Return the nodes of a ``Gemm`` over the rows of what a product takes."""
    constants = {"rows": [-1, shape[0]], "width": [shape[1]], "first": [0], "last": [-1]}
    names = {name: f"{result}.{name}" for name in constants}
    for name, numbers in constants.items():
        graph.initializer.append(numpy_helper.from_array(np.array(numbers, np.int64), names[name]))
    source, weight = product.input
    flat, total, sides, outer, whole = (f"{result}.{step}" for step in ("flat", "sum", "shape", "sides", "whole"))
    return [
        helper.make_node("Reshape", [source, names["rows"]], [flat]),
        helper.make_node("Gemm", [flat, weight, bias], [total]),
        helper.make_node("Shape", [source], [sides]),
        helper.make_node("Slice", [sides, names["first"], names["last"]], [outer]),
        helper.make_node("Concat", [outer, names["width"]], [whole], axis=0),
        helper.make_node("Reshape", [total, whole], [result]),
    ]


def constants_of(graph: Any) -> dict[str, NDArray[Any]]:
    """Return name → value of what is constant."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return found


def _drop_identities(graph: Any) -> None:
    """Let each node read the origin of its inputs; the outputs of the network keep theirs."""
    results = {output.name for output in graph.output}
    origin: dict[str, str] = {}
    kept = []
    for node in graph.node:  # in the order of computing, so an origin is known before it is read
        for index, name in enumerate(node.input):
            node.input[index] = origin.get(name, name)
        if node.op_type == "Identity" and node.output[0] not in results:
            origin[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    replace_nodes(graph, kept)


def replace_nodes(graph: Any, nodes: Iterable[Any]) -> None:
    """Let *graph* have these nodes; some may be its own, which would be gone with the list they are in."""
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


def drop_unneeded(graph: Any) -> None:
    """Remove what no output of *graph* needs: nodes and constants."""
    needed, kept = {output.name for output in graph.output}, []
    for node in reversed(graph.node):
        if not needed.isdisjoint(node.output):
            kept.append(node)
            needed.update(node.input)
    replace_nodes(graph, reversed(kept))
    _drop_unused(graph)


def _drop_unused(graph: Any) -> None:
    """Remove constants that nothing reads any more."""
    read = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    for node in [node for node in graph.node if node.op_type == "Constant" and node.output[0] not in read]:
        graph.node.remove(node)
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in read]:
        graph.initializer.remove(tensor)
