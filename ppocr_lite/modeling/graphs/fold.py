"""Everything of a graph that does not depend on the image, computed once."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np

from ppocr_lite.errors import ModelError
from ppocr_lite.modeling.graphs.graph import MOST_ELEMENTS, SAME, Array, Graph, Node
from ppocr_lite.modeling.graphs.operators import HOST, elements

_FLOAT = 1  # ONNX's number of float32
# what keeps zeros zeros, whatever the shapes are
_KEEPS_ZEROS = frozenset(("Tile", "Expand", "Slice", "Squeeze", "Unsqueeze", "Reshape", "Cast", "Concat", "Transpose"))
_BIASED = {"Conv": -3, "ConvTranspose": -3, "MatMul": -1}  # operator → axis of the channels in what it computes


def fold(graph: Graph) -> Graph:
    """Return the same network with fewer nodes.

    What depends on constants alone is computed, identities are left out, the bias that follows a convolution becomes
    its own, an initial state of zeros is left out of an LSTM, and what nothing reads is dropped.

    Raises:
        ModelError: If a node reads what nothing computes before it, or constants would grow beyond all bounds.
    """
    graph = _Folder(graph).run()
    return _drop_unread(_join_biases(graph))


class _Folder:
    """Goes through a graph in order, and notes what it knows of each value."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.constants = dict(graph.constants)
        self.known = {graph.input, *graph.constants}
        self.origin: dict[str, str] = {}  # of what is handed on unchanged
        self.zeros: set[str] = set()  # what is zero, whatever its shape
        self.single: set[str] = set()  # what has one element along its first axis
        self.floats = {graph.input}
        self.computed = 0

    def run(self) -> Graph:
        """Return the graph with its constants computed and its identities left out."""
        nodes = [folded for node in self.graph.nodes if (folded := self._visit(node)) is not None]
        output = self.origin.get(self.graph.output, self.graph.output)
        return dataclasses.replace(self.graph, nodes=tuple(nodes), constants=self.constants, output=output)

    def _visit(self, node: Node) -> Node | None:
        """Return the node as it stays; None if it does not."""
        inputs = tuple(self.origin.get(name, name) for name in node.inputs)
        if missing := [name for name in inputs if name and name not in self.known]:
            source = self.graph.source
            raise ModelError(f"{source} is damaged: node {_call(node)} reads {missing}, which nothing computes before.")
        self.known.update(node.outputs)
        node = dataclasses.replace(node, inputs=inputs)
        if _passes(node, self.floats) or _keeps_vector(node, self.constants, self.single):
            self.origin[node.outputs[0]] = inputs[0]
            return None
        if node.op in HOST and all(not name or name in self.constants for name in inputs):
            self.constants[node.outputs[0]] = self._compute(node)
            return None
        self._note(node)
        return _without_state(node, self.constants, self.zeros, self.graph.source) if node.op == "LSTM" else node

    def _note(self, node: Node) -> None:
        """Note what is known of the output of a node that stays."""
        if node.op in _KEEPS_ZEROS and all(_is_zero(name, self.constants, self.zeros) for name in _values(node)):
            self.zeros.add(node.outputs[0])
        if node.op == "ConstantOfShape" and not np.any(node.attributes.get("value", 0)):
            self.zeros.add(node.outputs[0])
        if node.op == "Slice" and _takes_one(node, self.constants):
            self.single.add(node.outputs[0])
        if node.op != "Shape":
            self.floats.update(node.outputs)

    def _compute(self, node: Node) -> Array:
        given: list[Any] = [self.constants[name] if name else None for name in node.inputs]
        try:
            self.computed += elements(node.op, given)
            if self.computed > MOST_ELEMENTS:
                raise ModelError(f"{self.graph.source}: constants beyond {MOST_ELEMENTS} numbers at {_call(node)}.")
            return np.asarray(HOST[node.op](given, node.attributes))
        except (ValueError, IndexError, TypeError, KeyError) as error:
            raise ModelError(
                f"{self.graph.source} is damaged: node {_call(node)} does not fit its inputs: {error}"
            ) from error


def _passes(node: Node, floats: set[str]) -> bool:
    """Say whether a node hands on what it reads."""
    if node.op == "Cast":
        return node.attributes["to"] == _FLOAT and node.inputs[0] in floats
    return node.op in SAME


