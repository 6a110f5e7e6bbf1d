"""An ONNX graph as a network that trains: official PP-OCR, or anyone's."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import nn
from ppocr_lite.charset import Charset
from ppocr_lite.config.package_path import resolve_path
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.install import install_command
from ppocr_lite.modeling.graphs import Graph, Plan, Step, fold, make_plan
from ppocr_lite.modeling.graphs.characters import graph_charset
from ppocr_lite.modeling.graphs.layers import make_layer, new_linear, run_layer
from ppocr_lite.modeling.graphs.operators import HOST as HOST_OPERATORS
from ppocr_lite.modeling.graphs.operators import TENSOR
from ppocr_lite.registry import Registry

log = logging.getLogger(__name__)

# A whole network instead of backbone, neck and head: ``forward`` and ``predict`` return what those of a head do.
NETWORKS: Registry[Any] = Registry("network", runtime=("num_classes", "model_type"))

TOLERANCE = 1e-4  # largest difference from ONNX Runtime, in probabilities
FILE = "ppocr_lite.modeling.graphs.file"  # imported where a graph is read: it needs the package onnx
_FREE = {"det": (64, 96), "cls": (48, 96), "rec": (48, 96)}  # sides of the image of the check, where they vary
_RANK = {"det": 4, "cls": 2, "rec": 3}
_ANSWER = {"det": "a map (N, 1, H, W)", "cls": "classes (N, C)", "rec": "classes along a line (N, T, C)"}


@NETWORKS.register
class OnnxNetwork(nn.Layer):
    """An ONNX file as a network that trains, with the weights it holds.

    What a convolution, a matrix product, a normalisation or an LSTM reads beside activations is a weight, and so is a
    vector that activations are multiplied by or increased by; shapes and single numbers are constants. Weights are
    named by kind and place: ``conv_12.weight`` is of the 13th convolution. When the network is built, it is compared
    with ONNX Runtime on noise. Nothing that a file says is executed.

    A recogniser whose dictionary is another than the file's gets a new last layer; the characters that both have keep
    what they learnt.

    Args:
        path: The file, or ``package:path`` for one that an installed package brings, such as
            ``rapidocr:models/PP-OCRv6_rec_small.onnx``.
        num_classes: Characters plus one.
        model_type: Family: ``det``, ``cls`` or ``rec``.
        character_dict_path: The dictionary that the file was trained with, where it does not hold it
            (metadata ``character``); one character a line.
        freeze: Layers with weights, from the image on, that stay as they are; -n for all but the last n.
        learning_rate: Factor of the learning rate of the run, for what the file has; a new last layer learns at 1.
        train_statistics: Whether running means and variances follow the training data. Otherwise batch normalisation
            computes in training as in prediction, which suits small batches.

    Shape:
        forward: (N, 3, H, W) → det {"maps": (N, 1, H, W)}, in (0, 1); rec {"logits": (N, T, C)}; cls
            {"logits": (N, C)}.
        predict: the same for det; rec and cls {"probabilities": …}.

    Raises:
        ModelError: If the file is missing, damaged, of another kind, or holds what cannot be trained; says what to do.
        ConfigError: If an argument makes no sense, or the package of *path* is not installed.
    """

    takes_targets = False

    def __init__(
        self,
        path: str,
        num_classes: int | None = None,
        model_type: str = "rec",
        character_dict_path: str | None = None,
        freeze: int = 0,
        learning_rate: float = 1.0,
        train_statistics: bool = False,
    ) -> None:
        super().__init__()
        if model_type not in _RANK:
            raise ConfigError(f"OnnxNetwork is of a family among {', '.join(_RANK)}. Received: {model_type!r}")
        if learning_rate <= 0:
            raise ConfigError(
                f"OnnxNetwork.learning_rate must be above 0; freeze keeps layers. Received: {learning_rate}"
            )
        self.path, self.model_type = resolve_path(path), model_type
        self.character_dict_path, self.train_statistics = character_dict_path, train_statistics
        self.graph, self.plan = open_graph(self.path)
        self.steps = self.plan.steps_to_scores() if model_type != "det" else self.plan.steps
        self.result = self.plan.scores if model_type != "det" else self.graph.output
        for spec in self.plan.layers.values():
            self.add_sublayer(spec.name, make_layer(spec))
        self.constants = self._keep_constants()
        self.frozen: frozenset[str] = frozenset()
        self._check()
        nn.set_rate(self, learning_rate)
        if num_classes is not None:
            self._fit_classes(num_classes)
        self.frozen = self._freeze(freeze)
        self.train()

    def forward(self, x: nn.Tensor, targets: Mapping[str, nn.Tensor] | None = None) -> dict[str, nn.Tensor]:
        """See *Shape* of the class; *targets* are not looked at."""
        del targets
        return {"maps" if self.model_type == "det" else "logits": nn.cast(self.compute(x), "float32")}

    def predict(self, x: nn.Tensor) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        found = nn.cast(self.compute(x), "float32")
        return {"maps": found} if self.model_type == "det" else {"probabilities": nn.softmax(found, axis=-1)}

    def compute(self, x: nn.Tensor) -> nn.Tensor:
        """Return the result of the graph for (N, 3, H, W); of a recogniser or classifier before the softmax."""
        values = {self.graph.input: x} | self.constants
        for name, buffer in self.buffer_names.items():
            values[name] = getattr(self, buffer)
        for step in self.steps:
            values[step.output] = self._compute_step(step, values)
            for name in step.last:
                if name != self.result:
                    del values[name]
        return values[self.result]

    def train(self, mode: bool = True) -> OnnxNetwork:
        """Switch to training or back; running means and variances stay as they are unless they are to be trained."""
        super().train(mode)
        for name, layer in self.named_children():
            if isinstance(layer, nn.BatchNorm2D) and (name in self.frozen or not self.train_statistics):
                layer.eval()
        return self

    def _compute_step(self, step: Step, values: dict[str, Any]) -> Any:
        if step.layer:
            return run_layer(getattr(self, step.layer), step, values[step.inputs[0]])
        operators = HOST_OPERATORS if step.host else TENSOR
        return operators[step.op]([values[name] if name else None for name in step.inputs], step.attributes)

    def _keep_constants(self) -> dict[str, Any]:
        """Return constants that are numbers or sides, and note the rest as buffers, which move with the network."""
        plain: dict[str, Any] = {}
        self.buffer_names: dict[str, str] = {}
        resized = {name for step in self.steps if step.op == "Resize" for name in step.inputs}
        for name, value in self.plan.constants.items():
            if value.dtype.kind != "f" or name in resized:
                plain[name] = value
            elif value.size == 1:
                plain[name] = float(value.reshape(-1)[0])
            else:
                self.buffer_names[name] = f"constant_{len(self.buffer_names)}"
                tensor = nn.to_tensor(np.array(value, np.float32))
                self.register_buffer(self.buffer_names[name], tensor, persistable=False)
        return plain

    def _check(self) -> None:
        """Compare this network with what ONNX Runtime makes of the file."""
        sides = [
            free if side < 0 else side for side, free in zip(self.graph.shape[2:], _FREE[self.model_type], strict=True)
        ]
        image = np.random.default_rng(0).uniform(-1, 1, (1, 3, *sides)).astype(np.float32)
        expected = importlib.import_module(FILE).run_file(self.path, image)
        rank = _RANK[self.model_type]
        if expected.ndim != rank or (self.model_type == "det" and expected.shape[1] != 1):
            raise ModelError(
                f"{self.path} returns {expected.shape} for an image {image.shape}, but a {self.model_type} network "
                f"returns {_ANSWER[self.model_type]}. Give another file, or another model_type."
            )
        if rank < 4 and self.plan.scores == self.graph.output and np.allclose(expected.sum(-1), 1.0, atol=1e-3):
            raise ModelError(
                f"{self.path} returns probabilities, but does not end in the Softmax that makes them, so a loss cannot "
                "find its scores. Export the network up to its Softmax."
            )
        self.eval()
        try:
            with nn.no_grad():
                found = self._result_of_file(nn.to_tensor(image))
        except (TypeError, ValueError, RuntimeError, IndexError, KeyError) as error:
            raise ModelError(f"{self.path} cannot be computed by this release: {error}") from error
        gap = float(np.abs(found - expected).max()) if found.shape == expected.shape else float("inf")
        if not gap <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
            raise ModelError(
                f"{self.path} would train as another network: its result here, {found.shape}, differs from that of "
                f"ONNX Runtime, {expected.shape}, by {gap:.2g}; allowed {TOLERANCE}. Please report which file it is."
            )
        log.info("%s: %d layers with weights; agrees with ONNX Runtime to %.1g.", self.path, len(self.plan.layers), gap)

    def _result_of_file(self, x: nn.Tensor) -> NDArray[Any]:
        if self.model_type == "det" or self.plan.scores == self.graph.output:
            found = self.compute(x)
        else:
            found = self.predict(x)["probabilities"]
        return np.asarray(found.numpy())

    def _fit_classes(self, num_classes: int) -> None:
        """Put a new last layer in the place of one with another number of classes."""
        spec = last_layer(self.graph, self.plan)
        inputs, outputs = spec.weights["weight"].shape
        if num_classes != outputs:
            self.add_sublayer(spec.name, new_linear(inputs, num_classes, bias="bias" in spec.weights))
            log.info("%s tells %d classes apart instead of %d: its last layer %s is new.", *(
                self.path, num_classes, outputs, spec.name,
            ))  # fmt: skip

    def _freeze(self, count: int) -> frozenset[str]:
        """Freeze the first *count* layers, or all but the last -*count*; return their names."""
        names = list(self.plan.layers)
        if abs(count) >= len(names):
            raise ConfigError(
                f"OnnxNetwork.freeze: {self.path} has {len(names)} layers with weights. Received: {count}"
            )
        chosen = names[:count] if count else []
        for name in chosen:
            nn.freeze(getattr(self, name))
        if chosen:
            log.info("%d of %d layers stay as they are, up to %s.", len(chosen), len(names), chosen[-1])
        return frozenset(chosen)


def last_layer(graph: Graph, plan: Plan) -> Any:
    """Return the layer that scores the classes.

    Raises:
        ModelError: If it is none that could be made anew for other classes.
    """
    if plan.last is None or plan.layers[plan.last].kind != "linear":
        raise ModelError(
            f"{graph.source}: the scores of classes do not come from a matrix product, so their number cannot change."
        )
    return plan.layers[plan.last]


def open_graph(path: Path) -> tuple[Graph, Plan]:
    """Return the folded graph of a file and its plan.

    Raises:
        ModelError: If it cannot be read, or cannot be trained; says why.
    """
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _read(path.absolute(), changed)


@lru_cache(maxsize=2)  # a run asks for the characters and for the network
def _read(path: Path, changed: int) -> tuple[Graph, Plan]:
    del changed  # another time is another file
    try:
        reader = importlib.import_module(FILE)
    except ModuleNotFoundError as error:
        raise ModelError(f"{path}: reading ONNX needs the package onnx ({error}). {install_command('onnx')}") from error
    graph = fold(reader.read_graph(path))
    return graph, make_plan(graph)


def charset_of_network(architecture: Mapping[str, Any] | None) -> Charset | None:
    """Return the characters that the first :class:`OnnxNetwork` of an Architecture section was trained with.

    None if there is no such network, or neither its file nor its section says them.

    Raises:
        ModelError: If the file cannot be read, or the dictionary does not fit it.
    """
    sections = (architecture or {}).get("Models") or {"": architecture or {}}
    for section in sections.values():
        node = section.get("Network")
        if node:
            graph, plan = open_graph(resolve_path(str(node["path"])))
            classes = last_layer(graph, plan).weights["weight"].shape[1]
            return graph_charset(graph, classes, node.get("character_dict_path"))
    return None
