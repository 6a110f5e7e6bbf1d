"""What the operators of ONNX compute: on arrays, once (``HOST``), and on tensors of an engine (``TENSOR``).

Shapes are host values, also while a network runs: arrays of whole numbers. While Paddle traces a network for export,
their elements may be tensors, so these arrays hold objects then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import nn
from ppocr_lite.errors import ModelError

Attributes = dict[str, Any]
_LOWEST = float(np.finfo(np.float32).min)
# ONNX's numbers of types → NumPy's
TYPES = {1: "float32", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}


# ---- on arrays ------------------------------------------------------------------------------------------------------
def _axes(x: Sequence[Any], a: Attributes, default: Sequence[int] = ()) -> list[int]:
    """Return axes, which are an attribute in older opsets and an input in later ones."""
    if "axes" in a:
        return [int(axis) for axis in a["axes"]]
    return [int(axis) for axis in x[1]] if len(x) > 1 and x[1] is not None else list(default)


def _span(x: Sequence[Any], a: Attributes, rank: int) -> list[tuple[int, Any, Any, int]]:
    """Return (axis, start, end, step) of a Slice."""
    given = [x[index] if len(x) > index else None for index in range(5)]
    starts = a["starts"] if given[1] is None else given[1]
    ends = a["ends"] if given[2] is None else given[2]
    axes = a.get("axes", range(len(starts))) if given[3] is None else given[3]
    steps = [1] * len(starts) if given[4] is None else given[4]
    # Without zip: Paddle's tracing replaces it by one that knows no strict=True.
    return [(int(axes[i]) % rank, starts[i], ends[i], int(steps[i])) for i in range(len(starts))]


def _slice(x: Sequence[Any], a: Attributes) -> Any:
    index = [slice(None)] * x[0].ndim
    for axis, start, end, step in _span(x, a, x[0].ndim):
        index[axis] = slice(start, end, step)
    return x[0][tuple(index)]


def _host_squeeze(x: Sequence[Any], a: Attributes) -> Any:
    return np.squeeze(x[0], tuple(_axes(x, a)) or None)


def _host_unsqueeze(x: Sequence[Any], a: Attributes) -> Any:
    return np.expand_dims(x[0], tuple(_axes(x, a)))


def _host_reshape(x: Sequence[Any], a: Attributes) -> Any:
    del a
    return x[0].reshape([x[0].shape[i] if side == 0 else int(side) for i, side in enumerate(x[1])])


def _host_cast(x: Sequence[Any], a: Attributes) -> Any:
    return x[0] if x[0].dtype == object else x[0].astype(type_of(a))


def _host_divide(x: Sequence[Any], a: Attributes) -> Any:
    del a
    return x[0] // x[1] if x[0].dtype.kind in "iO" else x[0] / x[1]


def type_of(a: Attributes) -> str:
    """Return NumPy's name of the type that a Cast casts to.

    Raises:
        ModelError: If it is one that no network here needs.
    """
    if a["to"] not in TYPES:
        raise ModelError(f"A Cast to the type {a['to']} of ONNX is not known here. Known: {sorted(TYPES)}.")
    return TYPES[a["to"]]


Function = Callable[[Sequence[Any], Attributes], Any]
HOST: dict[str, Function] = {
    "Add": lambda x, a: x[0] + x[1],
    "Sub": lambda x, a: x[0] - x[1],
    "Mul": lambda x, a: x[0] * x[1],
    "Div": _host_divide,
    "Cast": _host_cast,
    "Concat": lambda x, a: np.concatenate(x, axis=a["axis"]),
    "ConstantOfShape": lambda x, a: np.full([int(side) for side in x[0]], a.get("value", np.float32(0))),
    "Expand": lambda x, a: np.broadcast_to(x[0], np.broadcast_shapes(x[0].shape, tuple(int(s) for s in x[1]))),
    "Gather": lambda x, a: np.take(x[0], x[1], axis=a.get("axis", 0)),
    "Reshape": _host_reshape,
    "Slice": _slice,
    "Squeeze": _host_squeeze,
    "Tile": lambda x, a: np.tile(x[0], [int(count) for count in x[1]]),
    "Transpose": lambda x, a: np.transpose(x[0], a.get("perm")),
    "Unsqueeze": _host_unsqueeze,
}


def elements(op: str, x: Sequence[Any]) -> int:
    """Return at most how many numbers a host operator gives, before it computes them."""
    if op == "ConstantOfShape":
        return math.prod(int(side) for side in x[0])
    if op in ("Expand", "Tile"):
        return int(x[0].size) * math.prod(max(1, int(side)) for side in x[1])
    if op in ("Add", "Sub", "Mul", "Div"):
        return math.prod(np.broadcast_shapes(x[0].shape, x[1].shape))
    if op == "Gather":
        return int(x[0].size) * max(1, int(x[1].size))
    return sum(int(value.size) for value in x if value is not None)


# ---- on tensors -----------------------------------------------------------------------------------------------------
def shape_of(x: nn.Tensor) -> NDArray[Any]:
    """Return the sides of a tensor as a host value."""
    sides = nn.sides(x)
    if all(isinstance(side, int) for side in sides):
        return np.array(sides, np.int64)
    found = np.empty(len(sides), object)
    for index, side in enumerate(sides):
        found[index] = side
    return found


def _whole(value: Any) -> Any:
    """Return an element of a host value as what engines take for a side."""
    return int(value) if isinstance(value, int | np.integer) else value


def _reshape(x: Sequence[Any], a: Attributes) -> Any:
    del a
    wanted = [_whole(side) for side in x[1]]
    copied = [i for i, side in enumerate(wanted) if isinstance(side, int) and side == 0]
    if copied:
        own = nn.sides(x[0])
        for index in copied:
            wanted[index] = own[index]
    if not any(isinstance(side, int) and side == -1 for side in wanted):
        first = next((i for i, side in enumerate(wanted) if not isinstance(side, int)), None)
        if first is not None:  # one side that is known only later may as well be left to the engine
            wanted[first] = -1
    return x[0].reshape(wanted)


def _squeeze(x: Sequence[Any], a: Attributes) -> Any:
    found = x[0]
    for axis in sorted((axis % x[0].ndim for axis in _axes(x, a)), reverse=True):
        found = found.squeeze(axis)
    return found


def _unsqueeze(x: Sequence[Any], a: Attributes) -> Any:
    found = x[0]
    axes = _axes(x, a)
    for axis in sorted(axis % (x[0].ndim + len(axes)) for axis in axes):
        found = found.unsqueeze(axis)
    return found


def _cut(x: Sequence[Any], a: Attributes) -> Any:
    found = x[0]
    for axis, start, end, step in _span(x, a, found.ndim):
        if step != 1:
            raise ModelError(f"A Slice of activations takes steps of 1 here. Received: {step}")
        ends = {"start": _whole(start), "end": _whole(end)}
        if isinstance(ends["end"], int) and ends["end"] > 2**31 - 1:
            ends["end"] = None  # ONNX's way to say: to the end
        found = found[(slice(None),) * axis + (slice(ends["start"], ends["end"]),)]
    return found


def _clip(x: Sequence[Any], a: Attributes) -> Any:
    low = x[1] if len(x) > 1 else a.get("min")
    high = x[2] if len(x) > 2 else a.get("max")
    bounds = {"min": low, "max": high}
    return x[0].clip(**{name: float(bound) for name, bound in bounds.items() if bound is not None})


def _mean(x: Sequence[Any], a: Attributes) -> Any:
    return x[0].mean([axis % x[0].ndim for axis in _axes(x, a, range(x[0].ndim))], bool(a.get("keepdims", 1)))


def _softmax(x: Sequence[Any], a: Attributes) -> Any:
    if a["flattens"] and a["axis"] % x[0].ndim != x[0].ndim - 1:
        raise ModelError("A Softmax is over the last axis here. Received: another one, in an opset below 13")
    return nn.softmax(x[0], axis=a["axis"] % x[0].ndim)


def _flatten(x: Sequence[Any], a: Attributes) -> Any:
    if a.get("axis", 1) != 1:
        raise ModelError(f"A Flatten keeps the first axis here. Received: axis {a['axis']}")
    return x[0].flatten(1)


def pads_of(a: Attributes, sides: Sequence[int], kernel: Sequence[int]) -> tuple[int, int, int, int]:
    """Return (top, left, bottom, right) that a window is to see around a map.

    Args:
        a: Attributes of the node.
        sides: Height and width of the map; read only where the padding depends on them.
        kernel: Of the window.
    """
    mode = a.get("auto_pad", b"NOTSET")
    if mode in (b"NOTSET", b"VALID"):
        top, left, bottom, right = a.get("pads", (0, 0, 0, 0)) if mode == b"NOTSET" else (0, 0, 0, 0)
        return top, left, bottom, right
    steps, spread = a.get("strides", (1, 1)), a.get("dilations", (1, 1))
    around = [_same(sides[axis], steps[axis], (kernel[axis] - 1) * spread[axis] + 1) for axis in (0, 1)]
    less = [total // 2 for total in around]
    more = [around[axis] - less[axis] for axis in (0, 1)]
    (top, left), (bottom, right) = (less, more) if mode == b"SAME_UPPER" else (more, less)
    return top, left, bottom, right


def _same(side: int, step: int, reach: int) -> int:
    """Return how much a side is padded so that there is a window for each step of it."""
    return int(max(0, reach - step if step == 1 or side % step == 0 else reach - side % step))


def padded(x: nn.Tensor, a: Attributes, kernel: Sequence[int], value: float = 0.0) -> nn.Tensor:
    """Return *x* (N, C, H, W) with what a window is to see around it."""
    top, left, bottom, right = pads_of(a, nn.sides(x)[2:], kernel)
    return nn.pad(x, [left, right, top, bottom], value=value) if any((top, left, bottom, right)) else x


def _max_pool(x: Sequence[Any], a: Attributes) -> Any:
    kernel = list(a["kernel_shape"])
    _plain_pool(a)
    around = padded(x[0], a, kernel, _LOWEST)
    return nn.max_pool2d(around, kernel, list(a.get("strides", (1, 1))), 0, ceil_mode=bool(a.get("ceil_mode", 0)))


def _average_pool(x: Sequence[Any], a: Attributes) -> Any:
    _plain_pool(a)
    top, left, bottom, right = pads_of(a, nn.sides(x[0])[2:], a["kernel_shape"])
    if (top, left) != (bottom, right) or (a.get("count_include_pad", 0) and (top or left)):
        raise ModelError("An AveragePool pads alike on both sides here, and does not count what it pads.")
    rounded = bool(a.get("ceil_mode", 0))
    return nn.AvgPool2D(tuple(a["kernel_shape"]), tuple(a.get("strides", (1, 1))), (top, left), rounded)(x[0])


def _plain_pool(a: Attributes) -> None:
    if any(gap != 1 for gap in a.get("dilations", ())) or a.get("storage_order", 0):
        raise ModelError("A pool takes neighbouring pixels here. Received: dilations")


def _resize(x: Sequence[Any], a: Attributes) -> Any:
    scales, own = _scales(x), nn.sides(x[0])
    factors = [round(scale) for scale in scales]
    plain = factors[:2] == [1, 1] and len(own) == 4 and scales == [float(factor) for factor in factors]
    if not plain or a.get("mode", b"nearest") != b"nearest":
        mode = a.get("mode", b"nearest").decode()
        raise ModelError(f"A Resize repeats whole pixels here (nearest). Received: mode {mode}, scales {scales}")
    return nn.enlarge(x[0], (factors[2], factors[3]))


def _scales(x: Sequence[Any]) -> list[float]:
    """Return how many times as long each side of a Resize becomes."""
    if len(x) > 2 and x[2] is not None and x[2].size:
        return [float(scale) for scale in x[2]]
    own = nn.sides(x[0])
    return [float(_whole(x[3][axis]) / own[axis]) for axis in range(len(own))]


def _gather(x: Sequence[Any], a: Attributes) -> Any:
    axis = a.get("axis", 0) % x[0].ndim
    if np.ndim(x[1]) != 0:
        raise ModelError("A Gather of activations takes one slice here.")
    return x[0][(slice(None),) * axis + (int(x[1]),)]


def _expand(x: Sequence[Any], a: Attributes) -> Any:
    del a
    return x[0].expand([_whole(side) for side in x[1]])


TENSOR: dict[str, Function] = {
    "Add": lambda x, a: x[0] + x[1],
    "Sub": lambda x, a: x[0] - x[1],
    "Mul": lambda x, a: x[0] * x[1],
    "Div": lambda x, a: x[0] / x[1],
    "Pow": lambda x, a: x[0] ** x[1],
    "MatMul": lambda x, a: x[0] @ x[1],
    "Relu": lambda x, a: nn.relu(x[0]),
    "LeakyRelu": lambda x, a: nn.maximum(x[0], x[0] * a.get("alpha", 0.01)),
    "Sigmoid": lambda x, a: nn.sigmoid(x[0]),
    "Tanh": lambda x, a: x[0].tanh(),
    "Erf": lambda x, a: x[0].erf(),
    "Exp": lambda x, a: x[0].exp(),
    "Sqrt": lambda x, a: x[0].sqrt(),
    "HardSigmoid": lambda x, a: nn.hardsigmoid(x[0], slope=a.get("alpha", 0.2), offset=a.get("beta", 0.5)),
    "HardSwish": lambda x, a: nn.hardswish(x[0]),
    "Clip": _clip,
    "Cast": lambda x, a: nn.cast(x[0], type_of(a)),
    "Concat": lambda x, a: nn.concat(list(x), axis=a["axis"]),
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "GlobalAveragePool": lambda x, a: x[0].mean([2, 3], True),
    "ReduceMean": _mean,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "Reshape": _reshape,
    "Resize": _resize,
    "Shape": lambda x, a: shape_of(x[0]),
    "Slice": _cut,
    "Softmax": _softmax,
    "Squeeze": _squeeze,
    "Transpose": lambda x, a: nn.transpose(x[0], list(a["perm"])),
    "Unsqueeze": _unsqueeze,
    # with weights: computed by a layer, see ``plan``
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm", "BatchNormalization", "LSTM"), lambda x, a: x[0]),
}
