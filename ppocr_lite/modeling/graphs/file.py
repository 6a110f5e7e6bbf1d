"""ONNX files ↔ :class:`~ppocr_lite.modeling.graphs.graph.Graph`; imported where a file is read: it needs ``onnx``.

Nothing that a file says is executed: it is parsed, checked, and computed by the operators listed in ``operators``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import helper, numpy_helper, version_converter
from onnxruntime.capi import onnxruntime_pybind11_state as state

from ppocr_lite.errors import ModelError
from ppocr_lite.modeling.graphs.graph import CONSTANTS, MOST_ELEMENTS, SAME, Graph, Node, check_kinds
from ppocr_lite.modeling.graphs.operators import HOST, TENSOR

_ERRORS: tuple[type[Exception], ...] = (
    *(kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    *(RuntimeError, ValueError, OSError),
)
_MOST_BYTES = 1 << 30  # of a file
_ERROR_LEVEL = 3  # of ONNX Runtime's own log
KNOWN = tuple(sorted({*CONSTANTS, *SAME, *HOST, *TENSOR}))


def read_graph(path: Path) -> Graph:
    """Read and check a file.

    Raises:
        ModelError: If it is not there, damaged, too large, in several files, quantised, no network for images, or holds
            an operator that is not known; says what to do.
    """
    source = str(path)
    if not path.is_file():
        raise ModelError(f"There is no ONNX file at {source}. Architecture.Network.path must name one.")
    if path.stat().st_size > _MOST_BYTES:
        raise ModelError(f"{source} has {path.stat().st_size} bytes, more than any network that can be trained here.")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise ModelError(f"{source} is damaged or no ONNX file: {error}. Copy it anew.") from error
    graph = model.graph
    if not graph.node or not graph.output:
        raise ModelError(f"{source} holds no network: is it an ONNX file, and whole?")
    _check_tensors(_tensors(graph), source)
    nodes = [_node(node) for node in graph.node]
    check_kinds(nodes, [node.domain for node in graph.node], KNOWN, source)
    constants = {tensor.name: _array(tensor, source) for tensor in graph.initializer}
    constants |= {node.outputs[0]: _constant(node, source) for node in nodes if node.op == "Constant"}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        raise ModelError(
            f"{source}: a network for images has one input. This one has {[value.name for value in inputs]}."
        )
    return Graph(
        source=source,
        nodes=tuple(node for node in nodes if node.op != "Constant"),
        constants=constants,
        input=inputs[0].name,
        shape=_image_shape(inputs[0], source),
        output=graph.output[0].name,
        opset=next((item.version for item in model.opset_import if item.domain in ("", "ai.onnx")), 1),
        ir_version=model.ir_version,
        metadata={item.key: item.value for item in model.metadata_props},
    )


def write_graph(graph: Graph, path: Path) -> None:
    """Write *graph* to *path*, sides that vary left open."""
    sides = [f"side_{axis}" if side < 0 else side for axis, side in enumerate(graph.shape)]
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node(node.op, node.inputs, node.outputs, name=node.name, **node.attributes)
                for node in graph.nodes
            ],
            "network",
            [helper.make_tensor_value_info(graph.input, onnx.TensorProto.FLOAT, sides)],
            [helper.make_tensor_value_info(graph.output, onnx.TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in graph.constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", graph.opset)],
        producer_name="ppocr_lite",
    )
    model.ir_version = graph.ir_version
    helper.set_model_props(model, graph.metadata)
    onnx.save(model, path)


def convert_opset(path: Path, opset: int) -> None:
    """Write a file anew with the operators of a later release.

    Raises:
        ModelError: If ONNX cannot.
    """
    model = onnx.load(path)
    try:
        converted = version_converter.convert_version(model, opset)
    except _ERRORS as error:
        raise ModelError(f"{path}: ONNX cannot bring it to opset {opset}, which 8 bits need: {error}") from error
    onnx.save(converted, path)


def run_file(path: Path, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what ONNX Runtime computes for *image*, its first output.

    Raises:
        ModelError: If it cannot.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = _ERROR_LEVEL
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        found: NDArray[np.float32] = session.run(None, {session.get_inputs()[0].name: image})[0]
    except _ERRORS as error:
        raise ModelError(f"{path}: ONNX Runtime cannot run it on {image.shape}: {error}") from error
    return found


def _node(node: Any) -> Node:
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return Node(node.op_type, node.name, tuple(node.input), tuple(node.output), attributes)


def _tensors(graph: Any) -> Iterable[Any]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                yield attribute.t


def _check_tensors(tensors: Iterable[Any], source: str) -> None:
    """Refuse what is stored elsewhere, and what would take more memory than a network does."""
    total = 0
    for tensor in tensors:
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise ModelError(
                f"{source}: {tensor.name!r} is stored in another file, which is not read. Write the network as one "
                "file: onnx.save(onnx.load(path), new_path, save_as_external_data=False)."
            )
        if any(side < 0 for side in tensor.dims):
            raise ModelError(f"{source} is damaged: {tensor.name!r} has the sides {list(tensor.dims)}.")
        count = 1
        for side in tensor.dims:
            count *= side
        total += count
        if total > MOST_ELEMENTS:
            raise ModelError(f"{source} holds over {MOST_ELEMENTS} numbers, more than any OCR model: {tensor.name!r}.")


def _array(tensor: Any, source: str) -> NDArray[Any]:
    try:
        found: NDArray[Any] = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{source} is damaged: {tensor.name!r} cannot be read: {error}") from error
    return found


def _constant(node: Node, source: str) -> NDArray[Any]:
    """Return the value of a Constant node."""
    given: Mapping[str, Any] = node.attributes
    if "value" in given:
        return _array(given["value"], source)
    for name, kind in (("value_float", np.float32), ("value_floats", np.float32), ("value_int", np.int64)):
        if name in given:
            return np.array(given[name], kind)
    if "value_ints" in given:
        return np.array(given["value_ints"], np.int64)
    raise ModelError(f"{source}: the constant {node.outputs[0]!r} is of a kind that no network needs: {list(given)}.")


def _image_shape(value: Any, source: str) -> tuple[int, ...]:
    kind = value.type.tensor_type
    sides = tuple(side.dim_value if side.dim_value > 0 else -1 for side in kind.shape.dim)
    if kind.elem_type != onnx.TensorProto.FLOAT or len(sides) != 4 or sides[1] not in (-1, 3):
        name = onnx.TensorProto.DataType.Name(kind.elem_type)
        raise ModelError(f"{source}: a network for images takes float (N, 3, H, W). This one takes {name} {sides}.")
    return -1, 3, sides[2], sides[3]
