"""Filter pruning via geometric median: which filters go, and a network without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.slim.groups import Group, Weights

DIVISOR = 8  # widths that engines compute without a remainder


def distance_sums(filters: NDArray[Any]) -> NDArray[np.float64]:
    """Return the sum of the Euclidean distances of each filter to all others.

    Args:
        filters: (C, D), a filter a row.

    Returns:
        (C,). The smaller, the nearer the filter is to the geometric median, and the better the others stand in for it.

    Source:
        He et al., Filter Pruning via Geometric Median for Deep Convolutional Neural Networks Acceleration, CVPR 2019,
        eq. 8.
    """
    points = np.asarray(filters, np.float64)
    return np.array([np.sqrt(((points - point) ** 2).sum(1)).sum() for point in points])


def redundant(filters: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Return the indices of the *count* filters nearest to the geometric median, in rising order.

    Args:
        filters: (C, D), a filter a row.
        count: How many, less than C.
    """
    return np.sort(np.argsort(distance_sums(filters), kind="stable")[:count])


def width_after(width: int, ratio: float, divisor: int = DIVISOR) -> int:
    """Return how many of *width* channels stay when *ratio* of them shall go: a multiple of *divisor*, at least one."""
    return min(width, max(divisor, divisor * round(width * (1 - ratio) / divisor)))


def prune_weights(weights: Weights, groups: Sequence[Group], widths: Mapping[str, int]) -> dict[str, NDArray[Any]]:
    """Return *weights* without the most redundant channels.

    Args:
        weights: Name → array.
        groups: As :func:`ppocr_lite.slim.groups.channel_groups` returns them.
        widths: Key of a group → how many channels stay; groups that are not named stay whole.

    Raises:
        ConfigError: If *widths* names no group, or would leave none or more than there are.
    """
    check_widths(groups, widths)
    kept: dict[tuple[str, int], NDArray[np.bool_]] = {}
    for group in groups:
        removed = removed_channels(weights, group, widths)
        for place in (*group.filters, *group.followers):
            mask = kept.setdefault((place.name, place.axis), np.ones(weights[place.name].shape[place.axis], bool))
            mask[place.start + removed] = False
    pruned = dict(weights)
    for (name, axis), mask in kept.items():
        pruned[name] = np.ascontiguousarray(np.compress(mask, pruned[name], axis))
    return pruned


def removed_channels(weights: Weights, group: Group, widths: Mapping[str, int]) -> NDArray[np.intp]:
    """Return which channels of *group* go; filters that several layers make together are compared as one."""
    left = widths.get(group.key, group.width * group.share) // group.share
    rows = [
        np.moveaxis(weights[place.name], place.axis, 0)[place.start : place.start + group.width]
        for place in group.filters
    ]
    return redundant(np.concatenate([row.reshape(group.width, -1) for row in rows], axis=1), group.width - left)


def prune_architecture(
    architecture: Mapping[str, Any], groups: Sequence[Group], widths: Mapping[str, int]
) -> dict[str, Any]:
    """Return the Architecture section with the widths that stay, spelt out.

    Args:
        architecture: The section; not modified.
        groups: As :func:`ppocr_lite.slim.groups.channel_groups` returns them.
        widths: Key of a group → how many channels stay.
    """
    check_widths(groups, widths)
    pruned = dict(architecture)
    for group in groups:
        if group.share > 1:
            continue
        width = widths.get(group.key, group.width)
        node = pruned[group.part] = dict(pruned[group.part])
        if group.index is None:
            node[group.argument] = width
        else:
            node[group.argument] = _with_item(node.get(group.argument), group.index, width)
    return pruned


def check_widths(groups: Sequence[Group], widths: Mapping[str, int]) -> None:
    """Raise ConfigError where *widths* does not fit *groups*."""
    known = {group.key: group.width for group in groups if group.share == 1}
    for key, width in widths.items():
        if key not in known:
            raise ConfigError(f"There is no group {key!r} of channels.{suggest(key, known)}")
        if not 1 <= width <= known[key]:
            raise ConfigError(f"{key} has {known[key]} channels. It cannot keep {width}.")


def _with_item(values: Sequence[int] | None, index: int, value: int) -> list[int]:
    """Return *values* with one of them set; the list grows in order where it is not there yet."""
    items = list(values or ())
    return [*items[:index], value, *items[index + 1 :]]
