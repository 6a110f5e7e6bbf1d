"""A folded graph → layers with weights, and steps that use them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ppocr_lite.errors import ModelError
from ppocr_lite.modeling.graphs.fold import bias_of
from ppocr_lite.modeling.graphs.graph import Array, Graph, Node

_GATES = (0, 2, 3, 1)  # ONNX orders the gates of an LSTM i o f c, Paddle and torch i f c o
_SOFTMAX_OF_ONE_AXIS = 13  # the opset since which Softmax is over one axis, by default the last
KINDS = {"Conv": "conv", "ConvTranspose": "deconv", "MatMul": "linear", "Gemm": "linear", "BatchNormalization": "norm"}


@dataclass(frozen=True)
class LayerSpec:
    """A layer of an engine.

    Attributes:
        name: Of the layer within the network: kind and number, in the order of the graph.
        kind: ``conv``, ``deconv``, ``linear``, ``norm``, ``lstm``, ``scale`` or ``shift``.
        weights: Name within the layer, as Paddle has it → value, in Paddle's layout.
        constants: Name within the layer → name of the constant of the graph that it is.
        attributes: Of the node.
    """

    name: str
    kind: str
    weights: dict[str, Array]
    constants: dict[str, str]
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One thing to compute.

    Attributes:
        op: Kind of the node.
        inputs: Names of values, empty where one is left out; of a layer, only the one that it reads.
        output: Name of the value it makes.
        attributes: Of the node.
        layer: Name of the layer that computes it; empty for an operator without weights.
        host: Whether it computes with sides instead of tensors.
        last: Names of values that nothing reads afterwards.
    """

    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]
    layer: str = ""
    host: bool = False
    last: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A network as layers and steps.

    Attributes:
        layers: Name → layer, in the order of the graph.
        steps: In order.
        constants: Name → value of everything else that steps read.
        scores: Name of the result, or of what its softmax reads.
        last: Name of the layer that makes *scores*; None if a layer does not.
        owners: Output of a node of the graph → name of the layer that it is, or is part of.
    """

    layers: dict[str, LayerSpec]
    steps: tuple[Step, ...]
    constants: dict[str, Array]
    scores: str
    last: str | None
    owners: dict[str, str]

    def steps_to_scores(self) -> tuple[Step, ...]:
        """Return the steps without the softmax at the end."""
        return self.steps if self.steps[-1].output == self.scores else self.steps[:-1]

    def weights(self) -> dict[str, Array]:
        """Return every weight of the graph under its name in the network, in Paddle's layout."""
        return {
            f"{layer.name}.{name}": value for layer in self.layers.values() for name, value in layer.weights.items()
        }


def make_plan(graph: Graph) -> Plan:
    """Find the weights of a folded graph.

    A weight is what a convolution, a matrix product, a normalisation or an LSTM reads beside activations, and a vector
    that activations are multiplied by or increased by after the first of these. All else is constant: shapes, single
    numbers, and what normalises the image.

    Raises:
        ModelError: If a layer is of a form that cannot be trained here.
    """
    return _Planner(graph).plan()


