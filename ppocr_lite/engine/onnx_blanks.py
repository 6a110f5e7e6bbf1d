"""Changes to an exported ONNX recogniser that let it look at its many classes only where a character may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ppocr_lite.engine.onnx_graph import drop_unneeded, halve, replace_nodes, simplify
from ppocr_lite.errors import ModelError

FEATURES, LOGITS = "features", "logits"  # outputs that expose_head adds


@dataclass(frozen=True)
class Head:
    """The end of a CTC recogniser: a linear layer over the features of each step, and a softmax.

    Attributes:
        features: Name of what the layer takes, (N, T, D).
        weight: Name of its matrix (D, C).
        bias: Name of its bias (C,).
        logits: Name of what it returns, (N, T, C).
        probabilities: Name of what the network returns, (N, T, C).
    """

    features: str
    weight: str
    bias: str
    logits: str
    probabilities: str


def expose_head(model: Any) -> None:
    """Let a recogniser return ``features`` (N, T, D) and ``logits`` (N, T, C) after its probabilities.

    Args:
        model: ``onnx.ModelProto``; changed in place.

    Raises:
        ModelError: If it does not end in a linear layer and a softmax over its classes.
    """
    simplify(model)
    graph, head = model.graph, find_head(model.graph)
    del graph.output[1:]
    for name, source in ((FEATURES, head.features), (LOGITS, head.logits)):
        graph.node.append(helper.make_node("Identity", [source], [name]))
        graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, None, None]))


def insert_gate(
    model: Any, gate: Mapping[str, NDArray[np.float32]], threshold: float, blank: NDArray[np.float32]
) -> None:
    """Let a recogniser compute its classes only at steps whose gate is at most a threshold.

    All other steps get the probabilities of *blank*, the features of a step at which only the blank is likely.
    New weights are stored in half precision if those of the network are.

    Args:
        model: ``onnx.ModelProto``, opset 11 or later; changed in place.
        gate: ``hidden`` (D, H), ``hidden_bias`` (H,), ``out`` (H, 1) and ``out_bias`` (1,): the gate of a step is
            ``relu(features @ hidden + hidden_bias) @ out + out_bias``.
        threshold: Above it a step is taken for blank.
        blank: Features (D,) of a step.

    Raises:
        ModelError: If it does not end in a linear layer and a softmax over its classes.
    """
    simplify(model)
    graph = model.graph
    head = find_head(graph)
    in_half = any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in graph.initializer)
    constants: dict[str, Any] = {
        **gate,
        "threshold": np.array(threshold, np.float32),
        "blank": blank[None].astype(np.float32),
        "rows": np.array([-1, len(blank)], np.int64),
        "row": np.array([-1], np.int64),
        "from": np.array([0], np.int64),
        "to": np.array([2], np.int64),
        "axis": np.array(0, np.int64),
    }
    for name, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(value, f"gate.{name}"))
    nodes = [
        helper.make_node("Reshape", [head.features, "gate.rows"], ["gate.steps"]),  # (N × T, D)
        helper.make_node("Gemm", ["gate.steps", "gate.hidden", "gate.hidden_bias"], ["gate.sums"]),
        helper.make_node("Relu", ["gate.sums"], ["gate.layer"]),
        helper.make_node("Gemm", ["gate.layer", "gate.out", "gate.out_bias"], ["gate.column_of_leads"]),
        helper.make_node("Reshape", ["gate.column_of_leads", "gate.row"], ["gate.leads"]),  # (N × T,)
        helper.make_node("Greater", ["gate.leads", "gate.threshold"], ["gate.shut"]),
        helper.make_node("Not", ["gate.shut"], ["gate.open"]),
        helper.make_node("Compress", ["gate.steps", "gate.open"], ["gate.chosen"], axis=0),  # (K, D)
        helper.make_node("Concat", ["gate.blank", "gate.chosen"], ["gate.computed"], axis=0),  # (1 + K, D)
        helper.make_node("Gemm", ["gate.computed", head.weight, head.bias], ["gate.logits"]),
        helper.make_node("Softmax", ["gate.logits"], ["gate.rows_of_probabilities"], axis=1),  # (1 + K, C)
        # which of these rows a step gets: the first where the gate is shut
        helper.make_node("Cast", ["gate.open"], ["gate.ones"], to=onnx.TensorProto.INT64),
        helper.make_node("CumSum", ["gate.ones", "gate.axis"], ["gate.counts"]),
        helper.make_node("Mul", ["gate.counts", "gate.ones"], ["gate.places"]),
        helper.make_node("Shape", [head.features], ["gate.shape"]),
        helper.make_node("Slice", ["gate.shape", "gate.from", "gate.to"], ["gate.sides"]),
        helper.make_node("Reshape", ["gate.places", "gate.sides"], ["gate.map"]),  # (N, T)
        helper.make_node("Gather", ["gate.rows_of_probabilities", "gate.map"], [head.probabilities], axis=0),
    ]
    replace_nodes(graph, [*(node for node in graph.node if head.probabilities not in node.output), *nodes])
    drop_unneeded(graph)
    if in_half:
        halve(model)


def find_head(graph: Any) -> Head:
    """Return the end of a recogniser that ``simplify`` has been through.

    Raises:
        ModelError: If it does not end in a linear layer and a softmax over its classes.
    """
    made = {name: node for node in graph.node for name in node.output}
    chain, name = [], graph.output[0].name
    for kind in ("Softmax", "Reshape", "Gemm", "Reshape"):
        node = made.get(name)
        if node is None or node.op_type != kind:
            raise ModelError(
                "The network does not end in a linear layer and a softmax over its classes. Expected: "
                f"{kind} makes {name!r}. Received: {node.op_type if node else 'nothing'}."
            )
        chain.append(node)
        name = node.input[0]
    softmax, _, linear, rows = chain
    return Head(rows.input[0], linear.input[1], linear.input[2], softmax.input[0], softmax.output[0])
