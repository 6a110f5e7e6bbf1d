"""Weights of others into the networks of this package: layer by layer, in the order of graph or file."""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.config.package_path import resolve_path
from ppocr_lite.config.schema import Config
from ppocr_lite.engine.backends.base import Arrays, Backend
from ppocr_lite.engine.foreign_weights import Layout, read_foreign
from ppocr_lite.engine.open import open_network
from ppocr_lite.errors import CheckpointError
from ppocr_lite.families import family_of
from ppocr_lite.modeling.onnx_network import FILE, open_graph

log = logging.getLogger(__name__)

TOLERANCE = 1e-4  # largest difference of predictions from those of an ONNX file
_LSTM = re.compile(r"(weight|bias)_(ih|hh)_l(\d+)(_reverse)?")
_UNORDERED = ".safetensors"  # these files sort their arrays by name, so names that agree tell more than the order
_CELL = re.compile(r"\.\d+\.cell_(fw|bw)\.")  # a second name that Paddle gives an LSTM weight
_FREE = {2: 64, 3: 192}  # sides of the image of the comparison, where they vary


@dataclass
class LayerWeights:
    """The weights of one layer.

    Attributes:
        name: What their names begin with.
        names: Role, such as ``weight`` or ``_mean`` → full name.
        kind: ``conv``, ``linear``, ``norm``, ``lstm``, or what else its roles and axes say.
        shapes: Shape of each role, in order of the roles.
    """

    name: str
    names: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    shapes: tuple[tuple[int, ...], ...] = ()


def import_weights(
    config: Config, source: Path | str, *, partial: bool = False, layout: Layout | None = None
) -> Arrays:
    """Return weights for the network of *config* with those of *source* in it.

    Layers of one kind are taken in order, convolutions for convolutions, normalisations for normalisations; names mean
    nothing, except in ``.safetensors``, which keep no order: there they decide if any is one of the network's, and
    else the numbers in them give the order. All must be there and have the shapes of the network, after what
    :mod:`~ppocr_lite.engine.foreign_weights` transposes. What an ONNX file says is also computed by both.

    Args:
        config: A checked config with Architecture, of a backbone, neck and head.
        source: An ``.onnx``, ``.pdparams`` or ``.safetensors`` file, ``.h5`` or ``.hdf5`` of Keras, or
            ``package:path`` for one of a package.
        partial: Take what fits, and name in the log every layer that stays as it was.
        layout: Of the linear layers in ``.pdparams`` and ``.safetensors``; None to see.

    Raises:
        CheckpointError: If *source* cannot be read, or does not fit.
    """
    path = resolve_path(source)
    graph = path.suffix == ".onnx"
    given = open_graph(path)[1].weights() if graph else read_foreign(path, layout)
    backend = open_network(config)
    wanted = backend.weights()
    pairs = _pair(layers_of(given), layers_of(wanted), path, partial=partial)
    taken = {
        name: np.asarray(given[theirs.names[role]], np.float32)
        for theirs, ours in pairs
        for role, name in ours.names.items()
    }
    weights = _with_aliases(wanted, taken)
    if graph and not partial:
        backend.load_weights(weights)
        _compare(config, backend, path)
    log.info("%d layers of %s are taken over.", len(pairs), path)
    return weights


def layers_of(arrays: Mapping[str, NDArray[Any]]) -> list[LayerWeights]:
    """Return the layers that weights belong to, in order, by their names: ``layer.role``."""
    found: dict[str, LayerWeights] = {}
    for name in arrays:
        prefix, _, role = name.rpartition(".")
        if _CELL.search(name):
            continue
        if match := _LSTM.fullmatch(role):
            prefix, role = f"{prefix} layer {match[3]}", f"{match[1]}_{match[2]}{match[4] or ''}"
        found.setdefault(prefix, LayerWeights(prefix)).names[role] = name
    for layer in found.values():
        layer.names = dict(sorted(layer.names.items()))
        layer.shapes = tuple(arrays[name].shape for name in layer.names.values())
        layer.kind = _kind(layer)
    return list(found.values())


def _kind(layer: LayerWeights) -> str:
    if "_mean" in layer.names:
        return "norm"
    if "weight_ih" in layer.names:
        return "lstm"
    axes = len(layer.shapes[-1])  # of the weight, the last role in the alphabet
    return {4: "conv", 2: "linear"}.get(axes, f"{'+'.join(layer.names)} of {axes} axes")