class _Planner:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.layers: dict[str, LayerSpec] = {}
        self.steps: list[Step] = []
        self.counts: Counter[str] = Counter()
        self.shared: dict[tuple[str, ...], str] = {}
        self.owners: dict[str, str] = {}
        self.host = {name for name, value in graph.constants.items() if value.dtype.kind in "iub"}
        self.readers = Counter(name for node in graph.nodes for name in node.inputs)
        self.readers[graph.output] += 1

    def plan(self) -> Plan:
        nodes = list(self.graph.nodes)
        skipped: set[str] = set()
        for index, node in enumerate(nodes):
            if node.outputs[0] in skipped:
                continue
            if node.op == "MatMul" and node.input(1) in self.graph.constants:
                skipped.add(self._linear(node, nodes[index + 1 :]))
            elif node.op in ("Conv", "ConvTranspose", "Gemm", "BatchNormalization", "LSTM"):
                {"Gemm": self._gemm, "BatchNormalization": self._norm, "LSTM": self._lstm}.get(node.op, self._conv)(
                    node
                )
            else:
                self._operator(node)
        read = {name for step in self.steps for name in step.inputs}
        constants = {name: value for name, value in self.graph.constants.items() if name in read}
        steps = _note_last(self.steps, set(constants), self.graph.output)
        end = steps[-1]
        scores = end.inputs[0] if end.op == "Softmax" else end.output
        return Plan(self.layers, steps, constants, scores, self._maker_of(scores), self.owners)

    def _maker_of(self, name: str) -> str | None:
        """Return the layer whose values, only turned and reshaped, *name* are."""
        makers = {step.output: step for step in self.steps}
        while name in makers and makers[name].op in ("Transpose", "Reshape", "Squeeze", "Unsqueeze"):
            name = makers[name].inputs[0]
        return (makers[name].layer or None) if name in makers else None

    def _conv(self, node: Node) -> None:
        weight = self._constant(node, 1)
        if weight.ndim != 4:
            raise self._refuse(node, f"a weight of 4 axes, not {weight.ndim}")
        names = {"weight": node.inputs[1]} | ({"bias": node.inputs[2]} if node.input(2) else {})
        plain = node.attributes.get("group", 1) == 1 and set(node.attributes.get("dilations", [1])) == {1}
        shaped = any(node.attributes.get("output_padding", ())) or "output_shape" in node.attributes
        if node.op == "ConvTranspose" and (shaped or not plain):
            raise self._refuse(node, "one group, neighbouring pixels, and no output padding")
        self._layer(node, KINDS[node.op], {name: self.graph.constants[key] for name, key in names.items()}, names)

    def _linear(self, node: Node, rest: Sequence[Node]) -> str:
        """Add a matrix product with the bias that follows it; return the output of the node that is done with it."""
        weight = self._constant(node, 1)
        if weight.ndim != 2:
            self._operator(node)
            return ""
        weights, names = {"weight": weight}, {"weight": node.inputs[1]}
        follower = next((n for n in rest if node.outputs[0] in n.inputs), None)
        if follower is not None and follower.op == "Add" and self.readers[node.outputs[0]] == 1:
            vector = next(name for name in follower.inputs if name != node.outputs[0])
            value = self.graph.constants.get(vector)
            bias = None if value is None else bias_of(node, self.graph.constants, value)
            if bias is not None:
                self._layer(node, "linear", weights | {"bias": bias}, names | {"bias": vector}, follower.outputs[0])
                return follower.outputs[0]
        self._layer(node, "linear", weights, names)
        return ""

    def _gemm(self, node: Node) -> None:
        a = node.attributes
        if a.get("transA", 0) or a.get("alpha", 1.0) != 1.0 or a.get("beta", 1.0) != 1.0:
            raise self._refuse(node, "a plain product: transA 0, alpha 1, beta 1")
        weight = self._constant(node, 1)
        weights, names = {"weight": weight.T if a.get("transB", 0) else weight}, {"weight": node.inputs[1]}
        if node.input(2):
            weights, names = weights | {"bias": self._constant(node, 2).reshape(-1)}, names | {"bias": node.inputs[2]}
        self._layer(node, "linear", weights, names)

    def _norm(self, node: Node) -> None:
        names = dict(zip(("weight", "bias", "_mean", "_variance"), node.inputs[1:5], strict=True))
        if node.attributes.get("training_mode", 0):
            raise self._refuse(node, "stored statistics: export in evaluation mode")
        self._layer(node, "norm", {name: self._constant(node, i) for i, name in enumerate(names, start=1)}, names)

    def _lstm(self, node: Node) -> None:
        direction = node.attributes.get("direction", b"forward")
        unusual = {"activations", "clip", "input_forget", "layout"} & set(node.attributes)
        if direction not in (b"forward", b"bidirectional") or unusual or any(node.outputs[1:2] and self._read(node)):
            raise self._refuse(node, f"a plain LSTM, forward or bidirectional. It says {sorted(unusual) or direction}")
        weights: dict[str, Array] = {}
        for turn, suffix in enumerate(("", "_reverse")[: len(self._constant(node, 1))]):
            biases = self._constant(node, 3)[turn].reshape(2, -1) if node.input(3) else None
            parts = {"weight_ih": self._constant(node, 1)[turn], "weight_hh": self._constant(node, 2)[turn]}
            empty = np.zeros(len(parts["weight_ih"]), np.float32)
            parts |= dict(zip(("bias_ih", "bias_hh"), (empty, empty) if biases is None else biases, strict=True))
            weights |= {f"{name}_l0{suffix}": reorder_gates(value) for name, value in parts.items()}
        names = {name: node.input(index) for index, name in enumerate("WRB", start=1)}
        self._layer(node, "lstm", weights, names)

    def _read(self, node: Node) -> list[bool]:
        """Say of the further outputs of a node whether something reads them."""
        return [self.readers[name] > 0 for name in node.outputs[1:] if name]

    def _operator(self, node: Node) -> None:
        vector = next((name for name in node.inputs if self._is_vector(node, name)), None)
        if vector is not None:
            kind = {"Mul": "scale", "Add": "shift"}[node.op]
            value = next(name for name in node.inputs if name != vector)
            self._layer(node, kind, {"weight": self.graph.constants[vector]}, {"weight": vector}, read=value)
            return
        attributes = dict(node.attributes)
        if node.op == "Softmax":
            attributes.setdefault("axis", -1 if self.graph.opset >= _SOFTMAX_OF_ONE_AXIS else 1)
            attributes["flattens"] = self.graph.opset < _SOFTMAX_OF_ONE_AXIS
        host = node.op != "Shape" and all(not name or name in self.host for name in node.inputs)
        if host or node.op == "Shape":
            self.host.update(node.outputs)
        self.steps.append(Step(node.op, node.inputs, node.outputs[0], attributes, host=host))

    def _is_vector(self, node: Node, name: str) -> bool:
        """Say whether an input is a weight that multiplies or is added, after the first layer of the network."""
        value = self.graph.constants.get(name)
        fits = value is not None and value.dtype == np.float32 and value.size > 1
        return bool(node.op in ("Mul", "Add") and fits and self.layers)

    def _layer(
        self,
        node: Node,
        kind: str,
        weights: dict[str, Array],
        constants: dict[str, str],
        output: str | None = None,
        read: str | None = None,
    ) -> None:
        """Add a step of a layer, and the layer unless another node has the same weights."""
        if wrong := sorted(name for name, value in weights.items() if value.dtype != np.float32):
            raise self._refuse(node, f"float32 weights; {wrong} are others")
        key = (kind, *constants.values(), repr(sorted(node.attributes.items())))
        if key not in self.shared:
            self.shared[key] = f"{kind}_{self.counts[kind]}"
            self.counts[kind] += 1
            name = self.shared[key]
            self.layers[name] = LayerSpec(name, kind, weights, constants, node.attributes)
        self.owners |= {node.outputs[0]: self.shared[key], output or node.outputs[0]: self.shared[key]}
        inputs = (read or node.inputs[0],)
        self.steps.append(Step(node.op, inputs, output or node.outputs[0], node.attributes, self.shared[key]))

    def _constant(self, node: Node, index: int) -> Array:
        name = node.input(index)
        if name not in self.graph.constants:
            raise self._refuse(node, f"weights that are constant; {name!r} is computed")
        return self.graph.constants[name]

    def _refuse(self, node: Node, needs: str) -> ModelError:
        return ModelError(
            f"{self.graph.source}: node {node.name or node.outputs[0]!r} ({node.op}) cannot be trained here: "
            f"it needs {needs}."
        )


def reorder_gates(value: Array, order: Sequence[int] = _GATES) -> Array:
    """Return the four blocks of an LSTM weight or bias in another order."""
    blocks = np.split(value, 4)
    return np.ascontiguousarray(np.concatenate([blocks[index] for index in order]))


def _note_last(steps: Sequence[Step], constants: set[str], output: str) -> tuple[Step, ...]:
    """Return the steps with what is read for the last time."""
    seen = constants | {output}
    found = []
    for step in reversed(steps):
        last = tuple(dict.fromkeys(name for name in step.inputs if name and name not in seen))
        seen.update(last)
        found.append(Step(step.op, step.inputs, step.output, step.attributes, step.layer, step.host, last))
    return tuple(reversed(found))
