"""Trained weights back into their graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from ppocr_lite.charset import Charset
from ppocr_lite.modeling.graphs.characters import KEY
from ppocr_lite.modeling.graphs.graph import Array, Graph, Node
from ppocr_lite.modeling.graphs.plan import LayerSpec, Plan, reorder_gates

_GATES = (0, 3, 1, 2)  # Paddle's i f c o as ONNX's i o f c
_SPACE = " "


def trained_graph(graph: Graph, plan: Plan, weights: Mapping[str, Array], charset: Charset | None = None) -> Graph:
    """Return *graph* with the weights of a network in it, and the characters in its metadata.

    The constants that are weights get the names that they have in the network.

    Args:
        graph: Folded.
        plan: Of that graph.
        weights: Name → value, in Paddle's layout.
        charset: What a recogniser's classes stand for; None for other networks.
    """
    constants: dict[str, Array] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        owner = plan.owners.get(node.outputs[0])
        spec = plan.layers[owner] if owner is not None else None
        named = {} if spec is None else {name: f"{spec.name}.{part}" for part, name in spec.constants.items() if name}
        if spec is not None:
            own = _constants(spec, graph, weights)
            constants |= {f"{spec.name}.{part}": value for part, value in own.items()}
        nodes.append(dataclasses.replace(node, inputs=tuple(named.get(name, name) for name in node.inputs)))
    read = {name for node in nodes for name in node.inputs}
    constants |= {name: value for name, value in graph.constants.items() if name in read - constants.keys()}
    metadata = dict(graph.metadata)
    if charset is not None:
        listed = charset.characters
        # PaddleOCR's use_space_char, and what reads this metadata, adds the space at the end.
        metadata[KEY] = "\n".join(listed[:-1] if listed[-1] == _SPACE else listed)
    finished = dataclasses.replace(graph, nodes=tuple(nodes), constants=constants, metadata=metadata)
    return finished if charset is None or plan.scores != graph.output else _with_softmax(finished)


def _constants(spec: LayerSpec, graph: Graph, weights: Mapping[str, Array]) -> dict[str, Array]:
    """Return the trained values of a layer, under the keys of ``spec.constants``, in the layout of the graph."""
    if spec.kind == "lstm":
        return _lstm(spec, weights)
    values = {part: weights[f"{spec.name}.{part}"] for part in spec.constants}
    if spec.kind == "linear" and spec.attributes.get("transB", 0):
        values["weight"] = values["weight"].T
    if spec.kind == "linear" and "bias" in values:  # it may stand among sides of 1, and have other classes
        values["bias"] = values["bias"].reshape(*graph.constants[spec.constants["bias"]].shape[:-1], -1)
    return {part: np.ascontiguousarray(value) for part, value in values.items()}


def _lstm(spec: LayerSpec, weights: Mapping[str, Array]) -> dict[str, Array]:
    suffixes = ["", "_reverse"][: 2 if f"{spec.name}.weight_ih_l0_reverse" in weights else 1]

    def stacked(part: str) -> Array:
        return np.stack([reorder_gates(weights[f"{spec.name}.{part}_l0{suffix}"], _GATES) for suffix in suffixes])

    found = {"W": stacked("weight_ih"), "R": stacked("weight_hh")}
    if spec.constants["B"]:
        found["B"] = np.concatenate([stacked("bias_ih"), stacked("bias_hh")], axis=1)
    return found


def _with_softmax(graph: Graph) -> Graph:
    """Return a recogniser that ends in scores with the softmax that readers expect."""
    node = Node("Softmax", "probabilities", (graph.output,), ("probabilities",), {"axis": 2})
    return dataclasses.replace(graph, nodes=(*graph.nodes, node), output=node.outputs[0])