def _takes_one(node: Node, constants: dict[str, Array]) -> bool:
    """Say whether a Slice leaves one element of the first axis."""
    given = [constants.get(node.input(index)) for index in (1, 2, 3)]
    if any(value is None or value.size != 1 for value in given) or not node.inputs:
        return False
    start, end, axis = (int(value.reshape(-1)[0]) for value in given if value is not None)
    return axis == 0 and (start >= 0 and end == start + 1 or start == -1 and end > 0)


def _keeps_vector(node: Node, constants: dict[str, Array], single: set[str]) -> bool:
    """Say whether a Reshape leaves a vector as it is: its new shape has one side."""
    vector = constants.get(node.inputs[0]) if node.op == "Reshape" else None
    return vector is not None and vector.ndim == 1 and node.inputs[1] in single


def _values(node: Node) -> tuple[str, ...]:
    """Return the inputs that become the output, without shapes and axes."""
    return node.inputs if node.op == "Concat" else node.inputs[:1]


def _is_zero(name: str, constants: dict[str, Array], zeros: set[str]) -> bool:
    return name in zeros or (name in constants and not np.any(constants[name]))


def _without_state(node: Node, constants: dict[str, Array], zeros: set[str], source: str) -> Node:
    lengths, *states = (node.input(index) for index in (4, 5, 6, 7))
    if lengths or any(name and not _is_zero(name, constants, zeros) for name in states):
        raise ModelError(
            f"{source}: node {_call(node)} starts from a state, or has lengths; that cannot be trained here."
        )
    return dataclasses.replace(node, inputs=node.inputs[:4])


def _join_biases(graph: Graph) -> Graph:
    """Make the vector that is added to what a convolution computes, and to nothing else, its own."""
    constants, readers = dict(graph.constants), Counter(name for node in graph.nodes for name in node.inputs)
    readers[graph.output] += 1
    makers = {node.outputs[0]: node for node in graph.nodes}
    biases: dict[str, tuple[str, str]] = {}  # output of a convolution → its bias, and the sum
    for node in graph.nodes:
        if node.op != "Add":
            continue
        for value, vector in (node.inputs, node.inputs[::-1]):
            maker = makers.get(value)
            if maker is None or readers[value] != 1 or value in biases or vector not in constants:
                continue
            if maker.op in ("Conv", "ConvTranspose") and not maker.input(2):
                bias = bias_of(maker, constants, constants[vector])
                if bias is not None:
                    constants[f"{vector}.{value}"] = bias
                    biases[value] = (f"{vector}.{value}", node.outputs[0])
    sums = {total for _, total in biases.values()}
    nodes = []
    for node in graph.nodes:
        if node.outputs[0] in sums:
            continue
        if node.outputs[0] in biases:
            name, total = biases[node.outputs[0]]
            node = dataclasses.replace(node, inputs=(*node.inputs[:2], name), outputs=(total,))
        nodes.append(node)
    return dataclasses.replace(graph, nodes=tuple(nodes), constants=constants)


def bias_of(maker: Node, constants: dict[str, Array], vector: Array) -> Array | None:
    """Return what is added to the channels of what a node computes; None if it is more, or something else."""
    weight = constants.get(maker.input(1))
    if weight is None or vector.dtype != np.float32 or vector.ndim == 0:
        return None
    groups = maker.attributes.get("group", 1)
    channels = {"Conv": weight.shape[0], "ConvTranspose": weight.shape[1] * groups, "MatMul": weight.shape[-1]}[
        maker.op
    ]
    axis = _BIASED[maker.op]
    fits = vector.size == channels and vector.ndim >= -axis and vector.shape[axis] == channels
    return np.ascontiguousarray(vector.reshape(-1)) if fits else None


def _drop_unread(graph: Graph) -> Graph:
    wanted = {graph.output}
    nodes: list[Node] = []
    for node in reversed(graph.nodes):
        if wanted.intersection(node.outputs):
            nodes.append(node)
            wanted.update(name for name in node.inputs if name)
    if graph.input not in wanted:
        raise ModelError(
            f"{graph.source}: the result {graph.output!r} does not depend on the image. Is the file whole?"
        )
    constants = {name: value for name, value in graph.constants.items() if name in wanted}
    return dataclasses.replace(graph, nodes=tuple(reversed(nodes)), constants=constants)


def _call(node: Node) -> str:
    return f"{node.name or node.outputs[0]!r} ({node.op})"
