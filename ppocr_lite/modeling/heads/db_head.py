"""The two branches of DB and its differentiable threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.heads.base import HEADS
from ppocr_lite.modeling.layers import uniform_attribute

# Sums of the neck that may be learnt from → how much smaller their maps are.
_AUXILIARY = {"p2": 1, "p3": 2, "p4": 4}
_BN_BIAS = 1e-4  # MhLiao/DB, decoders/seg_detector.py, weights_init


class Head(nn.Layer):
    """One branch: a convolution and two learned enlargements, ending in a sigmoid.

    Args:
        in_channels: Channels of the input.
        hidden_channels: Channels after the first and after the second convolution.
        kernel_size: Odd side of the first kernel.

    Shape:
        (N, in_channels, H / 4, W / 4) → (N, 1, H, W), float32 in (0, 1)
    """

    def __init__(self, in_channels: int, hidden_channels: Sequence[int], kernel_size: int = 3) -> None:
        super().__init__()
        first, second = hidden_channels
        self.conv1 = nn.Conv2D(
            in_channels, first, kernel_size, padding=kernel_size // 2, weight_attr=_kaiming(), bias_attr=False
        )
        self.conv_bn1 = _batch_norm(first)
        self.conv2 = nn.Conv2DTranspose(
            first, second, 2, stride=2, weight_attr=_kaiming(), bias_attr=uniform_attribute(first)
        )
        self.conv_bn2 = _batch_norm(second)
        self.conv3 = nn.Conv2DTranspose(
            second, 1, 2, stride=2, weight_attr=_kaiming(), bias_attr=uniform_attribute(second)
        )

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        x = nn.relu(self.conv_bn1(self.conv1(x)))  # (N, hidden_channels[0], H / 4, W / 4)
        x = nn.relu(self.conv_bn2(self.conv2(x)))  # (N, hidden_channels[1], H / 2, W / 2)
        return nn.sigmoid(nn.cast(self.conv3(x), "float32"))  # (N, 1, H, W); bfloat16 would round near 1


@HEADS.register
class DBHead(nn.Layer):
    """Probability map, threshold map, and the binary map between the two.

    Args:
        in_channels: Channels of the features.
        k: Steepness of the differentiable threshold.
        hidden_channels: Channels after the first and after the second convolution of each branch, as pruning leaves
            them; None for a quarter of *in_channels*.
        kernel_list: Sides of the three kernels of a branch; the first is odd, the others are 2, as each enlarges twice.
        fix_nan: Whether a probability that is not a number counts as 0 in training, as PaddleOCR has it for half
            precision; here the last layer computes in float32, so there should be none.
        aux_in_channels: Channels of the sums that :class:`RepLKFPN` and :class:`RepLKPAN` give beside their result; in
            training each of the three then has two branches of its own. 0 for none. None of it is exported.

    Shape:
        forward: (N, in_channels, H / 4, W / 4) → {"maps": (N, 3, H, W)}: probability, threshold, binary, in (0, 1);
            with *aux_in_channels* also "aux_maps_p2", "aux_maps_p3" and "aux_maps_p4", the same of the sums at 1/4,
            1/8 and 1/16 of the sides, each pixel repeated up to (H, W).
        predict: (N, in_channels, H / 4, W / 4) → {"maps": (N, 1, H, W)}, the probability alone.
            The other branches do not run.
        The input may also be a list, whose first item is that and whose others are those sums.

    Raises:
        ConfigError: If *hidden_channels* does not have two numbers, or *kernel_list* is not as above; when called, if
            *aux_in_channels* is given and the neck gives no sums.

    Source:
        Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, eq. 2; the others:
        PaddleOCR, PP-OCRv6, 2026.
    """

    def __init__(
        self,
        in_channels: int,
        k: float = 50.0,
        hidden_channels: list[int] | None = None,
        kernel_list: tuple[int, int, int] = (3, 2, 2),
        fix_nan: bool = False,
        aux_in_channels: int = 0,
    ) -> None:
        super().__init__()
        self.k, self.fix_nan, self.aux_in_channels = k, fix_nan, aux_in_channels
        hidden = [in_channels // 4] * 2 if hidden_channels is None else hidden_channels
        if len(hidden) != 2 or min(hidden) < 1:
            raise ConfigError(f"DBHead.hidden_channels must have 2 positive numbers. Received: {hidden}")
        if kernel_list[0] % 2 == 0 or tuple(kernel_list[1:]) != (2, 2):
            raise ConfigError(f"DBHead.kernel_list must be [odd number, 2, 2]. Received: {list(kernel_list)}")
        self.binarize = Head(in_channels, hidden, kernel_list[0])
        self.thresh = Head(in_channels, hidden, kernel_list[0])
        for level in _AUXILIARY if aux_in_channels else ():
            self.add_sublayer(f"aux_binarize_{level}", Head(aux_in_channels, [aux_in_channels // 4] * 2))
            self.add_sublayer(f"aux_thresh_{level}", Head(aux_in_channels, [aux_in_channels // 4] * 2))
        if aux_in_channels:
            self.aux_up = nn.LayerList([nn.Upsample(3, factor) for factor in _AUXILIARY.values() if factor > 1])

    def step_function(self, probability: nn.Tensor, threshold: nn.Tensor) -> nn.Tensor:
        """Return ``1 / (1 + exp(-k * (probability - threshold)))``, eq. 2 of the paper."""
        return nn.sigmoid(self.k * (probability - threshold))

    def forward(self, x: nn.Tensor | list[nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        joined, sums = (x[0], x[1:]) if isinstance(x, list) else (x, [])
        maps = {"maps": self._maps(self.binarize, self.thresh, joined)}  # (N, 3, H, W)
        if not self.aux_in_channels:
            return maps
        if not sums:
            raise ConfigError("DBHead.aux_in_channels needs a neck that gives its sums: RepLKFPN or RepLKPAN.")
        for place, (level, part) in enumerate(zip(_AUXILIARY, sums, strict=True)):
            found = self._maps(getattr(self, f"aux_binarize_{level}"), getattr(self, f"aux_thresh_{level}"), part)
            maps[f"aux_maps_{level}"] = self.aux_up[place - 1](found) if place else found
        return maps

    def _maps(self, binarize: nn.Layer, thresh: nn.Layer, x: nn.Tensor) -> nn.Tensor:
        """Return probability, threshold and binary map, (N, 3, 4 h, 4 w) for features (N, C, h, w)."""
        probability, threshold = binarize(x), thresh(x)  # (N, 1, 4 h, 4 w)
        if self.fix_nan:
            probability = nn.where(probability == probability, probability, nn.zeros_like(probability))
        return nn.concat([probability, threshold, self.step_function(probability, threshold)], axis=1)

    def predict(self, x: nn.Tensor | list[nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        return {"maps": self.binarize(x[0] if isinstance(x, list) else x)}  # (N, 1, H, W)


def _kaiming() -> Any:
    """Return the attribute of a weight started as in He et al., ICCV 2015 (uniform, fan-in)."""
    return nn.ParamAttr(initializer=nn.KaimingUniform())


def _batch_norm(channels: int) -> nn.Layer:
    """Return a batch normalisation that starts at weight 1 and bias 1e-4."""
    return nn.BatchNorm2D(
        channels,
        weight_attr=nn.ParamAttr(initializer=nn.Constant(1.0)),
        bias_attr=nn.ParamAttr(initializer=nn.Constant(_BN_BIAS)),
    )
