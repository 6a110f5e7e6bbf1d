"""Small ONNX networks that do something that can be foreseen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="graphs are made with the package onnx")
helper, numpy_helper, FLOAT = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT

Sides = Sequence[int | str]
FREE: Sides = ("N", 3, "H", "W")


def save(
    path: Path,
    nodes: list[Any],
    taken: Sides,
    returned: dict[str, Sides],
    constants: dict[str, np.ndarray] | None = None,
    metadata: dict[str, str] | None = None,
    dtype: int = FLOAT,
) -> Path:
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", dtype, taken)],
        [helper.make_tensor_value_info(name, FLOAT, sides) for name, sides in returned.items()],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path


def detector(path: Path, taken: Sides = FREE, **more: Any) -> Path:
    """Whatever is darker than the mean of ImageNet is text."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["gray"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["gray", "steep"], ["scaled"]),
        helper.make_node("Sigmoid", ["scaled"], ["maps"]),
    ]
    return save(path, nodes, taken, {"maps": ("N", 1, "H", "W")}, {"steep": np.float32([-20])}, **more)


def recognizer(
    path: Path,
    classes: int = 6,
    step: int = 4,
    taken: Sides = FREE,
    metadata: dict[str, str] | None = None,
    extra: Sides | None = None,
    **more: Any,
) -> Path:
    """The brightness of every *step* columns says the class: gray is the blank, black the last, light ones the others.

    Of six classes: 255, 225, 196, 166 and 0.
    """
    centers = np.array([0, *np.linspace(1, 0.3, classes - 2), -1], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["columns"], axes=[1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["columns", "one"], ["signal"]),
        helper.make_node("AveragePool", ["signal"], ["pooled"], kernel_shape=[step], strides=[step]),
        helper.make_node("Transpose", ["pooled"], ["steps"], perm=[0, 2, 1]),
        helper.make_node("Sub", ["steps", "centers"], ["apart"]),
        helper.make_node("Mul", ["apart", "apart"], ["square"]),
        helper.make_node("Mul", ["square", "steep"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=2),
    ]
    returned: dict[str, Sides] = {"probabilities": ("N", "T", classes)}
    if extra is not None:
        nodes.append(helper.make_node("Identity", ["x" if len(extra) == 4 else "logits"], ["more"]))
        returned = {"more": extra, **returned}
    constants = {"centers": centers, "steep": np.float32([-200]), "one": np.int64([1])}
    return save(path, nodes, taken, returned, constants, metadata, **more)


def classifier(path: Path, labels: int = 2) -> Path:
    """Dark lines stand on their head."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("Mul", ["column", "signs"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {"one": np.int64([1]), "signs": np.linspace(20, -20, labels, dtype=np.float32)[None]}
    return save(path, nodes, FREE, {"probabilities": ("N", labels)}, constants)
