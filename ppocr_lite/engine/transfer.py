"""The weights a run starts from; a recogniser's are carried over to another dictionary."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.charset import BLANK, Charset
from ppocr_lite.config.package_path import resolve_path
from ppocr_lite.config.schema import Config
from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.backends.base import Arrays, Backend
from ppocr_lite.errors import CheckpointError, ConfigError
from ppocr_lite.modeling.graphs.characters import graph_charset
from ppocr_lite.modeling.onnx_network import last_layer, open_graph
from ppocr_lite.predict.bundle import read_bundle

REINIT = (
    "Name the parts to start afresh in Global.reinit, e.g. [head]; "
    "of a recogniser with another dictionary, name its own in Global.pretrained_dict_path."
)
log = logging.getLogger(__name__)

MOST_NAMED = 60  # characters that a log line lists


def load_pretrained(config: Config, backend: Backend, charset: Charset | None) -> None:
    """Start from Global.pretrained_model and from the ``pretrained`` of each network of a distillation.

    A recogniser that was read from a graph starts from the file's weights, carried over to the characters of the run.

    Args:
        config: A checked config with Architecture.
        backend: The engine whose networks take the weights.
        charset: Characters of the network; None if it is not a recogniser.

    Raises:
        CheckpointError: If there are no such weights, or they do not fit.
        ConfigError: If Global.pretrained_dict_path is given for a network that is no recogniser.
    """
    source = config.Global.pretrained_model
    carry_graphs(config, backend, charset)
    if source is not None:
        given, wanted = checkpoint.read_weights(Path(source)), backend.weights()
        if config.Global.pretrained_dict_path is not None:
            if charset is None:
                raise ConfigError("Global.pretrained_dict_path is for recognisers: other networks have no characters.")
            old = _charset_of_pretrained(config)
            given = carry_characters(given, wanted, old, charset, last_layers(config))
        backend.load_weights(checkpoint.fit_weights(given, wanted, source, config.Global.reinit, REINIT))
        log.info("Start from %s.", source)
    for name, model in ((config.Architecture or {}).get("Models") or {}).items():
        if model.get("pretrained"):
            _load_network(name, model["pretrained"], config.Global.reinit, backend)


def carry_graphs(config: Config, backend: Backend, charset: Charset | None) -> None:
    """Give the last layer of recognisers that were read from a graph what the file knows of the characters of the run.

    Args:
        config: A checked config with Architecture.
        backend: The engine whose networks begin with the weights of their files.
        charset: Characters of the run; None if it is of no recognisers.

    Raises:
        ConfigError: If the file has other classes, and neither it nor the config says which.
    """
    for prefix, node in _graphs(config).items() if charset is not None else ():
        graph, plan = open_graph(resolve_path(str(node["path"])))
        layer = last_layer(graph, plan)
        classes = layer.weights["weight"].shape[1]
        old = graph_charset(graph, classes, node.get("character_dict_path"))
        if old is None and classes != charset.num_classes:  # type: ignore[union-attr]
            raise ConfigError(
                f"{graph.source} tells {classes} classes apart, and does not say which. Give the dictionary that it "
                "was trained with: Architecture.Network.character_dict_path."
            )
        if old is None or old == charset:
            continue
        weights = backend.weights()
        bound, rng = layer.weights["weight"].shape[0] ** -0.5, np.random.default_rng(config.Global.seed)
        names = [f"{prefix}{layer.name}.{part}" for part in layer.weights]
        fresh = {name: rng.uniform(-bound, bound, weights[name].shape).astype(np.float32) for name in names}
        given = {f"{prefix}{name}": value for name, value in plan.weights().items()}
        carried = carry_characters(given, weights | fresh, old, charset, names)  # type: ignore[arg-type]
        backend.load_weights(weights | {name: carried[name] for name in names})


def last_layers(config: Config) -> list[str]:
    """Return the names of weights that score the classes, of networks that were read from a graph."""
    found = []
    for prefix, node in _graphs(config).items():
        layer = last_layer(*open_graph(resolve_path(str(node["path"]))))
        found += [f"{prefix}{layer.name}.{part}" for part in layer.weights]
    return found


def _graphs(config: Config) -> dict[str, Mapping[str, Any]]:
    """Return prefix of the weight names → Network node, of each network that is read from a graph."""
    architecture = config.Architecture or {}
    sections = {f"{name}.": section for name, section in (architecture.get("Models") or {}).items()}
    sections = sections or {"": architecture}
    return {prefix: section["Network"] for prefix, section in sections.items() if section.get("Network")}


def _load_network(name: str, source: str, reinit: Sequence[str], backend: Backend) -> None:
    """Load the weights of one network of a distillation; the others stay as they are."""
    given = {f"{name}.{key}": value for key, value in checkpoint.read_weights(Path(source)).items()}
    weights = backend.weights()
    others = {part.partition(".")[0] for part in weights} - {name}
    backend.load_weights(checkpoint.fit_weights(given, weights, source, [*reinit, *others], REINIT))
    log.info("Start %s from %s.", name, source)


def _charset_of_pretrained(config: Config) -> Charset:
    """Return the characters that Global.pretrained_model was trained with."""
    source = str(config.Global.pretrained_dict_path)
    if Path(source).is_dir():
        return Charset(read_bundle(source).characters or (), source)
    return Charset.load(source, use_space_char=config.Global.use_space_char)


def carry_characters(
    given: Mapping[str, NDArray[Any]],
    wanted: Mapping[str, NDArray[Any]],
    old: Charset,
    new: Charset,
    names: Sequence[str] = (),
) -> Arrays:
    """Return *given* with its class layers rearranged from the dictionary *old* to *new*.

    In every array of a head, or of *names*, whose last axis counts the classes of *old* and shall count those of
    *new*, the blank and the characters that both have keep what they learnt. The other characters keep the values in
    *wanted*, which are the network's initial ones.

    Args:
        given: Weights trained with *old*.
        wanted: Weights of the network as it is, made for *new*.
        old: Dictionary *given* was trained with.
        new: Dictionary of the network.
        names: Further arrays that count classes.

    Raises:
        CheckpointError: If no array counts the classes of *old*, so that it is not what *given* was trained with.
    """
    shared = [character for character in new.characters if character in old]
    from_old = [BLANK, *old.encode("".join(shared))]
    to_new = [BLANK, *new.encode("".join(shared))]
    carried = dict(given)
    able = [name for name in wanted if name in given and (name in names or "head" in name.split("."))]
    found = [name for name in able if _counts_classes(given[name], wanted[name], old, new)]
    if not found:
        raise CheckpointError(
            f"Global.pretrained_dict_path has {old.num_classes} classes, but no layer of the pretrained head counts as "
            "many. Give the dictionary that the weights were trained with."
        )
    for name in found:
        fresh = np.array(wanted[name])
        fresh[..., to_new] = given[name][..., from_old]
        carried[name] = fresh
    afresh = [character for character in new.characters if character not in old]
    log.info(
        "%d characters of %d keep what was learnt, %d begin afresh%s", *(
            len(shared), len(new), len(afresh),
            f": {''.join(afresh[:MOST_NAMED])}{'…' if len(afresh) > MOST_NAMED else ''}" if afresh else ".",
        ),
    )  # fmt: skip
    return carried


def _counts_classes(given: NDArray[Any], wanted: NDArray[Any], old: Charset, new: Charset) -> bool:
    return (
        given.shape[-1:] == (old.num_classes,)
        and wanted.shape[-1:] == (new.num_classes,)
        and given.shape[:-1] == wanted.shape[:-1]
    )
