"""An ONNX graph as plain data: nodes, constants, one input, one output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from ppocr_lite.errors import ModelError, suggest

Array = NDArray[Any]
MOST_ELEMENTS = 1 << 28  # of all constants together: a gigabyte of float32, ten times the largest PP-OCR network

# What can be computed; ``operators`` says how.
CONSTANTS = frozenset(("Constant", "ConstantOfShape"))
SAME = frozenset(("Identity", "Dropout"))  # in evaluation
LAYERS = frozenset(("Conv", "ConvTranspose", "MatMul", "Gemm", "BatchNormalization", "LSTM"))
_LOOPS = frozenset(("If", "Loop", "Scan", "SequenceMap"))
_BYTES = frozenset(("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger"))


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        op: Its kind, as ONNX calls it.
        name: Its own name, for messages.
        inputs: Names of what it reads, empty for an optional one that is left out.
        outputs: Names of what it computes.
        attributes: Numbers, lists and bytes.
    """

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def input(self, index: int) -> str:
        """Return the name of an input, empty if it is left out."""
        return self.inputs[index] if index < len(self.inputs) else ""


@dataclass(frozen=True)
class Graph:
    """A network for images.

    Attributes:
        source: Where it was read, for messages.
        nodes: In an order in which they can be computed.
        constants: Name → value.
        input: Name of the image.
        shape: Sides of the image, (N, 3, H, W), -1 where they vary.
        output: Name of the result.
        opset: Release of the operators.
        ir_version: Release of the file format.
        metadata: What the file says of itself, e.g. ``character``.
    """

    source: str
    nodes: tuple[Node, ...]
    constants: dict[str, Array]
    input: str
    shape: tuple[int, ...]
    output: str
    opset: int
    ir_version: int = 7
    metadata: dict[str, str] = field(default_factory=dict)


def check_kinds(nodes: Sequence[Node], domains: Sequence[str], known: Sequence[str], source: str) -> None:
    """Check that every node can be computed.

    Args:
        nodes: Of the graph.
        domains: Of each node; empty for ONNX's own operators.
        known: Kinds that can be computed.
        source: Where the graph was read.

    Raises:
        ModelError: If one cannot: names the kind, and says what to do.
    """
    kinds = Counter(node.op for node in nodes)
    if found := sorted(set(kinds) & _LOOPS):
        raise ModelError(
            f"{source}: the graph decides while it computes ({', '.join(found)}), which cannot be trained here. "
            "Export the network without control flow, for one kind of input."
        )
    if found := sorted(kind for kind in kinds if kind in _BYTES or kind.startswith("QLinear")):
        raise ModelError(
            f"{source} is quantised ({', '.join(found)}): its weights are bytes, from which no training can start. "
            "Give the network in float; Architecture.quant trains for 8 bits."
        )
    foreign = sorted({domain for domain in domains if domain not in ("", "ai.onnx")})
    if foreign:
        raise ModelError(f"{source}: operators of {', '.join(foreign)} are not ONNX's own. Export without them.")
    for kind in sorted(set(kinds) - set(known)):
        first = next(node for node in nodes if node.op == kind)
        raise ModelError(
            f"{source}: node {first.name or first.outputs[0]!r} is a {kind}, which cannot be trained here. "
            f"Export the network with other operators.{suggest(kind, known)}"
        )
