"""What pruning and quantising begin and end with: a network with weights, and a folder that training starts from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ppocr_lite import files
from ppocr_lite.config.schema import Config
from ppocr_lite.engine.backends.base import Arrays, Backend
from ppocr_lite.engine.build import require
from ppocr_lite.engine.checkpoint import MODEL, fit_weights, write_weights
from ppocr_lite.errors import ConfigError
from ppocr_lite.slim.groups import Weights

CONFIG = "config.yml"


def single_network(config: Config) -> dict[str, Any]:
    """Return the Architecture section.

    Raises:
        ConfigError: If there is none, or it has several networks.
    """
    architecture: dict[str, Any] = require(config.Architecture, "Architecture")
    if "Models" in architecture:
        raise ConfigError("Architecture: give a single network, not the several of a distillation.")
    return architecture


def checked_weights(given: Weights, backend: Backend, source: Path) -> Arrays:
    """Return *given* if it fits the network of *backend*.

    Raises:
        CheckpointError: If not; lists what is missing, unexpected or of another shape.
    """
    return fit_weights(given, backend.weights(), str(source))


def write_start(config: Config, architecture: Mapping[str, Any], weights: Weights, folder: Path) -> Path:
    """Write ``config.yml`` and ``model.safetensors``, from which training, evaluation and export go on.

    Args:
        config: The config of the network as it was.
        architecture: The section as it is now.
        weights: What fits it.
        folder: Created if it is not there; a run that starts from it goes into ``train`` below.

    Returns:
        The config file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder / MODEL, weights)
    stale = ("pretrained_model", "pretrained_dict_path", "reinit", "checkpoints", "save_inference_dir")
    general = {key: value for key, value in config.source["Global"].items() if key not in stale}
    general |= {"save_model_dir": str(folder / "train"), "pretrained_model": str(folder / MODEL)}
    source = config.source | {"Global": general, "Architecture": dict(architecture)}
    text = yaml.safe_dump(source, allow_unicode=True, sort_keys=False, width=120)
    files.write_text(folder / CONFIG, text)
    return folder / CONFIG
