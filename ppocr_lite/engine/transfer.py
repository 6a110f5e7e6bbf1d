"""The weights a run starts from; a recogniser's are carried over to another dictionary."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.charset import BLANK, Charset
from ppocr_lite.config.schema import Config
from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.backends.base import Arrays, Backend
from ppocr_lite.errors import CheckpointError, ConfigError
from ppocr_lite.predict.bundle import read_bundle

REINIT = (
    "Name the parts to start afresh in Global.reinit, e.g. [head]; "
    "of a recogniser with another dictionary, name its own in Global.pretrained_dict_path."
)
log = logging.getLogger(__name__)


def load_pretrained(config: Config, backend: Backend, charset: Charset | None) -> None:
    """Start from Global.pretrained_model and from the ``pretrained`` of each network of a distillation.

    Args:
        config: A checked config with Architecture.
        backend: The engine whose networks take the weights.
        charset: Characters of the network; None if it is not a recogniser.

    Raises:
        CheckpointError: If there are no such weights, or they do not fit.
        ConfigError: If Global.pretrained_dict_path is given for a network that is no recogniser.
    """
    source = config.Global.pretrained_model
    if source is not None:
        given, wanted = checkpoint.read_weights(Path(source)), backend.weights()
        if config.Global.pretrained_dict_path is not None:
            if charset is None:
                raise ConfigError("Global.pretrained_dict_path is for recognisers: other networks have no characters.")
            given = carry_characters(given, wanted, _charset_of_pretrained(config), charset)
        backend.load_weights(checkpoint.fit_weights(given, wanted, source, config.Global.reinit, REINIT))
        log.info("Start from %s.", source)
    for name, model in ((config.Architecture or {}).get("Models") or {}).items():
        if model.get("pretrained"):
            _load_network(name, model["pretrained"], config.Global.reinit, backend)


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
    given: Mapping[str, NDArray[Any]], wanted: Mapping[str, NDArray[Any]], old: Charset, new: Charset
) -> Arrays:
    """Return *given* with its class layers rearranged from the dictionary *old* to *new*.

    In every array of a head whose last axis counts the classes of *old* and shall count those of *new*, the blank and
    the characters that both have keep what they learnt. The other characters keep the values in *wanted*, which are
    the network's initial ones.

    Args:
        given: Weights trained with *old*.
        wanted: Weights of the network as it is, made for *new*.
        old: Dictionary *given* was trained with.
        new: Dictionary of the network.

    Raises:
        CheckpointError: If no array counts the classes of *old*, so that it is not what *given* was trained with.
    """
    shared = [character for character in new.characters if character in old]
    from_old = [BLANK, *old.encode("".join(shared))]
    to_new = [BLANK, *new.encode("".join(shared))]
    carried = dict(given)
    found = [name for name in wanted if name in given and _counts_classes(name, given[name], wanted[name], old, new)]
    if not found:
        raise CheckpointError(
            f"Global.pretrained_dict_path has {old.num_classes} classes, but no layer of the pretrained head counts as "
            "many. Give the dictionary that the weights were trained with."
        )
    for name in found:
        fresh = np.array(wanted[name])
        fresh[..., to_new] = given[name][..., from_old]
        carried[name] = fresh
    log.info(
        "%d characters of %d keep what was learnt, %d begin afresh.", len(shared), len(new), len(new) - len(shared)
    )
    return carried


def _counts_classes(name: str, given: NDArray[Any], wanted: NDArray[Any], old: Charset, new: Charset) -> bool:
    return (
        "head" in name.split(".")
        and given.shape[-1:] == (old.num_classes,)
        and wanted.shape[-1:] == (new.num_classes,)
        and given.shape[:-1] == wanted.shape[:-1]
    )
