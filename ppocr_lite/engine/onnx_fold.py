"""Convolutions of sums, written as sums of smaller convolutions: a feature pyramid at the size of each of its maps.

A convolution of a sum is the sum of the convolutions of its parts.  A part that was enlarged by repeating its pixels
can be convolved at its own size, by a transposed convolution, which multiplies a fraction as often; a part that is
itself a convolution of single pixels becomes one with the other.  Borders included, the result is the same, up to
rounding.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ppocr_lite.engine.onnx_graph import constants_of, drop_unneeded, replace_nodes

WORTH = 0.75  # a convolution is written anew if that multiplies at most this share as often
Weight = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """A part of a sum: a map whose pixels are repeated, and then convolved.

    Attributes:
        source: Name of the map (N, I, H, W).
        factor: How often each of its pixels is repeated, down and across.
        weight: (O, I, K, K), K odd; what lies outside the map counts as 0.
    """

    source: str
    factor: int
    weight: Weight

    @property
    def side(self) -> int:
        """Side of the kernel of the transposed convolution that does both, or of the convolution itself."""
        return self.weight.shape[2] + self.factor - 1

    @property
    def products(self) -> float:
        """Multiplications for a pixel of the result."""
        return math.prod(self.weight.shape[:2]) * (self.side / self.factor) ** 2

    def node(self, graph: Any, result: str) -> Any:
        """Return the node that computes it, and add its weight to *graph*."""
        reach = self.weight.shape[2] // 2
        weight = _repeated(self.weight, self.factor) if self.factor > 1 else self.weight
        name = f"{result}.weight"
        graph.initializer.append(numpy_helper.from_array(weight.astype(np.float32), name))
        return helper.make_node(
            "Conv" if self.factor == 1 else "ConvTranspose",
            [self.source, name],
            [result],
            kernel_shape=[self.side] * 2,
            strides=[self.factor] * 2,
            pads=[reach] * 4,
        )


def fold_sums(model: Any) -> int:
    """Write convolutions of sums as sums of convolutions where that multiplies less.

    Args:
        model: ``onnx.ModelProto`` that ``simplify`` has been through, opset 11 or later; changed in place.

    Returns:
        How many were written anew.
    """
    graph = model.graph
    made = {name: node for node in graph.node for name in node.output}
    constants = constants_of(graph)
    nodes, count = [], 0
    for node in graph.node:
        weight = constants.get(node.input[1]) if node.op_type == "Conv" else None
        if weight is None or not _keeps_size(node, weight):
            nodes.append(node)
            continue
        parts = _parts(Part(node.input[0], 1, weight.astype(np.float64)), made, constants)
        if sum(part.products for part in parts) > WORTH * weight[0].size * len(weight):
            nodes.append(node)
            continue
        nodes += _sum(graph, parts, node.output[0])
        count += 1
    if count:
        replace_nodes(graph, nodes)
        drop_unneeded(graph)
    return count


def _parts(part: Part, made: dict[str, Any], constants: dict[str, NDArray[Any]]) -> list[Part]:
    """Return what a part is the sum of; itself, if it is of one piece."""
    node = made.get(part.source)
    if node is None:
        return [part]
    pieces: list[Part] = []
    factor = _enlargement(node, constants)
    weight = constants.get(node.input[1]) if node.op_type == "Conv" else None
    if factor:
        pieces = [Part(node.input[0], part.factor * factor, part.weight)]
    elif node.op_type == "Add" and not set(node.input) & set(constants):
        # a sum at a smaller size is there anyway, for the parts of its own size
        pieces = [Part(name, 1, part.weight) for name in node.input] if part.factor == 1 else []
    elif node.op_type == "Concat":
        pieces = _slices(part, node, made, constants)
    elif weight is not None and _is_narrow(weight) and _keeps_size(node, weight):
        return [Part(node.input[0], part.factor, np.einsum("oikl,ij->ojkl", part.weight, weight[:, :, 0, 0]))]
    return [small for piece in pieces for small in _parts(piece, made, constants)] or [part]


def _slices(part: Part, node: Any, made: dict[str, Any], constants: dict[str, NDArray[Any]]) -> list[Part]:
    """Return the parts of maps that are joined channel by channel; none where their channels are not known."""
    channels = [_channels(name, made, constants) for name in node.input]
    if helper.get_attribute_value(node.attribute[0]) != 1 or sum(channels) != part.weight.shape[1] or 0 in channels:
        return []
    ends = list(itertools.accumulate(channels))
    return [
        Part(name, part.factor, part.weight[:, end - count : end])
        for name, count, end in zip(node.input, channels, ends, strict=True)
    ]


def _channels(name: str, made: dict[str, Any], constants: dict[str, NDArray[Any]]) -> int:
    """Return the channels of a map that a convolution made, enlarged or not; 0 of any other."""
    node = made.get(name)
    if node is None:
        return 0
    if node.op_type == "Conv" and node.input[1] in constants:
        return len(constants[node.input[1]])
    return _channels(node.input[0], made, constants) if _enlargement(node, constants) else 0


def _is_narrow(weight: NDArray[Any]) -> bool:
    """Say whether a convolution looks at single pixels, and takes fewer channels than it returns."""
    return weight.shape[2:] == (1, 1) and weight.shape[1] < len(weight)


def _keeps_size(node: Any, weight: NDArray[Any]) -> bool:
    """Say whether a convolution has no bias and one group, and returns maps of the size that it takes."""
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    side = weight.shape[2]
    return (
        len(node.input) == 2
        and weight.shape[2:] == (side, side)
        and side % 2 == 1
        and values.get("group", 1) == 1
        and set(values.get("strides", [1])) == {1}
        and set(values.get("dilations", [1])) == {1}
        and list(values.get("pads", [0] * 4)) == [side // 2] * 4
        and values.get("auto_pad", b"NOTSET") == b"NOTSET"
    )


def _enlargement(node: Any, constants: dict[str, NDArray[Any]]) -> int:
    """Return how often a node repeats each pixel, down and across; 0 if it does anything else."""
    if node.op_type != "Resize" or len(node.input) != 3 or node.input[2] not in constants:
        return 0
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    scales = constants[node.input[2]].tolist()
    plain = {"mode": b"nearest", "coordinate_transformation_mode": b"asymmetric", "nearest_mode": b"floor"}
    if values != plain or scales[:2] != [1, 1] or scales[2] != scales[3] or scales[2] % 1:
        return 0
    return int(scales[2])


def _repeated(weight: Weight, factor: int) -> Weight:
    """Return the weight (I, O, K', K') of the transposed convolution that repeats pixels and convolves by *weight*."""
    taps = weight.shape[2]
    side = taps + factor - 1
    # pixel t of the enlarged neighbourhood of a pixel sees it through the taps that end up on its copies
    reached = np.subtract.outer(np.arange(side), taps - 1 - np.arange(taps))  # (K', K)
    seen = ((reached >= 0) & (reached < factor)).astype(np.float64)
    return np.einsum("oikl,tk,ul->iotu", weight, seen, seen)


def _sum(graph: Any, parts: list[Part], result: str) -> list[Any]:
    """Return the nodes that compute each part, those of its own size first, and add them up."""
    parts = sorted(parts, key=lambda part: part.factor)
    names = [f"{result}.part{index}" for index in range(len(parts))] if len(parts) > 1 else [result]
    nodes = [part.node(graph, name) for part, name in zip(parts, names, strict=True)]
    sums = [*(f"{name}.sum" for name in names[1:-1]), result]
    for total, name, added in zip([names[0], *sums], names[1:], sums, strict=False):
        nodes.append(helper.make_node("Add", [total, name], [added]))
    return nodes
