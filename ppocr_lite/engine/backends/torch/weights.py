"""Paddle names and layouts ↔ torch tensors, both ways and bit for bit.

What differs between the two frameworks, for equal attribute names:

================  ===========================  ================================
module            Paddle                       torch
================  ===========================  ================================
batch norm        ``_mean``, ``_variance``     ``running_mean``, ``running_var``
linear            ``weight`` (in, out)         ``weight`` (out, in)
LSTM, GRU         each weight has two names    one name
================  ===========================  ================================

Convolutions, transposed convolutions, LSTM weights (gate order i, f, g, o) and those of GRU (r, z, n) have one layout
in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ppocr_lite.errors import CheckpointError

Array = NDArray[Any]
_BATCH_NORM = {"running_mean": "_mean", "running_var": "_variance"}
_RECURRENT = re.compile(r"(weight|bias)_(ih|hh)_l(\d+)(_reverse)?")


@dataclass(frozen=True)
class Slot:
    """Where one Paddle array lives in a torch network.

    Attributes:
        name: Name in ``named_parameters`` or ``named_buffers``.
        transposed: The torch tensor is the transpose of the Paddle array.
        aliases: Further Paddle names of the same array.
    """

    name: str
    transposed: bool = False
    aliases: tuple[str, ...] = ()

    def export(self, tensor: Tensor) -> Array:
        """Return a contiguous copy of *tensor* in the Paddle layout."""
        plain = tensor.detach().to("cpu", torch.float32)
        return np.array((plain.t() if self.transposed else plain).numpy(), order="C", copy=True)

    def load(self, array: Array) -> Tensor:
        """Return *array*, which has the Paddle layout, as a contiguous torch tensor."""
        return torch.from_numpy(np.array(array.T if self.transposed else array, order="C", copy=True))


def layout(network: nn.Module) -> dict[str, Slot]:
    """Return Paddle name → slot for everything Paddle's ``state_dict`` would hold, in module order."""
    modules = network.named_modules()
    return {_join(prefix, name): slot for prefix, module in modules for name, slot in _own(prefix, module)}


def tensors(network: nn.Module) -> dict[str, Tensor]:
    """Return torch name → the live parameter or buffer."""
    return dict(network.named_parameters()) | dict(network.named_buffers())


def export_weights(network: nn.Module) -> dict[str, Array]:
    """Return every weight under its Paddle names, in the Paddle layout, as float32 copies."""
    live = tensors(network)
    found: dict[str, Array] = {}
    for name, slot in layout(network).items():
        found[name] = slot.export(live[slot.name])
        found |= dict.fromkeys(slot.aliases, found[name])
    return found


def import_weights(network: nn.Module, weights: Mapping[str, Array], *, strict: bool = True) -> list[str]:
    """Copy Paddle weights into *network*.

    Args:
        network: Changed in place.
        weights: Paddle name → array in the Paddle layout.
        strict: Every key and shape must fit. Otherwise only what fits is copied.

    Returns:
        One sentence for each key that is missing, unexpected or of another shape; empty when strict.

    Raises:
        CheckpointError: If strict and something does not fit; lists all of it. The network is then unchanged.
    """
    live, slots = tensors(network), layout(network)
    known = set(slots) | {alias for slot in slots.values() for alias in slot.aliases}
    chosen: dict[str, Tensor] = {}
    problems: list[str] = []
    for name, slot in slots.items():
        source = next((key for key in (name, *slot.aliases) if key in weights), None)
        if source is None:
            problems.append(f"{name} is missing")
            continue
        tensor = slot.load(np.asarray(weights[source]))
        if tensor.shape != live[slot.name].shape:
            wanted = tuple(reversed(live[slot.name].shape)) if slot.transposed else tuple(live[slot.name].shape)
            problems.append(f"{name} has shape {tuple(weights[source].shape)}, the network needs {wanted}")
            continue
        chosen[slot.name] = tensor
    problems += [f"{name} is unexpected" for name in weights if name not in known]
    if strict and problems:
        raise CheckpointError("The weights do not fit the network: " + "; ".join(problems) + ".")
    with torch.no_grad():
        for name, tensor in chosen.items():
            live[name].copy_(tensor)
    return problems


def _own(prefix: str, module: nn.Module) -> Iterator[tuple[str, Slot]]:
    """Yield the Paddle names, relative to *module*, of what the module itself holds."""
    persistent = set(module.state_dict(keep_vars=True))
    names = [n for n, _ in module.named_parameters(recurse=False)]
    names += [n for n, _ in module.named_buffers(recurse=False) if n in persistent]
    for name in names:
        where = _join(prefix, name)
        if isinstance(module, _BatchNorm):
            if name != "num_batches_tracked":
                yield _BATCH_NORM.get(name, name), Slot(where)
        elif isinstance(module, nn.Linear) or getattr(module, "holds_matrix", False):
            yield name, Slot(where, transposed=name == "weight")
        elif isinstance(module, nn.LSTM | nn.GRU):
            yield name, Slot(where, aliases=(_join(prefix, _cell_name(name)),))
        else:
            yield name, Slot(where)


def _cell_name(name: str) -> str:
    """Return the second name Paddle gives a recurrent weight: ``weight_ih_l0_reverse`` is ``0.cell_bw.weight_ih``."""
    match = _RECURRENT.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not the name of a recurrent weight.")
    kind, source, layer, reverse = match.groups()
    return f"{layer}.cell_{'bw' if reverse else 'fw'}.{kind}_{source}"


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