def _pair(
    theirs: Sequence[LayerWeights], ours: Sequence[LayerWeights], source: Path, *, partial: bool
) -> list[tuple[LayerWeights, LayerWeights]]:
    """Return which layer of *theirs* belongs to which of *ours*."""
    named = source.suffix == _UNORDERED and {layer.name for layer in theirs} & {layer.name for layer in ours}
    match = _match_names if named else _match_order
    pairs: list[tuple[LayerWeights, LayerWeights]] = []
    for kind in dict.fromkeys(layer.kind for layer in (*ours, *theirs)):
        left, right = ([layer for layer in layers if layer.kind == kind] for layers in (theirs, ours))
        found = match(left, right)
        if not partial and not len(found) == len(left) == len(right):
            raise CheckpointError(_misfit(kind, left, right, found, source))
        pairs += found
    taken = {mine.name for _, mine in pairs}
    if not taken:
        raise CheckpointError(f"{source}: not one layer fits the network.")
    for layer in ours:
        if layer.name not in taken:
            log.warning("%s (%s %s) stays as it was.", layer.name, layer.kind, layer.shapes)
    return pairs


def _match_order(
    left: Sequence[LayerWeights], right: Sequence[LayerWeights]
) -> list[tuple[LayerWeights, LayerWeights]]:
    """Return pairs of equal shapes, in the order of both."""
    matcher = SequenceMatcher(None, [_form(layer) for layer in left], [_form(layer) for layer in right], False)
    blocks = matcher.get_matching_blocks()
    return [(left[block.a + i], right[block.b + i]) for block in blocks for i in range(block.size)]


def _match_names(
    left: Sequence[LayerWeights], right: Sequence[LayerWeights]
) -> list[tuple[LayerWeights, LayerWeights]]:
    """Return pairs of equal names and shapes."""
    named = {layer.name: layer for layer in left}
    return [(named[ours.name], ours) for ours in right if ours.name in named and _form(named[ours.name]) == _form(ours)]


def _form(layer: LayerWeights) -> tuple[Any, ...]:
    return tuple(layer.names), layer.shapes


def _misfit(
    kind: str,
    left: Sequence[LayerWeights],
    right: Sequence[LayerWeights],
    found: Sequence[tuple[LayerWeights, LayerWeights]],
    source: Path,
) -> str:
    spare = [layer for layer in left if all(layer is not theirs for theirs, _ in found)]
    lacking = [layer for layer in right if all(layer is not ours for _, ours in found)]
    first = [f"{layer.name} {layer.shapes}" for layer in (spare[:1] + lacking[:1])]
    return (
        f"{source} has {len(left)} layers of the kind {kind}, the network {len(right)}, of which {len(found)} agree. "
        f"The first that do not: {' and '.join(first)}. Give the config that the weights were made with, or --partial."
    )


def _with_aliases(wanted: Arrays, taken: Arrays) -> Arrays:
    """Return *wanted* with *taken* in it, also under the second names that LSTM weights have."""
    weights = wanted | taken
    for name, value in taken.items():
        prefix, _, role = name.rpartition(".")
        if match := _LSTM.fullmatch(role):
            turn = "bw" if match[4] else "fw"
            alias = f"{prefix}.{match[3]}.cell_{turn}.{match[1]}_{match[2]}"
            weights |= {alias: value} if alias in wanted else {}
    return weights


def _compare(config: Config, backend: Backend, path: Path) -> None:
    """Refuse a network that has the layers of an ONNX file and computes something else."""
    graph, _ = open_graph(path)
    transforms = config.Eval.transforms if config.Eval else ()
    shape = family_of(config).input_shape(transforms) if transforms else graph.shape
    fixed = [side if side > 0 else own for side, own in zip(graph.shape, shape, strict=True)]
    sides = [side if side > 0 else _FREE.get(axis, 1) for axis, side in enumerate(fixed)]
    image = np.random.default_rng(0).uniform(-1, 1, sides).astype(np.float32)
    expected = importlib.import_module(FILE).run_file(path, image)
    found = backend.forward(image)
    gap = float(np.abs(found - expected).max()) if found.shape == expected.shape else float("inf")
    if not gap <= TOLERANCE:
        raise CheckpointError(
            f"{path} has the layers of the network in number and shape, but computes something else: {expected.shape} "
            f"and {found.shape}, differing by {gap:.2g}. Check strides, pools and activations in Architecture."
        )
    log.info("The network agrees with %s to %.1g.", path, gap)
