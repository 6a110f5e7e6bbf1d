"""Layers of an engine for the weighted nodes of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ppocr_lite import nn
from ppocr_lite.errors import ModelError
from ppocr_lite.modeling.graphs.operators import padded
from ppocr_lite.modeling.graphs.plan import LayerSpec, Step
from ppocr_lite.modeling.layers import uniform_attribute


class Vector(nn.Layer):
    """One weight that activations are multiplied by, or increased by.

    Args:
        shape: Of the weight.

    Shape:
        any that broadcasts with the weight → the same
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = self.create_parameter(list(shape), default_initializer=nn.Constant())


class Scale(Vector):
    """Multiplies by a weight; see :class:`Vector`."""

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return x * self.weight


class Shift(Vector):
    """Adds a weight; see :class:`Vector`."""

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return x + self.weight


def make_layer(spec: LayerSpec) -> Any:
    """Return the layer of an engine that *spec* describes, with its weights.

    Raises:
        ModelError: If engines have no such layer.
    """
    layer = _MAKERS[spec.kind](spec)
    weights = dict(spec.weights)
    if spec.kind == "norm":
        mean, variance, _ = nn.statistics(layer)
        nn.set_value(mean, np.array(weights.pop("_mean")))
        nn.set_value(variance, np.array(weights.pop("_variance")))
    turned = spec.kind == "linear" and nn.LINEAR_OUTPUT_AXIS == 0
    for name, value in weights.items():
        nn.set_value(getattr(layer, name), np.array(value.T if turned and value.ndim > 1 else value, order="C"))
    return layer


def new_linear(inputs: int, outputs: int, *, bias: bool) -> Any:
    """Return a fully connected layer that begins afresh."""
    begun = uniform_attribute(inputs)
    return nn.Linear(inputs, outputs, weight_attr=begun, bias_attr=begun if bias else False)


def run_layer(layer: Any, step: Step, x: nn.Tensor) -> nn.Tensor:
    """Return what the layer of *step* computes of *x*."""
    if step.op == "Conv" and symmetric_pads(step.attributes) is None:
        x = padded(x, step.attributes, step.attributes["kernel_shape"])
    if step.op == "LSTM":
        found, _ = layer(nn.transpose(x, [1, 0, 2]))  # (N, T, D H); ONNX reads (T, N, C)
        directions = 2 if step.attributes.get("direction") == b"bidirectional" else 1
        hidden = step.attributes["hidden_size"]
        count, steps, _ = nn.sides(found)
        return nn.transpose(found.reshape([count, steps, directions, hidden]), [1, 2, 0, 3])  # (T, D, N, H)
    return layer(x)


def symmetric_pads(attributes: dict[str, Any]) -> tuple[int, int] | None:
    """Return the padding above and left of a map where it is the same below and right; None where it is not."""
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        return None
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    return (top, left) if (top, left) == (bottom, right) else None


def _conv(spec: LayerSpec) -> Any:
    weight, a = spec.weights["weight"], spec.attributes
    groups = a.get("group", 1)
    return nn.Conv2D(
        weight.shape[1] * groups,
        weight.shape[0],
        tuple(weight.shape[2:]),
        stride=tuple(a.get("strides", (1, 1))),
        padding=symmetric_pads(a) or 0,
        dilation=tuple(a.get("dilations", (1, 1))),
        groups=groups,
        bias_attr=_bias(spec),
    )


def _deconv(spec: LayerSpec) -> Any:
    weight, pads = spec.weights["weight"], symmetric_pads(spec.attributes)
    if pads is None:
        raise ModelError(f"{spec.name}: a ConvTranspose pads alike on both sides here. Received: {spec.attributes}")
    strides = tuple(spec.attributes.get("strides", (1, 1)))
    sides = tuple(weight.shape[2:])
    return nn.Conv2DTranspose(*weight.shape[:2], sides, stride=strides, padding=pads, bias_attr=_bias(spec))


def _linear(spec: LayerSpec) -> Any:
    return nn.Linear(*spec.weights["weight"].shape, bias_attr=_bias(spec))


def _norm(spec: LayerSpec) -> Any:
    return nn.BatchNorm2D(len(spec.weights["weight"]), epsilon=spec.attributes.get("epsilon", 1e-5))


def _lstm(spec: LayerSpec) -> Any:
    both = spec.attributes.get("direction") == b"bidirectional"
    inputs, hidden = spec.weights["weight_ih_l0"].shape[1], spec.attributes["hidden_size"]
    return nn.LSTM(inputs, hidden, direction="bidirectional" if both else "forward")


def _bias(spec: LayerSpec) -> Any:
    return None if "bias" in spec.weights else False


_MAKERS: dict[str, Callable[[LayerSpec], Any]] = {
    "conv": _conv,
    "deconv": _deconv,
    "linear": _linear,
    "norm": _norm,
    "lstm": _lstm,
    "scale": lambda spec: Scale(spec.weights["weight"].shape),
    "shift": lambda spec: Shift(spec.weights["weight"].shape),
}
