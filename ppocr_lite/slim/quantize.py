"""Config and weights → a folder with a network that trains as it will compute in 8 bits: ``tools/quantize.py``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.config.schema import Config
from ppocr_lite.data import DATASETS
from ppocr_lite.engine.backends.base import Backend
from ppocr_lite.engine.build import build_batches, build_chain, load_charset, require
from ppocr_lite.engine.checkpoint import read_weights
from ppocr_lite.engine.open import open_network
from ppocr_lite.errors import ConfigError
from ppocr_lite.families import family_of
from ppocr_lite.slim.start import checked_weights, single_network, write_start

log = logging.getLogger(__name__)

RANGE = ".pact.alpha"  # what a quantised layer has besides the weights of the plain one


def quantize_run(config: Config, source: Path, folder: Path, batches: int = 16) -> Path:
    """Write a quantised network whose ranges are measured on training data, ready for training and export.

    Args:
        config: A checked config with Architecture and Train; ``Architecture.quant`` may say what stays in float.
        source: Weights of the network in float: checkpoint folder, run folder or weight file.
        folder: Gets ``config.yml`` and ``model.safetensors``.
        batches: Training batches on which the ranges are measured.

    Returns:
        The config file.

    Raises:
        ConfigError: If there are several networks or no batches.
        CheckpointError: If the weights do not fit.
    """
    if batches < 1:
        raise ConfigError(f"The ranges need at least one batch to be measured on. Received: {batches}")
    architecture = single_network(config)
    architecture = architecture | {"quant": architecture.get("quant") or {}}
    backend = open_network(config, architecture)
    ranges = {name: value for name, value in backend.weights().items() if name.endswith(RANGE)}
    backend.load_weights(checked_weights(ranges | read_weights(source), backend, source))
    backend.calibrate(training_images(config, backend, batches))
    log.info("%d layers compute in 8 bits.", len(ranges))
    return write_start(config, architecture, backend.weights(), folder)


def training_images(config: Config, backend: Backend, batches: int) -> Iterator[NDArray[Any]]:
    """Yield the images (N, 3, H, W) of the first training batches."""
    train = require(config.Train, "Train")
    chain = build_chain(train, load_charset(config), config.Global.max_text_length, training=True)
    dataset = DATASETS.build(train.dataset, transforms=chain, seed=config.Global.seed, training=True)
    order = build_batches(train, len(dataset), backend, config.Global.seed)
    order.seek(0, 0)
    loader = backend.loader(dataset, order, family_of(config).collate(), num_workers=0)
    return (np.asarray(batch["image"]) for batch in islice(loader, batches))
