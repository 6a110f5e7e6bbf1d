"""From an optimizer specification to updates of a torch network, in Paddle's order: clip, regularise, update."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ppocr_lite.engine.backends.torch.weights import Slot, layout
from ppocr_lite.errors import CheckpointError, ConfigError
from ppocr_lite.optim.optimizers import Adam, AdamW, Momentum

Array = NDArray[Any]
# torch name → Paddle name of what an optimizer keeps for each parameter, in the parameter's layout.
_ADAM = {"exp_avg": "moment1", "exp_avg_sq": "moment2"}
_MOMENTUM = {"momentum_buffer": "velocity"}


class Updater:
    """One optimizer over all trainable parameters of a network.

    Penalties are added to the gradients here, not by the torch optimizer, because a parameter may have its own
    (``fc_decay`` of a head) in place of the common one.

    Args:
        spec: From ``ppocr_lite.optim.optimizers``.
        network: Its parameters are updated in place.
    """

    def __init__(self, spec: Any, network: nn.Module) -> None:
        self.spec = spec
        named = {name: p for name, p in network.named_parameters() if p.requires_grad}
        self.slots = {key: slot for key, slot in layout(network).items() if slot.name in named}
        self.parameters = list(named.values())
        self.named = named
        self.optimizer, self.kept = make_optimizer(spec, by_rate(self.parameters))
        self.own_decay = {p: float(p.own_decay) for p in self.parameters if hasattr(p, "own_decay")}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self.optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Update every parameter that has a gradient.

        Args:
            lr: Learning rate of this update.
        """
        pairs = [(p, p.grad) for p in self.parameters if p.grad is not None]
        gradients = [gradient for _, gradient in pairs]
        if self.spec.clip_norm_global is not None:
            norm = torch.stack(torch._foreach_norm(gradients)).norm()
            torch._foreach_mul_(gradients, shrink(norm, self.spec.clip_norm_global))
        elif self.spec.clip_norm is not None:
            limits = [shrink(norm, self.spec.clip_norm) for norm in torch._foreach_norm(gradients)]
            torch._foreach_mul_(gradients, limits)
        self._regularise(pairs)
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group["own_rate"]
        self.optimizer.step()

    def state(self) -> dict[str, Array]:
        """Return the state under Paddle's names, in Paddle's layout; empty before the first update."""
        found: dict[str, Array] = {}
        for key, slot in self.slots.items():
            kept = self.optimizer.state.get(self.named[slot.name], {})
            for name, paddle_name in self.kept.items():
                if kept.get(name) is not None:
                    found[f"{key}.{paddle_name}"] = slot.export(kept[name])
            if "step" in kept:  # fused optimizers keep it beside the parameter
                steps = float(kept["step"])
                for name, beta in self._powers().items():
                    found[f"{key}.{name}"] = np.array([beta ** (steps + 1)], np.float32)
        return found

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Continue from *state*.

        Raises:
            CheckpointError: If a name belongs to no parameter or another optimizer, or a shape differs; lists them.
        """
        known = {f"{key}.{name}" for key in self.slots for name in (*self.kept.values(), *self._powers())}
        wrong = sorted(set(state) - known - {name for name in state if name.startswith("scaler.")})
        if wrong:
            raise CheckpointError(
                f"The optimizer state does not fit the network and the optimizer. Unexpected: {wrong[:20]}."
            )
        for key, slot in self.slots.items():
            parameter = self.named[slot.name]
            kept = self._kept_of(key, slot, parameter, state)
            if kept:
                self.optimizer.state[parameter] = kept

    def _kept_of(self, key: str, slot: Slot, parameter: Tensor, state: Mapping[str, Array]) -> dict[str, Tensor]:
        """Return what torch keeps for one parameter, from what Paddle keeps."""
        kept: dict[str, Tensor] = {}
        for name, paddle_name in self.kept.items():
            if f"{key}.{paddle_name}" not in state:
                continue
            tensor = slot.load(np.asarray(state[f"{key}.{paddle_name}"], np.float32))
            if tensor.shape != parameter.shape:
                raise CheckpointError(f"The optimizer state {key}.{paddle_name} has another shape than its parameter.")
            kept[name] = torch.empty_like(parameter, requires_grad=False).copy_(tensor)
        if kept and self._powers():
            powers = {beta: state[f"{key}.{name}"] for name, beta in self._powers().items()}
            kept["step"] = torch.tensor(updates_done(powers), dtype=torch.float32, device=parameter.device)
        return kept

    def _regularise(self, pairs: list[tuple[Tensor, Tensor]]) -> None:
        """Add the gradients of the penalties; an own L2 factor takes the place of the common penalty."""
        common = [(p, g) for p, g in pairs if p not in self.own_decay]
        for parameter, gradient in pairs:
            if parameter in self.own_decay:
                gradient.add_(parameter, alpha=self.own_decay[parameter])
        penalty = self.spec.regularizer
        if penalty is None or not penalty.factor or not common:
            return
        parameters, gradients = [p for p, _ in common], [g for _, g in common]
        terms = parameters if penalty.name == "L2" else torch._foreach_sign(parameters)
        torch._foreach_add_(gradients, terms, alpha=penalty.factor)

    def _powers(self) -> dict[str, float]:
        """Name → β of the powers Paddle keeps for Adam."""
        if self.kept is not _ADAM:
            return {}
        return {"beta1_pow_acc": self.spec.beta1, "beta2_pow_acc": self.spec.beta2}


def updates_done(powers: Mapping[float, Array]) -> int:
    """Return the number of updates from β → β^(updates + 1).

    The slower β decides.  Below 1e-30 the power no longer tells the number; any number so large gives
    a bias correction of exactly 1.
    """
    beta, power = max(powers.items(), key=lambda item: item[0])
    if beta <= 0.0:
        return 1
    value = max(float(np.asarray(power).reshape(-1)[0]), 1e-30)
    return max(1, round(math.log(value) / math.log(beta)) - 1)


def shrink(norm: Tensor, limit: float) -> Tensor:
    """Return the factor that brings a gradient of length *norm* down to at most *limit*."""
    return limit / norm.clamp(min=limit)


def by_rate(parameters: list[Tensor]) -> list[dict[str, Any]]:
    """Return groups of parameters of one rate, each a factor of that of the run."""
    groups: dict[float, list[Tensor]] = {}
    for parameter in parameters:
        groups.setdefault(float(getattr(parameter, "own_rate", 1.0)), []).append(parameter)
    return [{"params": members, "own_rate": rate} for rate, members in groups.items()]


def make_optimizer(spec: Any, parameters: list[dict[str, Any]]) -> tuple[torch.optim.Optimizer, dict[str, str]]:
    """Return the torch optimizer that *spec* describes, without penalties, and what it keeps by both names.

    Args:
        spec: From ``ppocr_lite.optim.optimizers``.
        parameters: What it updates, in groups.

    Raises:
        ConfigError: If there is no parameter, or torch has no such optimizer.
    """
    if not parameters:
        raise ConfigError("Architecture: every network is frozen, there is nothing to train.")
    if isinstance(spec, Momentum):
        sgd = torch.optim.SGD(parameters, lr=0.0, momentum=spec.momentum, nesterov=spec.use_nesterov, fused=True)
        return sgd, _MOMENTUM
    if not isinstance(spec, Adam | AdamW):
        raise ConfigError(f"Optimizer.name: the torch engine has no {type(spec).__name__!r}.")
    betas = (spec.beta1, spec.beta2)
    if isinstance(spec, Adam):
        return torch.optim.Adam(parameters, lr=0.0, betas=betas, eps=spec.epsilon, fused=True), _ADAM
    decay = spec.weight_decay
    return torch.optim.AdamW(parameters, 0.0, betas, spec.epsilon, weight_decay=decay, fused=True), _ADAM
