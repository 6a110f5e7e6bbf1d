"""A config and weights → the engine that holds them, for evaluation, prediction, pruning and whatever comes after."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ppocr_lite.config.schema import Config
from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.backends.base import Backend, Task
from ppocr_lite.engine.build import choose_device, chosen_network, create_backend, load_charset, require
from ppocr_lite.engine.transfer import carry_graphs

log = logging.getLogger(__name__)


def weights_of(config: Config, weights: Path | None = None) -> Path:
    """Return where the weights are: *weights*, else Global.checkpoints, pretrained_model or save_model_dir."""
    general = config.Global
    return weights or Path(general.checkpoints or general.pretrained_model or general.save_model_dir)


def starts_from_graph(config: Config) -> bool:
    """Say whether the network of *config* has weights of its own and there are no others yet."""
    general = config.Global
    if general.checkpoints or general.pretrained_model or not (config.Architecture or {}).get("Network"):
        return False
    folder = Path(general.save_model_dir)
    return not any((folder / place / "latest").is_file() for place in ("checkpoints", "."))


def open_network(config: Config, architecture: Mapping[str, Any] | None = None) -> Backend:
    """Return the engine of *config* with a network as it begins, without loss and optimizer.

    Args:
        config: A checked config with Architecture.
        architecture: That section, where it is another than the config's.
    """
    charset = load_charset(config)
    backend = create_backend(config.Global.engine)
    backend.build(
        Task(
            architecture=architecture or require(config.Architecture, "Architecture"),
            num_classes=charset.num_classes if charset else None,
            seed=config.Global.seed,
            device=choose_device(config, backend),
            threads=config.Global.threads,
            predicts=chosen_network(config) if architecture is None else None,
        )
    )
    return backend


def open_checkpoint(config: Config, weights: Path | None = None) -> Backend:
    """Return the engine of *config* with the network of a checkpoint, without loss and optimizer.

    A network that is read from a graph has weights before there is a checkpoint.

    Args:
        config: A checked config with Architecture.
        weights: Checkpoint folder, run folder or weight file; by default as :func:`weights_of` says.

    Raises:
        CheckpointError: If there are no weights, or they do not fit.
    """
    source = weights_of(config, weights)
    backend = open_network(config)
    if weights is None and starts_from_graph(config):
        log.info("There is no run in %s yet: the network is as its file has it.", source)
        carry_graphs(config, backend, load_charset(config))
        return backend
    backend.load_weights(checkpoint.fit_weights(checkpoint.read_weights(source), backend.weights(), str(source)))
    return backend
