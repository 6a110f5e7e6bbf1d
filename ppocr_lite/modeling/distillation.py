"""Several networks that learn from one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppocr_lite import nn


class DistillationModel(nn.Layer):
    """Runs named networks on the same image.

    A frozen network keeps its weights and its batch-normalisation statistics, and has no gradient; in training it
    still returns what a network in training returns, because the losses compare like with like.

    Args:
        models: Name → network, e.g. ``Teacher``, ``Student``, ``Student2``; the names prefix the weight names.
        frozen: Names of those that do not learn.
        pretrained: Name → where the starting weights are; kept for the code that loads them.

    Shape:
        (N, 3, H, W) → {name: what that network returns}, in ``forward`` as in ``predict``

    Source:
        Du et al., PP-OCRv2, 2021 (collaborative mutual learning; unified deep mutual learning).
    """

    def __init__(
        self, models: Mapping[str, nn.Layer], frozen: Sequence[str] = (), pretrained: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self.model_names = tuple(models)
        self.frozen = frozenset(frozen)
        self.pretrained = dict(pretrained or {})
        for name, model in models.items():
            self.add_sublayer(name, model)
            if name in self.frozen:
                nn.freeze(model)
        self.train()

    def train(self, mode: bool = True) -> DistillationModel:
        """Switch to training or back; the statistics of frozen networks stay as they are."""
        super().train(mode)
        for name in self.frozen:
            for layer in getattr(self, name).sublayers():
                if isinstance(layer, nn.BatchNorm2D):
                    layer.eval()
        return self

    @property
    def takes_targets(self) -> bool:
        """Whether one of the networks wants the batch in training."""
        return any(getattr(self, name).takes_targets for name in self.model_names)

    def forward(self, x: nn.Tensor, targets: Mapping[str, nn.Tensor] | None = None) -> dict[str, Any]:
        """See *Shape* of the class; *targets* is the batch, for heads that take it."""
        return {name: self._run(name, x, targets) for name in self.model_names}

    def predict(self, x: nn.Tensor) -> dict[str, Any]:
        """See *Shape* of the class."""
        return {name: getattr(self, name).predict(x) for name in self.model_names}

    def _run(self, name: str, x: nn.Tensor, targets: Mapping[str, nn.Tensor] | None) -> Any:
        if name not in self.frozen:
            return getattr(self, name)(x, targets)
        with nn.no_grad():
            return getattr(self, name)(x, targets)


def predicting(network: Any, name: str | None = None) -> Any:
    """Return the network that predicts: of a distillation the one called *name*, or else the first that learns."""
    learning = [member for member in getattr(network, "model_names", ()) if member not in network.frozen]
    return getattr(network, name or learning[0]) if learning else network
