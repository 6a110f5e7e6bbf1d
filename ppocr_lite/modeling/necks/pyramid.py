"""What feature pyramids have in common: sums from coarse to fine, and four levels joined at the finest resolution."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError

LEVELS = 4


class Pyramid(nn.Layer):
    """Enlarges and adds up; holds no parameters.

    Args:
        channels: Channels of the sums.
        level_channels: Channels that each level gives to the result.
    """

    def __init__(self, channels: int, level_channels: int) -> None:
        super().__init__()
        self.step_up = nn.Upsample(channels, 2)
        self.ups = nn.LayerList([nn.Upsample(level_channels, factor) for factor in (8, 4, 2)])

    def sums(self, laterals: Sequence[nn.Layer], maps: Sequence[nn.Tensor]) -> list[nn.Tensor]:
        """Return each map after its lateral layer, plus the enlarged sum of the next coarser one.

        Args:
            laterals: One layer for each map.
            maps: From fine to coarse, each half the sides of the one before.

        Returns:
            From coarse to fine.
        """
        found = apply_each(backwards(laterals), backwards(maps))
        for level in range(1, LEVELS):
            found[level] = found[level] + self.step_up(found[level - 1])
        return found

    def join(self, levels: Sequence[nn.Tensor]) -> nn.Tensor:
        """Return levels (N, level_channels, H / 32 … H / 4, W / 32 … W / 4) as (N, 4 level_channels, H / 4, W / 4)."""
        enlarged = apply_each(list(self.ups), levels[:-1])
        return nn.concat([*enlarged, levels[-1]], axis=1)


def backwards(items: Iterable[Any]) -> list[Any]:
    """Return layers or maps in reverse order."""
    return list(items)[::-1]


def apply_each(layers: Sequence[Any], maps: Sequence[nn.Tensor]) -> list[nn.Tensor]:
    """Return each map after the layer of its place; Paddle's tracing knows no ``zip(…, strict=True)``."""
    return [layers[place](maps[place]) for place in range(len(maps))]


def check_maps(in_channels: int | Sequence[int], out_channels: int, name: str) -> None:
    """Check what a pyramid is given.

    Raises:
        ConfigError: If the backbone does not give four maps, or *out_channels* is not a multiple of 4.
    """
    if isinstance(in_channels, int) or len(in_channels) != LEVELS:
        raise ConfigError(f"{name} needs four maps from the backbone. Received channels: {in_channels}")
    if out_channels < LEVELS or out_channels % LEVELS:
        raise ConfigError(f"{name}.out_channels must be a multiple of 4. Received: {out_channels}")


def plain(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Layer:
    """Return a convolution without bias, started as in He et al., ICCV 2015 (uniform); stride 1 keeps the size."""
    return nn.Conv2D(
        in_channels,
        out_channels,
        kernel_size,
        stride=stride,
        padding=(kernel_size - 1) // 2,
        weight_attr=nn.ParamAttr(initializer=nn.KaimingUniform()),
        bias_attr=False,
    )
