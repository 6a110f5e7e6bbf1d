"""The loss of CTC with a guide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr_lite import nn
from ppocr_lite.config.check import check_component
from ppocr_lite.errors import ConfigError
from ppocr_lite.losses.base import LOSSES
from ppocr_lite.losses.ctc_loss import INFEASIBLE

_CTC, _GUIDES = "CTCLoss", ("NRTRLoss",)


@LOSSES.register
class MultiLoss(nn.Layer):
    """The losses of a :class:`MultiHead`, added up.

    Args:
        loss_config_list: ``[{CTCLoss: {argument: value}}, {NRTRLoss: …}]``, one of each at most.
        weight_1: Weight of CTC.
        weight_2: Weight of the guide.

    Raises:
        ConfigError: If the list is not of that form.

    Shape:
        outputs: ``logits`` (N, T, C), and ``gtc`` for the guide; batch: ``label_ctc`` (N, L) and ``length`` (N,), and
        ``label_gtc`` for the guide, as ``MultiLabelEncode`` makes them. Returns ``loss``, each loss by its name,
        weighted, and ``ctc_infeasible``.

    Source:
        Hu et al., GTC: Guided Training of CTC, AAAI 2020.
    """

    def __init__(self, loss_config_list: list[dict[str, Any]], weight_1: float = 1.0, weight_2: float = 1.0) -> None:
        super().__init__()
        self.check({"loss_config_list": loss_config_list}, "Loss")
        self.names = tuple(name for entry in loss_config_list for name in entry)
        self.weights = tuple(weight_1 if name == _CTC else weight_2 for name in self.names)
        self.parts = nn.LayerList()
        for index, entry in enumerate(loss_config_list):
            ((name, arguments),) = entry.items()
            path = f"Loss.loss_config_list[{index}]"
            self.parts.append(LOSSES.build(check_component(LOSSES, {"name": name} | (arguments or {}), path)))

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> None:
        """Check what the signature cannot say; the section Loss is read with this.

        Raises:
            ConfigError: Names the path of what is unknown or of the wrong type.
        """
        entries, seen = arguments["loss_config_list"], set()
        for index, entry in enumerate(entries):
            where = f"{path}.loss_config_list[{index}]"
            if len(entry) != 1:
                raise ConfigError(f"{where} must be '- Class: {{argument: value}}'. Received: {entry!r}")
            ((name, given),) = entry.items()
            if name not in (_CTC, *_GUIDES) or name in seen:
                known = [other for other in (_CTC, *_GUIDES) if other not in seen]
                raise ConfigError(f"{where} must be one of {known}. Received: {name!r}")
            seen.add(name)
            check_component(LOSSES, {"name": name} | (given or {}), f"{where}.{name}")
        if _CTC not in seen:
            raise ConfigError(f"{path}.loss_config_list must have a CTCLoss. Received: {sorted(seen)}")

    def forward(self, outputs: Mapping[str, Any], batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        totals, terms = [], {}
        for name, weight, part in zip(self.names, self.weights, self.parts, strict=True):
            if name == _CTC:
                found = part.compute(outputs["logits"], batch["label_ctc"], batch["length"])
                terms[INFEASIBLE] = found[INFEASIBLE]
            else:
                found = part(outputs, batch)
            terms[name] = found["loss"] * weight
            totals.append(terms[name])
        return {"loss": nn.add_n(totals), **terms}
