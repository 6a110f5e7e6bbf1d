"""Config and weights → sensitivities, and a folder with a smaller network: what ``tools/prune.py`` calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ppocr_lite.config.schema import Config
from ppocr_lite.engine.build import build_evaluator, load_charset
from ppocr_lite.engine.checkpoint import read_weights
from ppocr_lite.engine.open import open_network
from ppocr_lite.slim.fpgm import DIVISOR, prune_architecture, prune_weights, width_after
from ppocr_lite.slim.groups import Group, Weights, channel_groups
from ppocr_lite.slim.sensitivity import Sensitivities, analyse, widths_for_loss
from ppocr_lite.slim.start import checked_weights, single_network, write_start

log = logging.getLogger(__name__)

Widths = Callable[[Sequence[Group]], Mapping[str, int]]


def analyse_run(config: Config, source: Path, ratios: Sequence[float], divisor: int = DIVISOR) -> Sensitivities:
    """Return how much each group of channels matters on the Eval data.

    Args:
        config: A checked config with Architecture and Eval.
        source: Weights of the whole network: checkpoint folder, run folder or weight file.
        ratios: Shares of the channels to remove.
        divisor: Widths are multiples of this.

    Raises:
        ConfigError: If nothing in the network can be pruned.
        CheckpointError: If the weights do not fit it.
    """
    architecture = single_network(config)
    weights = checked_weights(read_weights(source), open_network(config, architecture), source)
    charset = load_charset(config)

    def score(architecture: Mapping[str, Any], weights: Weights) -> Mapping[str, float]:
        backend = open_network(config, architecture)
        backend.load_weights(weights)
        return build_evaluator(config, backend, charset)()

    groups = channel_groups(architecture, weights)
    return analyse(architecture, weights, groups, score, ratios, divisor)


def prune_run(config: Config, source: Path, choose: Widths, folder: Path) -> Path:
    """Write a smaller network, ready for fine-tuning, evaluation and export.

    Args:
        config: A checked config with Architecture.
        source: Weights of the whole network: checkpoint folder, run folder or weight file.
        choose: Groups → how many channels of each stay; see :func:`by_ratio` and :func:`by_loss`.
        folder: Gets ``config.yml`` and ``model.safetensors``.

    Returns:
        The config file.

    Raises:
        ConfigError: If nothing in the network can be pruned.
        CheckpointError: If the weights do not fit it.
    """
    architecture = single_network(config)
    weights = checked_weights(read_weights(source), open_network(config, architecture), source)
    groups = channel_groups(architecture, weights)
    widths = choose(groups)
    smaller, pruned = prune_architecture(architecture, groups, widths), prune_weights(weights, groups, widths)
    checked_weights(pruned, open_network(config, smaller), folder)
    before, after = (sum(value.nbytes for value in arrays.values()) / 1e6 for arrays in (weights, pruned))
    log.info("The weights are %.2f MB, before %.2f.", after, before)
    return write_start(config, smaller, pruned, folder)


def by_ratio(ratio: float, divisor: int = DIVISOR) -> Widths:
    """Return a choice that removes the same share of each group."""
    return lambda groups: {group.key: width_after(group.width, ratio, divisor) for group in groups if group.share == 1}


def by_loss(found: Sensitivities, max_loss: float, divisor: int = DIVISOR) -> Widths:
    """Return a choice that removes from each group what alone costs at most *max_loss* of the baseline."""
    return lambda groups: widths_for_loss(groups, found, max_loss, divisor)
