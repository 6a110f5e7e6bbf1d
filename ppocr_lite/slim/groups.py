"""Which channels of a network can be removed, and which arrays each of them runs through.

Only channels inside a part are taken: what residual additions join keeps its width, so a group never spreads over a
stage.  The one sum that is taken is that of the feature pyramid, whose four addends lose the same channels.

======================================  ============================================================================
key in Architecture                     channels
======================================  ============================================================================
``Backbone.expanded[i]`` (MobileNetV3)  inside residual unit i, with those of its gate
``Backbone.last_channels``              of the last convolution, into the neck or head
``Neck.out_channels`` (DBFPN)           of the summed maps
``Neck.level_channels[i]``              that a level gives to the joined map
``Head.hidden_channels[i]`` (DBHead)    after convolution i of each branch
======================================  ============================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError

Weights = Mapping[str, NDArray[Any]]
_UNIT = re.compile(r"(backbone\.(?:stage(\d+)|blocks)\.(\d+))\.expand_conv\.conv\.weight")
_LAST = re.compile(r"(backbone\.(?:stage\d+\.\d+|conv2))\.conv\.weight")
_BATCH_NORM = ("weight", "bias", "_mean", "_variance")
_SCALE = 4  # a gate and, where nothing else is said, a level and a branch have a quarter


@dataclass(frozen=True)
class Slice:
    """The place of a group's channels in one array.

    Attributes:
        name: Of the array.
        axis: Along which the channels lie.
        start: Index of the first of them.
    """

    name: str
    axis: int = 0
    start: int = 0


@dataclass(frozen=True)
class Group:
    """Channels of one tensor, and all that goes with them.

    Attributes:
        part: ``Backbone``, ``Neck`` or ``Head``.
        argument: Argument of the part that says how many channels there are.
        index: Which value of it, where it is a list.
        width: How many there are.
        filters: Where the filters are that make them: what is compared to choose.
        followers: What else has an entry for each channel: biases, batch normalisation, depthwise kernels, and the
            inputs of the layers that read them.
        share: The group has ``1 / share`` as many channels as the config says.
    """

    part: str
    argument: str
    index: int | None
    width: int
    filters: tuple[Slice, ...]
    followers: tuple[Slice, ...]
    share: int = 1

    @property
    def key(self) -> str:
        """Where the config says the width; groups of one key keep it in common."""
        return f"{self.part}.{self.argument}" + ("" if self.index is None else f"[{self.index}]")


def channel_groups(architecture: Mapping[str, Any], weights: Weights) -> list[Group]:
    """Return what can be pruned in a network.

    Args:
        architecture: Checked Architecture section.
        weights: Its weights, under Paddle's names and in Paddle's layout.

    Raises:
        ConfigError: If there is nothing: several networks, or parts that have no argument for their widths.
    """
    if "Models" in architecture:
        raise ConfigError("Architecture: prune a single network, not the several of a distillation.")
    if architecture.get("Network"):
        raise ConfigError("Architecture.Network: a network that is read from a graph cannot be pruned.")
    groups: list[Group] = []
    if architecture["Backbone"]["name"] == "MobileNetV3":
        groups += _mobilenet_v3(architecture, weights)
    if (architecture.get("Neck") or {}).get("name") == "DBFPN":
        groups += _db_fpn(weights)
    if architecture["Head"]["name"] == "DBHead":
        groups += _db_head(weights)
    if not groups:
        names = [architecture[part]["name"] for part in ("Backbone", "Neck", "Head") if architecture.get(part)]
        raise ConfigError(f"Architecture: nothing in {', '.join(names)} can be pruned; MobileNetV3, DBFPN, DBHead can.")
    return groups


def _mobilenet_v3(architecture: Mapping[str, Any], weights: Weights) -> Iterator[Group]:
    found = [match for match in map(_UNIT.fullmatch, weights) if match]
    found.sort(key=lambda match: (int(match[2] or 0), int(match[3])))
    for index, unit in enumerate(match[1] for match in found):
        first, gate = Slice(f"{unit}.expand_conv.conv.weight"), f"{unit}.mid_se"
        followers = [
            *_normalised(f"{unit}.expand_conv.bn"),
            Slice(f"{unit}.bottleneck_conv.conv.weight"),
            *_normalised(f"{unit}.bottleneck_conv.bn"),
            Slice(f"{unit}.linear_conv.conv.weight", 1),
        ]
        if f"{gate}.conv1.weight" in weights:
            squeezed = Slice(f"{gate}.conv1.weight")
            rest = (Slice(f"{gate}.conv1.bias"), Slice(f"{gate}.conv2.weight", 1))
            yield _group(weights, "Backbone", "expanded", index, (squeezed,), rest, _SCALE)
            followers += [Slice(squeezed.name, 1), Slice(f"{gate}.conv2.weight"), Slice(f"{gate}.conv2.bias")]
        yield _group(weights, "Backbone", "expanded", index, (first,), tuple(followers))
    (last,) = (match[1] for match in map(_LAST.fullmatch, weights) if match)
    readers = _readers_of_backbone(architecture, weights)
    followers = [*_normalised(f"{last}.bn"), *readers]
    yield _group(weights, "Backbone", "last_channels", None, (Slice(f"{last}.conv.weight"),), tuple(followers))


def _readers_of_backbone(architecture: Mapping[str, Any], weights: Weights) -> list[Slice]:
    """Return the inputs of the layers that read the last map of the backbone; other maps keep their widths."""
    neck, head = architecture.get("Neck"), architecture["Head"]["name"]
    if neck and neck["name"] == "DBFPN":
        return [Slice("neck.in5_conv.weight", 1)]
    if "neck.encoder.fc.weight" in weights:
        return [Slice("neck.encoder.fc.weight")]
    lstm = [name for name in weights if re.fullmatch(r"neck\.encoder\.lstm\.(weight_ih_l0.*|0\..*weight_ih)", name)]
    if lstm:
        return [Slice(name, 1) for name in lstm]
    if head in ("CTCHead", "ClsHead"):
        return [Slice("head.fc1.weight" if "head.fc1.weight" in weights else "head.fc.weight")]
    raise ConfigError(f"Architecture: it is not known how {head} reads the backbone, so it cannot be pruned.")


def _db_fpn(weights: Weights) -> Iterator[Group]:
    inner = tuple(Slice(f"neck.in{level}_conv.weight") for level in (2, 3, 4, 5))
    readers = tuple(Slice(f"neck.p{level}_conv.weight", 1) for level in (2, 3, 4, 5))
    yield _group(weights, "Neck", "out_channels", None, inner, readers)
    start = 0
    for index, level in enumerate((5, 4, 3, 2)):  # in the order in which they are joined
        made = Slice(f"neck.p{level}_conv.weight")
        heads = tuple(Slice(f"head.{branch}.conv1.weight", 1, start) for branch in ("binarize", "thresh"))
        group = _group(weights, "Neck", "level_channels", index, (made,), heads)
        yield group
        start += group.width


def _db_head(weights: Weights) -> Iterator[Group]:
    for branch in ("head.binarize", "head.thresh"):
        first = (*_normalised(f"{branch}.conv_bn1"), Slice(f"{branch}.conv2.weight"))
        yield _group(weights, "Head", "hidden_channels", 0, (Slice(f"{branch}.conv1.weight"),), first)
        # A transposed convolution keeps its filters along the second axis.
        second = (
            Slice(f"{branch}.conv2.bias"),
            *_normalised(f"{branch}.conv_bn2"),
            Slice(f"{branch}.conv3.weight"),
        )
        yield _group(weights, "Head", "hidden_channels", 1, (Slice(f"{branch}.conv2.weight", 1),), second)


def _normalised(layer: str) -> tuple[Slice, ...]:
    return tuple(Slice(f"{layer}.{name}") for name in _BATCH_NORM)


def _group(
    weights: Weights,
    part: str,
    argument: str,
    index: int | None,
    filters: tuple[Slice, ...],
    followers: tuple[Slice, ...],
    share: int = 1,
) -> Group:
    """Return a group as wide as its first filters."""
    width = int(np.shape(weights[filters[0].name])[filters[0].axis])
    return Group(part, argument, index, width, filters, followers, share)
