"""Training for 8-bit integers: weights rounded per channel, activations clipped to a learned range (PACT)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import paddle
from paddle import nn
from paddle.nn import functional as F

from ppocr_lite.config.schema import Quantization
from ppocr_lite.errors import ConfigError

LEVELS = 127  # of a signed byte, the same number on both sides of 0
FLOOR = 1e-6  # smallest range, so that a dead layer divides by no zero


class PACT(nn.Layer):
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
        enabled: False to pass everything unchanged.

    Shape:
        any → the same

    Source:
        Choi et al., PACT, 2018, eq. 1 to 3; clipped on both sides, because h-swish has negative values:
        Du et al., PP-OCR, 2020, §2.2.
    """

    def __init__(self, alpha: float, decay: float = 0.0) -> None:
        super().__init__()
        regularizer = paddle.regularizer.L2Decay(decay) if decay else None
        attribute = paddle.ParamAttr(initializer=nn.initializer.Constant(alpha), regularizer=regularizer)
        self.alpha = self.create_parameter([1], attr=attribute)
        self.observed: list[float] | None = None
        self.enabled = True

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """See *Shape* of the class."""
        if not self.enabled:
            return x
        if self.observed is not None:
            self.observed.append(float(paddle.amax(x.abs()).item()))
            return x
        alpha = self.alpha.clip(min=FLOOR)
        return round_to(paddle.minimum(paddle.maximum(x, -alpha), alpha), alpha.detach() / LEVELS)

    def range(self) -> float:
        """Return α as exported."""
        return max(float(self.alpha.item()), FLOOR)


def round_to(x: paddle.Tensor, step: paddle.Tensor) -> paddle.Tensor:
    """Return *x* rounded to multiples of *step*; the gradient passes as if it were not rounded.

    Source:
        Bengio et al., Estimating or Propagating Gradients Through Stochastic Neurons, 2013 (straight-through).
    """
    return x + (paddle.round(x / step) * step - x).detach()


def round_weight(weight: paddle.Tensor, axis: int) -> paddle.Tensor:
    """Return *weight* rounded to 8 bits, with a step for each slice along *axis* from its largest magnitude."""
    others = [other for other in range(weight.ndim) if other != axis]
    peak = paddle.amax(weight.detach().abs(), others, keepdim=True)
    return round_to(weight, peak.clip(min=FLOOR) / LEVELS)


class QuantLayer(nn.Layer):
    """What the quantised layers have in common.

    Args:
        layer: The layer it takes the place of; its parameters are kept, under their names.
        options: How activations are clipped.

    Attributes:
        axis: Of the output channels in the weight.
    """

    axis: int

    def __init__(self, layer: Any, options: Quantization) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self.pact = PACT(options.alpha, options.decay)

    def rounded(self) -> paddle.Tensor:
        """Return the weight as it multiplies."""
        return round_weight(self.weight, self.axis) if self.pact.enabled else self.weight


class QuantConv2D(QuantLayer):
    """A convolution on rounded activations and weights; see :class:`QuantLayer`.

    Shape:
        As the layer it takes the place of.
    """

    axis = 0

    def __init__(self, layer: nn.Conv2D, options: Quantization) -> None:
        super().__init__(layer, options)
        self.geometry = {
            "stride": layer._stride,
            "padding": layer._padding,
            "dilation": layer._dilation,
            "groups": layer._groups,
        }

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """See *Shape* of the class."""
        return F.conv2d(self.pact(x), self.rounded(), self.bias, **self.geometry)


class QuantConv2DTranspose(QuantConv2D):
    """A transposed convolution on rounded activations and weights; see :class:`QuantConv2D`."""

    axis = 1

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """See *Shape* of the class."""
        return F.conv2d_transpose(self.pact(x), self.rounded(), self.bias, **self.geometry)


class QuantLinear(QuantLayer):
    """A fully connected layer on rounded activations and weights; see :class:`QuantConv2D`."""

    axis = 1

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """See *Shape* of the class."""
        return F.linear(self.pact(x), self.rounded(), self.bias)


QUANTIZED = {nn.Conv2D: QuantConv2D, nn.Conv2DTranspose: QuantConv2DTranspose, nn.Linear: QuantLinear}


def quantize(network: nn.Layer, options: Quantization) -> None:
    """Put a quantised layer in the place of each convolution and fully connected layer of *network*.

    Args:
        network: Changed in place; its weights keep their names, and each changed layer gains ``pact.alpha``.
        options: What is left out, and how activations are clipped.
    """
    for prefix, parent in list(network.named_sublayers(include_self=True)):
        for name, child in list(parent.named_children()):
            if type(child) in QUANTIZED and not _skipped(f"{prefix}.{name}".lstrip("."), options.skip):
                setattr(parent, name, QUANTIZED[type(child)](child, options))


def calibrate(network: nn.Layer, run: Callable[[], None]) -> None:
    """Set every range of *network* to the mean, over the batches of *run*, of the largest magnitude it sees in float.

    Args:
        network: Changed in place; a range that *run* does not reach stays as it is.
        run: Runs the network at least once.

    Raises:
        ConfigError: If *network* has no quantised layer.
    """
    ranges = [layer.pact for layer in quantized_layers(network)]
    if not ranges:
        raise ConfigError("There is no quantised layer: Architecture.quant is missing, or its skip names all of them.")
    for pact in ranges:
        pact.observed = []
    run()
    for pact in ranges:
        if pact.observed:
            pact.alpha.set_value(paddle.full([1], max(sum(pact.observed) / len(pact.observed), FLOOR)))
        pact.observed = None


def quantized_layers(network: nn.Layer) -> list[QuantLayer]:
    """Return the quantised layers of *network*, in order."""
    return [layer for layer in network.sublayers() if isinstance(layer, QuantLayer)]


def ranges_in_use(network: nn.Layer, x: paddle.Tensor) -> dict[str, float]:
    """Return name of the weight → α, of the quantised layers that take part in evaluation.

    Args:
        network: In evaluation mode.
        x: An input (N, 3, H, W).
    """
    layers = quantized_layers(network)
    for layer in layers:
        layer.pact.observed = []
    with paddle.no_grad():
        network(x)
    used = {layer.weight.name: layer.pact.range() for layer in layers if layer.pact.observed}
    for layer in layers:
        layer.pact.observed = None
    return used


@contextmanager
def in_float(network: nn.Layer) -> Iterator[None]:
    """Let *network* compute in float meanwhile, without clipping and rounding."""
    layers = quantized_layers(network)
    for layer in layers:
        layer.pact.enabled = False
    try:
        yield
    finally:
        for layer in layers:
            layer.pact.enabled = True


def _skipped(name: str, prefixes: Sequence[str]) -> bool:
    return any(name == prefix or name.startswith(prefix.rstrip(".") + ".") for prefix in prefixes)
