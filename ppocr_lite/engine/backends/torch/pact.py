"""Training for 8-bit integers: the twin of ``ppocr_lite.modeling.pact``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ppocr_lite.config.schema import Quantization
from ppocr_lite.errors import ConfigError

LEVELS = 127  # of a signed byte, the same number on both sides of 0
FLOOR = 1e-6  # smallest range, so that a dead layer divides by no zero


class PACT(nn.Module):
    """Clip activations to [-α, α] and round them to 8 bits; α is learned.

    The gradient with respect to the input is that of the clipping, as if nothing were rounded. That with respect to α
    is +1 for each element above α and -1 for each below -α; a penalty draws α towards 0, so that it settles where
    clipping costs as much as coarse steps.

    Args:
        alpha: First value of α.
        decay: L2 penalty of α; replaces that of the optimizer unless 0.

    Attributes:
        alpha: α, (1,).
        observed: A list while the range is being measured: the largest magnitude of each batch, which then passes
            unchanged. None otherwise.

    Shape:
        any → the same

    Source:
        Choi et al., PACT, 2018, eq. 1 to 3; clipped on both sides, because h-swish has negative values:
        Du et al., PP-OCR, 2020, §2.2.
    """

    def __init__(self, alpha: float, decay: float = 0.0) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.full((1,), float(alpha)))
        if decay:
            self.alpha.own_decay = decay  # type: ignore[attr-defined]
        self.observed: list[float] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        if self.observed is not None:
            self.observed.append(float(x.abs().max()))
            return x
        alpha = self.alpha.clamp(min=FLOOR)
        return round_to(torch.clamp(x, -alpha, alpha), alpha.detach() / LEVELS)


def round_to(x: Tensor, step: Tensor) -> Tensor:
    """Return *x* rounded to multiples of *step*; the gradient passes as if it were not rounded.

    Source:
        Bengio et al., Estimating or Propagating Gradients Through Stochastic Neurons, 2013 (straight-through).
    """
    return x + (torch.round(x / step) * step - x).detach()


def round_weight(weight: Tensor, axis: int) -> Tensor:
    """Return *weight* rounded to 8 bits, with a step for each slice along *axis* from its largest magnitude."""
    others = [other for other in range(weight.dim()) if other != axis]
    peak = weight.detach().abs().amax(dim=others, keepdim=True)
    return round_to(weight, peak.clamp(min=FLOOR) / LEVELS)


class QuantConv2d(nn.Module):
    """A convolution on rounded activations and weights.

    Args:
        layer: The layer it takes the place of; its parameters are kept, under their names.
        options: How activations are clipped.

    Shape:
        As *layer*.
    """

    axis = 0  # of the output channels in the weight

    def __init__(self, layer: nn.Conv2d | nn.ConvTranspose2d, options: Quantization) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self.pact = PACT(options.alpha, options.decay)
        self.geometry: dict[str, Any] = {
            "stride": layer.stride,
            "padding": layer.padding,
            "dilation": layer.dilation,
            "groups": layer.groups,
        }

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        return F.conv2d(self.pact(x), round_weight(self.weight, self.axis), self.bias, **self.geometry)


class QuantConvTranspose2d(QuantConv2d):
    """A transposed convolution on rounded activations and weights; see :class:`QuantConv2d`."""

    axis = 1

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        return F.conv_transpose2d(self.pact(x), round_weight(self.weight, self.axis), self.bias, **self.geometry)


class QuantLinear(nn.Linear):
    """A fully connected layer on rounded activations and weights; see :class:`QuantConv2d`."""

    axis = 0  # torch keeps (out, in), Paddle (in, out)

    def __init__(self, layer: nn.Linear, options: Quantization) -> None:
        super().__init__(layer.in_features, layer.out_features, bias=layer.bias is not None)
        self.weight, self.bias = layer.weight, layer.bias
        self.pact = PACT(options.alpha, options.decay)

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        return F.linear(self.pact(x), round_weight(self.weight, self.axis), self.bias)


QUANTIZED: dict[type[nn.Module], Any] = {
    nn.Conv2d: QuantConv2d,
    nn.ConvTranspose2d: QuantConvTranspose2d,
    nn.Linear: QuantLinear,
}


def quantize(network: nn.Module, options: Quantization) -> None:
    """Put a quantised layer in the place of each convolution and fully connected layer of *network*.

    Args:
        network: Changed in place; its weights keep their names, and each changed layer gains ``pact.alpha``.
        options: What is left out, and how activations are clipped.
    """
    for prefix, parent in list(network.named_modules()):
        for name, child in list(parent.named_children()):
            if type(child) in QUANTIZED and not _skipped(f"{prefix}.{name}".lstrip("."), options.skip):
                setattr(parent, name, QUANTIZED[type(child)](child, options))


def calibrate(network: nn.Module, run: Callable[[], None]) -> None:
    """Set every range of *network* to the mean, over the batches of *run*, of the largest magnitude it sees in float.

    Args:
        network: Changed in place; a range that *run* does not reach stays as it is.
        run: Runs the network at least once.

    Raises:
        ConfigError: If *network* has no quantised layer.
    """
    ranges = [layer for layer in network.modules() if isinstance(layer, PACT)]
    if not ranges:
        raise ConfigError("There is no quantised layer: Architecture.quant is missing, or its skip names all of them.")
    for pact in ranges:
        pact.observed = []
    run()
    for pact in ranges:
        if pact.observed:
            pact.alpha.data.fill_(max(sum(pact.observed) / len(pact.observed), FLOOR))
        pact.observed = None


def _skipped(name: str, prefixes: Sequence[str]) -> bool:
    return any(name == prefix or name.startswith(prefix.rstrip(".") + ".") for prefix in prefixes)
