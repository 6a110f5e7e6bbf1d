"""What tests need in order to hold our networks against published ONNX graphs: layers in order, and their values."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from ppocr_lite import nn
from ppocr_lite.modeling.backbones.pp_lcnet_v3 import LearnableAffineBlock

Array = NDArray[Any]


@dataclass
class Part:
    """One layer with values of its own.

    Attributes:
        kind: "Conv", "ConvTranspose", "MatMul", "BatchNormalization", or "Affine": a scale and a shift.
        shape: Of its main weight, as ONNX lays it out, with strides and groups of a convolution.
        values: By role: weight, bias, mean, variance.
        target: Our layer, of a network of ours.
    """

    kind: str
    shape: tuple[Any, ...]
    values: dict[str, Array] = field(default_factory=dict)
    target: Any = None


def published(package: str, name: str) -> Path:
    """Return a model that a wheel brings; the test is skipped where it is not installed.

    Two releases of one package cannot be installed together: ``PPOCR_LITE_PEERS`` may name a folder of unpacked wheels.
    """
    spec = importlib.util.find_spec(package)
    folders = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    folders += [Path(os.environ["PPOCR_LITE_PEERS"])] if "PPOCR_LITE_PEERS" in os.environ else []
    found = next((file for folder in folders for file in sorted(folder.rglob(name))), None)
    if found is None:
        pytest.skip(f"needs {name} of a wheel of {package}, installed or in a folder that PPOCR_LITE_PEERS names")
    return found


class Graph:
    """A published graph."""

    def __init__(self, file: Path) -> None:
        graph = onnx.load(file).graph
        self.nodes = list(graph.node)
        self.constants = _constants(graph)
        self.users: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name in node.input:
                self.users.setdefault(name, []).append(node)

    def parts(self) -> Iterator[Part]:
        """Yield the layers in order."""
        for node in self.nodes:
            given = [self.constants.get(name) for name in node.input]
            if node.op_type in ("Conv", "ConvTranspose"):
                bias = given[2] if len(given) > 2 else self._added(node)
                options = {a.name: list(a.ints) or a.i for a in node.attribute}
                shape = (*given[1].shape, tuple(options.get("strides", (1, 1))), options.get("group", 1))
                yield Part(node.op_type, shape, _given(weight=given[1], bias=bias))
            elif node.op_type == "MatMul" and given[1] is not None:
                yield Part("MatMul", given[1].shape, _given(weight=given[1], bias=self._added(node)))
            elif node.op_type == "BatchNormalization":
                roles = ("weight", "bias", "mean", "variance")
                yield Part("BatchNormalization", given[1].shape, dict(zip(roles, given[1:], strict=True)))
            elif node.op_type == "Mul":
                scale = next((value for value in given if value is not None and value.ndim == 1), None)
                shift = self._added(node)
                # The scale of attention may also stand there, as one number and a shift by 0.
                if scale is not None and shift is not None and shift.shape == scale.shape and shift.any():
                    yield Part("Affine", scale.shape, {"weight": scale, "bias": shift})

    def _added(self, node: Any) -> Array | None:
        """Return the constant that is added to what *node* computes; None if there is none."""
        (user,) = [*self._behind(node.output[0]), None][:1]
        if user is None or user.op_type != "Add":
            return None
        value = next((self.constants[name] for name in user.input if name in self.constants), None)
        return None if value is None or value.ndim == 0 else value.reshape(-1)

    def _behind(self, name: str) -> list[Any]:
        """Return what uses *name*, seen through nodes that change nothing."""
        found = []
        for user in self.users.get(name, []):
            found += self._behind(user.output[0]) if user.op_type in ("Identity", "Cast") else [user]
        return found


def layers(network: Any, image: Array) -> list[Part]:
    """Return the layers of our network in the order in which they predict."""
    found: list[Part] = []

    def note(layer: Any, _given: Any, _made: Any) -> None:
        found.append(_ours(layer))

    kinds = (nn.Conv2D, nn.Conv2DTranspose, nn.Linear, nn.BatchNorm2D, nn.LayerNorm, LearnableAffineBlock)
    hooks = [
        getattr(layer, "register_forward_post_hook", None) or layer.register_forward_hook
        for layer in network.sublayers()
        if isinstance(layer, kinds)
    ]
    removers = [hook(note) for hook in hooks]
    with nn.no_grad():
        network.predict(nn.to_tensor(image))
    for remover in removers:
        remover.remove()
    return found


def copy_values(graph: Graph, ours: list[Part]) -> None:
    """Copy the values of a published graph into our layers, which have its order.

    Where it holds a bias in the place of a normalisation of ours, that becomes one that only adds.
    """
    theirs = list(graph.parts())[::-1]
    moved: Array | None = None
    for part in ours:
        if part.kind == "BatchNormalization" and (not theirs or theirs[-1].kind != part.kind):
            ones, zeros = np.ones(part.shape, np.float32), np.zeros(part.shape, np.float32)
            _set(
                part,
                {"weight": ones, "mean": zeros, "variance": ones - 1e-5, "bias": zeros if moved is None else moved},
            )
            continue
        found = theirs.pop()
        assert (found.kind, found.shape) == (part.kind, part.shape)
        moved = None if part.target.bias is not None else found.values.pop("bias", None)
        _set(part, found.values)
    assert not theirs


def _set(part: Part, values: dict[str, Array]) -> None:
    mean, variance = nn.statistics(part.target)[:2] if part.kind == "BatchNormalization" else (None, None)
    scale = part.target.scale if isinstance(part.target, LearnableAffineBlock) else part.target.weight
    places = {"weight": scale, "bias": part.target.bias, "mean": mean, "variance": variance}
    for role, value in values.items():
        turned = part.kind == "MatMul" and role == "weight" and not nn.LINEAR_OUTPUT_AXIS
        nn.set_value(places[role], np.array(value.T if turned else value, np.float32, order="C"))


def _ours(layer: Any) -> Part:
    if isinstance(layer, nn.Conv2D | nn.Conv2DTranspose):
        kind = "Conv" if isinstance(layer, nn.Conv2D) else "ConvTranspose"
        options = nn.geometry(layer)
        stride = options["stride"]
        strides = (stride, stride) if isinstance(stride, int) else tuple(stride)
        return Part(kind, (*layer.weight.shape, strides, options["groups"]), target=layer)
    if isinstance(layer, nn.Linear):
        shape = tuple(layer.weight.shape)
        return Part("MatMul", shape if nn.LINEAR_OUTPUT_AXIS else shape[::-1], target=layer)
    if isinstance(layer, nn.BatchNorm2D):
        return Part("BatchNormalization", tuple(layer.weight.shape), target=layer)
    return Part("Affine", tuple(layer.bias.shape), target=layer)


def _given(**values: Array | None) -> dict[str, Array]:
    return {name: value for name, value in values.items() if value is not None}


def _constants(graph: Any) -> dict[str, Array]:
    """Return every value that is not computed, as it stands, reshaped, or passed on.

    Where the shape is computed, as that of layer normalisations is, the value keeps the one it has.
    """
    found = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        elif node.op_type in ("Identity", "Cast") and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
        elif node.op_type == "Reshape" and node.input[0] in found:
            value, shape = found[node.input[0]], found.get(node.input[1])
            found[node.output[0]] = value if shape is None else value.reshape(shape)
    return found
