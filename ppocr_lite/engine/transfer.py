"""A recogniser's weights carried over to another dictionary."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.charset import BLANK, Charset
from ppocr_lite.engine.backends.base import Arrays
from ppocr_lite.errors import CheckpointError

log = logging.getLogger(__name__)


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
