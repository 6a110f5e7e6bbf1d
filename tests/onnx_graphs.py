"""Small ONNX graphs made for a test, in the forms in which PP-OCR's are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

FLOAT = TensorProto.FLOAT


class GraphBuilder:
    """Collects nodes and weights; weights are Constant nodes, as paddle2onnx writes them, or initialisers."""

    def __init__(self, seed: int = 0, *, as_nodes: bool = True) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.rng, self.as_nodes, self.count = np.random.default_rng(seed), as_nodes, 0

    def constant(self, value: Any, name: str = "") -> str:
        self.count += 1
        name = name or f"constant_{self.count}"
        tensor = numpy_helper.from_array(np.asarray(value), name)
        if self.as_nodes:
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        else:
            self.initializers.append(tensor)
        return name

    def weight(self, *shape: int, name: str = "") -> str:
        fan = max(1, int(np.prod(shape[1:])))
        return self.constant(self.rng.normal(0, fan**-0.5, shape).astype(np.float32), name)

    def add(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        self.count += 1
        names = [f"{op.lower()}_{self.count}" + (f"_{i}" if i else "") for i in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, name=names[0], **attributes))
        return names[0]

    def conv(self, x: str, inputs: int, outputs: int, kernel: int, **attributes: Any) -> str:
        """A convolution whose bias is reshaped and added, as PaddlePaddle exports it."""
        group = attributes.pop("group", 1)
        attributes = {"kernel_shape": [kernel, kernel], "strides": [1, 1], "dilations": [1, 1]} | attributes
        if "auto_pad" not in attributes:
            attributes.setdefault("pads", [kernel // 2] * 4)
        found = self.add("Conv", x, self.weight(outputs, inputs // group, kernel, kernel), group=group, **attributes)
        bias = self.add("Reshape", self.weight(outputs), self.constant(np.array([1, outputs, 1, 1])))
        return self.add("Identity", self.add("Add", found, bias))

    def norm(self, x: str, channels: int) -> str:
        variance = self.constant(self.rng.uniform(0.5, 1.5, channels).astype(np.float32))
        vectors = [self.weight(channels), self.weight(channels), self.weight(channels), variance]
        return self.add("BatchNormalization", x, *vectors, epsilon=1e-5)

    def hardswish(self, x: str) -> str:
        three, low, six = (self.constant(np.float32(value)) for value in (3, 0, 6))
        clipped = self.add("Clip", self.add("Add", x, three), low, six)
        return self.add("Div", self.add("Mul", x, clipped), six)

    def gelu(self, x: str) -> str:
        root, one, half = (self.constant(np.float32(value)) for value in (2**0.5, 1, 0.5))
        return self.add(
            "Mul", self.add("Mul", x, self.add("Add", self.add("Erf", self.add("Div", x, root)), one)), half
        )

    def layer_norm(self, x: str, channels: int) -> str:
        centred = self.add("Sub", x, self.add("ReduceMean", x, axes=[-1]))
        squared = self.add("ReduceMean", self.add("Pow", centred, self.constant(np.float32(2))), axes=[-1])
        spread = self.add("Sqrt", self.add("Add", squared, self.constant(np.float32(1e-5))))
        scaled = self.add("Mul", self.add("Div", centred, spread), self.weight(channels))
        return self.add("Add", scaled, self.weight(channels))

    def gate(self, x: str, channels: int) -> str:
        mean = self.add("GlobalAveragePool", x)
        squeezed = self.add("Relu", self.conv(mean, channels, 6, 1))
        return self.add("Mul", x, self.add("HardSigmoid", self.conv(squeezed, 6, channels, 1), alpha=0.2, beta=0.5))

    def linear(self, x: str, inputs: int, outputs: int) -> str:
        return self.add("Add", self.add("MatMul", x, self.weight(inputs, outputs)), self.weight(outputs))

    def side(self, x: str, axis: int) -> str:
        """One side of *x*, a vector of one element."""
        return self.add("Slice", self.add("Shape", x), *(self.constant(np.array([n])) for n in (axis, axis + 1, 0)))

    def attention(self, x: str, channels: int, heads: int) -> str:
        target = [
            self.constant(np.array([0])),
            self.side(x, 1),
            *(self.constant(np.array([n])) for n in (3, heads, -1)),
        ]
        parts = self.add("Reshape", self.linear(x, channels, 3 * channels), self.add("Concat", *target, axis=0))
        turned = self.add("Transpose", parts, perm=[2, 0, 3, 1, 4])  # (3, N, heads, T, D)
        bounds = [[self.constant(np.array([n])) for n in (i, i + 1, 0)] for i in range(3)]
        query, key, value = (self.add("Squeeze", self.add("Slice", turned, *b), axes=[0]) for b in bounds)
        query = self.add("Mul", query, self.constant(np.array([(channels / heads) ** -0.5], np.float32)))
        scores = self.add("MatMul", query, self.add("Transpose", key, perm=[0, 1, 3, 2]))
        mixed = self.add("Transpose", self.add("MatMul", self.add("Softmax", scores, axis=3), value), perm=[0, 2, 1, 3])
        return self.linear(self.add("Reshape", mixed, self.constant(np.array([0, -1, channels]))), channels, channels)

    def lstm(self, x: str, inputs: int, hidden: int) -> str:
        """A bidirectional LSTM over (T, N, C) that starts from zeros of the size of the batch; → (T, N, 2 hidden)."""
        batch = self.side(x, 1)
        sides = self.add("Concat", self.constant(np.array([2])), batch, self.constant(np.array([hidden])), axis=0)
        state = self.add("Expand", self.constant(np.zeros([1, 1, 1], np.float32)), sides)
        weights = [self.weight(2, 4 * hidden, inputs), self.weight(2, 4 * hidden, hidden), self.weight(2, 8 * hidden)]
        names = {"hidden_size": hidden, "direction": "bidirectional"}
        found = self.add("LSTM", x, *weights, "", state, state, outputs=3, **names)
        turned = self.add("Transpose", found, perm=[0, 2, 1, 3])
        return self.add("Reshape", turned, self.constant(np.array([0, 0, -1])))

    def save(self, path: Path, output: str, height: int | None = None, opset: int = 12, **metadata: str) -> Path:
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info("x", FLOAT, ["n", 3, height or "h", "w"])],
            [helper.make_tensor_value_info(output, FLOAT, None)],
            self.initializers,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        model.ir_version = 7
        helper.set_model_props(model, metadata)
        onnx.save(model, path)
        return path


def det_graph(path: Path, *, as_nodes: bool = True) -> Path:
    """A detector: (N, 3, H, W) → (N, 1, H, W)."""
    b = GraphBuilder(1, as_nodes=as_nodes)
    x = b.add("Relu", b.conv("x", 3, 6, 3, strides=[2, 2]))
    y = b.gate(b.hardswish(b.norm(b.conv(x, 6, 8, 3, strides=[2, 2]), 8)), 8)  # (N, 8, H / 4, W / 4)
    deep = b.conv(y, 8, 8, 3, strides=[2, 2], group=8)
    scales = b.constant(np.array([1, 1, 2, 2], np.float32))
    names = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    y = b.add("Concat", y, b.add("Resize", deep, b.constant(np.zeros(0, np.float32)), scales, **names), axis=1)
    for channels, outputs in ((16, 4), (4, 1)):
        y = b.add("ConvTranspose", y, b.weight(channels, outputs, 2, 2), kernel_shape=[2, 2], strides=[2, 2])
        y = b.add("Add", y, b.add("Reshape", b.weight(outputs), b.constant(np.array([1, outputs, 1, 1]))))
        y = b.add("Relu", y) if outputs > 1 else b.add("Sigmoid", y)
    return b.save(path, y)


def cls_graph(path: Path, classes: int = 2) -> Path:
    """A classifier: (N, 3, 48, W) → (N, classes)."""
    b = GraphBuilder(2)
    x = b.add("MaxPool", b.hardswish(b.conv("x", 3, 8, 3, strides=[2, 2])), kernel_shape=[2, 2], strides=[2, 2])
    mean = b.add("GlobalAveragePool", x)
    flat = b.add("Reshape", mean, b.add("Concat", b.side(mean, 0), b.constant(np.array([8])), axis=0))
    return b.save(path, b.add("Softmax", b.linear(flat, 8, classes), axis=1), 48, opset=11)


def rec_graph(
    path: Path, characters: str | None = "abcdefghij", classes: int | None = None, height: int = 32, opset: int = 12
) -> Path:
    """A recogniser with every part of PP-OCRv2 to v6: (N, 3, 32, W) → (N, W / 4, classes)."""
    b = GraphBuilder(3)
    same = {"auto_pad": "SAME_UPPER"}
    x = b.add("Relu", b.conv("x", 3, 6, 3, strides=[2, 2]))
    left = b.add("MaxPool", x, kernel_shape=[2, 2], strides=[1, 1], **same)
    right = b.gelu(b.conv(x, 6, 6, 2, **same))
    x = b.add("Concat", left, right, axis=1)
    x = b.hardswish(b.norm(b.conv(x, 12, 12, 3, strides=[2, 2], group=12), 12))  # (N, 12, 8, W / 4)
    x = b.add("AveragePool", b.conv(x, 12, 12, 1, strides=[2, 1]), kernel_shape=[4, 1], strides=[4, 1])  # (N, 12, 1, T)
    x = b.add("Transpose", b.add("Squeeze", x, axes=[2]), perm=[0, 2, 1])  # (N, T, 12)
    x = b.add("Add", x, b.attention(b.layer_norm(x, 12), 12, 3))
    x = b.lstm(b.add("Transpose", x, perm=[1, 0, 2]), 12, 5)
    x = b.add("Transpose", x, perm=[1, 0, 2])  # (N, T, 10)
    classes = classes or len(characters or "") + 1
    metadata = {} if characters is None else {"character": "\n".join(characters)}
    return b.save(path, b.add("Softmax", b.linear(x, 10, classes), axis=2), height, opset, **metadata)


MAKERS = {"det": det_graph, "cls": cls_graph, "rec": rec_graph}
