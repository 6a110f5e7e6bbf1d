"""How the weights of a network start, whatever its layers do by themselves."""

from __future__ import annotations

from typing import Any

from ppocr_lite import nn
from ppocr_lite.config.schema import Initialization, Start
from ppocr_lite.errors import ConfigError


def initialize(network: nn.Layer, options: Initialization, path: str = "Architecture.init") -> None:
    """Let the weights of *network* start as *options* say, in place.

    Normalisations and everything that *options* do not name keep what they have.

    Args:
        network: As it was built.
        options: The section ``init``.
        path: Where it stands in the config.

    Raises:
        ConfigError: If a part to skip is not in the network.
    """
    parts = dict(network.named_sublayers())
    unknown = [prefix for prefix in options.skip if prefix not in parts]
    if unknown:
        raise ConfigError(f"{path}.skip: the network has no part {unknown[0]!r}. Parts: {sorted(_tops(parts))}")
    for name, layer in parts.items():
        way = _way(layer, options)
        if way is None or any(name == prefix or name.startswith(f"{prefix}.") for prefix in options.skip):
            continue
        start, bias = way
        for role, parameter in layer.named_parameters():
            if role.startswith("weight") and start is not None:
                _initializer(start)(parameter)
            elif role.startswith("bias") and bias == "zeros":
                nn.Constant(0.0)(parameter)


def _tops(parts: dict[str, Any]) -> set[str]:
    return {name for name in parts if name.count(".") < 2}


def _way(layer: Any, options: Initialization) -> tuple[Start | None, str | None] | None:
    """Return how the weights and the biases of a layer start; None if *options* say nothing about layers like it."""
    if isinstance(layer, (nn.LSTM, nn.GRU)):
        return options.recurrent, options.bias
    if isinstance(layer, (nn.Conv2D, nn.Conv2DTranspose)):
        return options.conv, options.bias
    if isinstance(layer, nn.Linear):
        return options.linear, options.bias
    return None


def _initializer(start: Start) -> Any:
    names = {
        "xavier_normal": nn.XavierNormal,
        "xavier_uniform": nn.XavierUniform,
        "kaiming_normal": nn.KaimingNormal,
        "kaiming_uniform": nn.KaimingUniform,
    }
    return names[start]()
