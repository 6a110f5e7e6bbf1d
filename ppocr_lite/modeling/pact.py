"""Training for 8-bit integers: weights rounded per channel, activations clipped to a learned range (PACT)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ppocr_lite import nn
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
        attribute = nn.ParamAttr(initializer=nn.Constant(alpha), decay=decay)
        self.alpha = self.create_parameter([1], attr=attribute)
        self.observed: list[float] | None = None
        self.enabled = True

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        if not self.enabled:
            return x
        if self.observed is not None:
            self.observed.append(float(nn.amax(x.abs()).item()))
            return x
        alpha = self.alpha.clip(min=FLOOR)
        return round_to(nn.minimum(nn.maximum(x, -alpha), alpha), alpha.detach() / LEVELS)

    def range(self) -> float:
        """Return α as exported."""
        return max(float(self.alpha.item()), FLOOR)


def round_to(x: nn.Tensor, step: nn.Tensor) -> nn.Tensor:
    """Return *x* rounded to multiples of *step*; the gradient passes as if it were not rounded.

    Source:
        Bengio et al., Estimating or Propagating Gradients Through Stochastic Neurons, 2013 (straight-through).
    """
    return x + (nn.round(x / step) * step - x).detach()


def round_weight(weight: nn.Tensor, axis: int) -> nn.Tensor:
    """Return *weight* rounded to 8 bits, with a step for each slice along *axis* from its largest magnitude."""
    others = [other for other in range(weight.ndim) if other != axis]
    peak = nn.amax(weight.detach().abs(), others, keepdim=True)
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

    def rounded(self) -> nn.Tensor:
        """Return the weight as it multiplies."""
        return round_weight(self.weight, self.axis) if self.pact.enabled else self.weight


class QuantConv2D(QuantLayer):
    """A convolution on rounded activations and weights; see :class:`QuantLayer`.

    Shape:
        As the layer it takes the place of.
    """

    axis = 0

    def __init__(self, layer: Any, options: Quantization) -> None:
        super().__init__(layer, options)
        self.geometry = nn.geometry(layer)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return nn.conv2d(self.pact(x), self.rounded(), self.bias, **self.geometry)


class QuantConv2DTranspose(QuantConv2D):
    """A transposed convolution on rounded activations and weights; see :class:`QuantConv2D`."""

    axis = 1

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return nn.conv2d_transpose(self.pact(x), self.rounded(), self.bias, **self.geometry)


class QuantLinear(QuantLayer):
    """A fully connected layer on rounded activations and weights; see :class:`QuantConv2D`."""

    holds_matrix = True  # a weight that engines lay out each in its way

    def __init__(self, layer: Any, options: Quantization) -> None:
        super().__init__(layer, options)
        self.axis = nn.LINEAR_OUTPUT_AXIS

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """See *Shape* of the class."""
        return nn.linear(self.pact(x), self.rounded(), self.bias)


def quantize(network: nn.Layer, options: Quantization) -> None:
    """Put a quantised layer in the place of each convolution and fully connected layer of *network*.

    Args:
        network: Changed in place; its weights keep their names, and each changed layer gains ``pact.alpha``.
        options: What is left out, and how activations are clipped.
    """
    quantized = {nn.Conv2D: QuantConv2D, nn.Conv2DTranspose: QuantConv2DTranspose, nn.Linear: QuantLinear}
    for prefix, parent in list(network.named_sublayers(include_self=True)):
        for name, child in list(parent.named_children()):
            if type(child) in quantized and not _skipped(f"{prefix}.{name}".lstrip("."), options.skip):
                setattr(parent, name, quantized[type(child)](child, options))


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
            nn.set_value(pact.alpha, np.array([max(sum(pact.observed) / len(pact.observed), FLOOR)], np.float32))
        pact.observed = None


def quantized_layers(network: nn.Layer) -> list[QuantLayer]:
    """Return the quantised layers of *network*, in order."""
    return [layer for layer in network.sublayers() if isinstance(layer, QuantLayer)]


def ranges_in_use(network: nn.Layer, x: nn.Tensor) -> dict[str, float]:
    """Return name of the weight in an exported graph → α, of the quantised layers that take part in evaluation.

    Args:
        network: In evaluation mode; of Paddle, which alone exports.
        x: An input (N, 3, H, W).
    """
    layers = quantized_layers(network)
    for layer in layers:
        layer.pact.observed = []
    with nn.no_grad():
        network.predict(x)
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
