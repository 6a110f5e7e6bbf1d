"""A weighted sum of losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr_lite import nn
from ppocr_lite.config.check import check_component
from ppocr_lite.errors import ConfigError
from ppocr_lite.losses.base import LOSSES
from ppocr_lite.losses.ctc_loss import INFEASIBLE


@LOSSES.register
class CombinedLoss(nn.Layer):
    """Adds losses up, each times its weight.

    Args:
        loss_config_list: ``[{Class: {weight: 1.0, argument: value}}, …]``.

    Raises:
        ConfigError: If the list is empty, or an entry is not of that form.

    Shape:
        Returns ``loss``, and the terms of each loss by their own names, weighted. A loss with no term but ``loss`` is
        listed as ``loss_Class_index``.
    """

    def __init__(self, loss_config_list: list[dict[str, Any]]) -> None:
        super().__init__()
        if not loss_config_list:
            raise ConfigError("Loss.loss_config_list must name at least one loss. Received: []")
        self.names: list[str] = []
        self.weights: list[float] = []
        self.parts = nn.LayerList()
        for index, entry in enumerate(loss_config_list):
            name, weight, part = _build(entry, f"Loss.loss_config_list[{index}]")
            self.names.append(name)
            self.weights.append(weight)
            self.parts.append(part)

    def forward(self, outputs: Mapping[str, Any], batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        totals, terms = [], {}
        for index, (name, weight, part) in enumerate(zip(self.names, self.weights, self.parts, strict=True)):
            found = dict(part(outputs, batch))
            total = found.pop("loss")
            totals.append(total * weight)
            counts = {key: found.pop(key) for key in (INFEASIBLE,) if key in found}
            weighted = {key: value * weight for key, value in (found or {f"loss_{name}_{index}": total}).items()}
            for key, value in (weighted | counts).items():
                terms[f"{key}_{index}" if key in terms else key] = value
        return {"loss": nn.add_n(totals), **terms}


def _build(entry: Mapping[str, Any], path: str) -> tuple[str, float, nn.Layer]:
    """Return name, weight and loss of one entry of the list."""
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ConfigError(f"{path} must be '- Class: {{weight: …, …}}'. Received: {entry!r}")
    name, arguments = next(iter(entry.items()))
    arguments = dict(arguments or {})
    weight = arguments.pop("weight", None)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise ConfigError(f"{path}.{name}.weight must be a number. Received: {weight!r}")
    node = check_component(LOSSES, {"name": name} | arguments, f"{path}.{name}")
    return name, float(weight), LOSSES.build(node)
