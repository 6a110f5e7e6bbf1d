"""The primitives of networks and losses in PyTorch, with Paddle's names, arguments and arithmetic; see the package."""

# ruff: noqa: F401 - what is imported here is handed on by the package

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import (
    Tensor,
    amax,
    bincount,
    logical_and,
    matmul,
    maximum,
    minimum,
    nn,
    no_grad,
    ones_like,
    round,
    sigmoid,
    topk,
    where,
    zeros_like,
)
from torch import as_tensor as to_tensor
from torch import permute as transpose
from torch.nn import Dropout, Sequential
from torch.nn import MaxPool2d as MaxPool2D
from torch.nn import ModuleList as LayerList
from torch.nn.functional import (
    binary_cross_entropy,
    conv2d,
    gelu,
    hardswish,
    l1_loss,
    linear,
    max_pool2d,
    mse_loss,
    pad,
    relu,
    silu,
    smooth_l1_loss,
)
from torch.nn.functional import conv_transpose2d as conv2d_transpose

from ppocr_lite.nn.torch_deformable import deform_conv2d
from ppocr_lite.nn.torch_roi_align import roi_align

LINEAR_OUTPUT_AXIS = 0  # of the weight of a Linear, (out, in); weights are transposed where they leave the engine

Initializer = Callable[[Tensor], Any]
Pair = int | tuple[int, int]


@dataclass(frozen=True)
class Constant:
    """Starts every value alike."""

    value: float = 0.0

    def __call__(self, tensor: Tensor) -> None:
        """Fill *tensor*."""
        nn.init.constant_(tensor, self.value)


@dataclass(frozen=True)
class Normal:
    """Starts normally distributed."""

    mean: float = 0.0
    std: float = 1.0

    def __call__(self, tensor: Tensor) -> None:
        """Fill *tensor*."""
        nn.init.normal_(tensor, self.mean, self.std)


@dataclass(frozen=True)
class Uniform:
    """Starts uniform between two numbers."""

    low: float = -1.0
    high: float = 1.0

    def __call__(self, tensor: Tensor) -> None:
        """Fill *tensor*."""
        nn.init.uniform_(tensor, self.low, self.high)


class XavierNormal:
    """Starts normal with variance 2 / (fan-in + fan-out).

    Source:
        Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, AISTATS 2010.
    """

    def __call__(self, tensor: Tensor) -> None:
        """Fill *tensor*."""
        nn.init.xavier_normal_(tensor)


class XavierUniform:
    """Starts uniform with the variance of :class:`XavierNormal`."""

    def __call__(self, tensor: Tensor) -> None:
        """Fill *tensor*."""
        nn.init.xavier_uniform_(tensor)


class KaimingNormal:
    """Starts normal with variance 2 / fan-in: He et al., Delving Deep into Rectifiers, ICCV 2015."""

    def __call__(self, tensor: Tensor) -> None:
        """Fill *tensor*."""
        nn.init.kaiming_normal_(tensor)


class KaimingUniform:
    """Starts uniform with variance 2 / fan-in: He et al., Delving Deep into Rectifiers, ICCV 2015."""

    def __call__(self, tensor: Tensor) -> None:
        """Fill *tensor*."""
        nn.init.kaiming_uniform_(tensor)


@dataclass(frozen=True)
class ParamAttr:
    """How a parameter starts and learns.

    Args:
        initializer: Draws the first values; None for the layer's own way.
        learning_rate: Factor of the learning rate of the run for this parameter.
        decay: Factor of an L2 penalty of this parameter alone; replaces that of the optimizer unless 0.
    """

    initializer: Initializer | None = None
    learning_rate: float = 1.0
    decay: float = 0.0


Attribute = ParamAttr | Literal[False] | None  # False: no such parameter


class Layer(nn.Module):
    """Base of every network and loss; has what a Paddle layer has and a torch module calls otherwise."""

    def add_sublayer(self, name: str, layer: nn.Module) -> nn.Module:
        """Make *layer* the attribute *name*."""
        self.add_module(name, layer)
        return layer

    def sublayers(self) -> list[nn.Module]:
        """Return every layer within, at any depth."""
        return list(self.modules())[1:]

    def named_sublayers(self, include_self: bool = False) -> Iterator[tuple[str, nn.Module]]:
        """Yield name and layer of every layer within, at any depth."""
        return (item for item in self.named_modules() if include_self or item[0])

    def create_parameter(
        self, shape: Sequence[int], attr: ParamAttr | None = None, default_initializer: Initializer | None = None
    ) -> nn.Parameter:
        """Return a parameter that starts as *attr* says, else by *default_initializer*."""
        parameter = nn.Parameter(torch.empty(*shape))
        _begin(parameter, attr, default_initializer or nn.init.xavier_uniform_)
        return parameter

    def register_buffer(self, name: str, tensor: Tensor | None, persistable: bool = True) -> None:
        """Make *tensor* the attribute *name*; a persistable one is saved with the weights."""
        super().register_buffer(name, tensor, persistent=persistable)


class Conv2D(nn.Conv2d):
    """Convolution; arguments and first values are Paddle's."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        weight_attr: ParamAttr | None = None,
        bias_attr: Attribute = None,
    ) -> None:
        bias = bias_attr is not False
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        fan_in = self.kernel_size[0] * self.kernel_size[1] * in_channels
        _begin(self.weight, weight_attr, Normal(0.0, (2.0 / fan_in) ** 0.5))
        _begin(self.bias, bias_attr, Constant())


class Conv2DTranspose(nn.ConvTranspose2d):
    """Transposed convolution; arguments and first values are Paddle's."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        weight_attr: ParamAttr | None = None,
        bias_attr: Attribute = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias=bias_attr is not False)
        _begin(self.weight, weight_attr, nn.init.xavier_uniform_)
        _begin(self.bias, bias_attr, Constant())


class Linear(nn.Linear):
    """Fully connected layer; arguments and first values are Paddle's."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        weight_attr: ParamAttr | None = None,
        bias_attr: Attribute = None,
    ) -> None:
        super().__init__(in_features, out_features, bias=bias_attr is not False)
        _begin(self.weight, weight_attr, nn.init.xavier_uniform_)
        _begin(self.bias, bias_attr, Constant())


class Embedding(nn.Embedding):
    """One row of numbers for each class; arguments are Paddle's."""

    def __init__(self, num_embeddings: int, embedding_dim: int, weight_attr: ParamAttr | None = None) -> None:
        super().__init__(num_embeddings, embedding_dim)
        _begin(self.weight, weight_attr, nn.init.xavier_uniform_)


class LayerNorm(nn.LayerNorm):
    """Normalisation over the last axis; arguments are Paddle's."""

    def __init__(self, normalized_shape: int, epsilon: float = 1e-5) -> None:
        super().__init__(normalized_shape, eps=epsilon)


class BatchNorm2D(nn.BatchNorm2d):
    """Batch norm whose running variance is fed with the biased batch variance, as Paddle does.

    torch feeds the unbiased one, n / (n - 1) larger for n values a channel.
    The difference shows on the small maps of late layers, and would make the two engines drift apart.

    Args:
        num_features: Channels of the input.
        epsilon: Added to the variance.
        weight_attr: Of the scale, 1 at first.
        bias_attr: Of the shift, 0 at first.

    Attributes:
        frozen: Whether it uses the running statistics in training, too, and leaves them as they are.

    Shape:
        (N, C, H, W) → the same.
    """

    frozen = False

    def __init__(
        self,
        num_features: int,
        *,
        epsilon: float = 1e-5,
        weight_attr: ParamAttr | None = None,
        bias_attr: Attribute = None,
    ) -> None:
        super().__init__(num_features, eps=epsilon, momentum=0.1)  # torch's 0.1 is Paddle's 0.9
        _begin(self.weight, weight_attr, Constant(1.0))
        _begin(self.bias, bias_attr, Constant())

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; while training also update the running statistics."""
        if self.frozen and self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        if not self.training or self.running_var is None:
            return super().forward(x)
        scratch = self.running_var.clone()  # autograd holds on to what it gets; ours must stay free to change
        y = F.batch_norm(
            x, self.running_mean, scratch, self.weight, self.bias, training=True, momentum=0.1, eps=self.eps
        )
        count = x.numel() // x.shape[1]
        biased = (count - 1) / count
        # scratch = 0.9 before + 0.1 v n / (n - 1); wanted: 0.9 before + 0.1 v
        with torch.no_grad():
            self.running_var.mul_(0.9 * (1 - biased)).add_(scratch, alpha=biased)
        return y


class LSTM(nn.LSTM):
    """Long short-term memory over (N, T, C); returns the outputs and the last states."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        direction: Literal["forward", "bidirectional"] = "forward",
    ) -> None:
        both = direction == "bidirectional"
        super().__init__(input_size, hidden_size, num_layers, batch_first=True, bidirectional=both)


class GRU(nn.GRU):
    """Gated recurrent unit over (N, T, C); returns the outputs and the last states."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        direction: Literal["forward", "bidirectional"] = "forward",
    ) -> None:
        both = direction == "bidirectional"
        super().__init__(input_size, hidden_size, num_layers, batch_first=True, bidirectional=both)


class AvgPool2D(nn.AvgPool2d):
    """Mean of each window; what is beyond the border does not count."""

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, ceil_mode: bool = False):
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad=False)


class AdaptiveAvgPool2D(nn.Module):
    """Mean of a whole map, (N, C, H, W) → (N, C, 1, 1)."""

    def __init__(self, output_size: Literal[1]) -> None:
        super().__init__()
        if output_size != 1:
            raise ValueError(f"AdaptiveAvgPool2D is here for an output of 1 alone. Received: {output_size}")

    def forward(self, x: Tensor) -> Tensor:
        """Return the means."""
        return x.mean((2, 3), keepdim=True)


class Upsample(nn.Module):
    """Nearest-neighbour enlargement by a whole factor.

    Args:
        channels: Channels of the input.
        factor: How many times taller and wider the output is.

    Shape:
        (N, channels, H, W) → (N, channels, factor * H, factor * W)
    """

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__()
        self.channels, self.factor = channels, factor

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        return F.interpolate(x, scale_factor=self.factor, mode="nearest")


def set_rate(layer: nn.Module, rate: float) -> None:
    """Let every parameter of *layer* learn at *rate* times the learning rate of the run."""
    for parameter in layer.parameters():
        parameter.own_rate = rate


def sides(x: Tensor) -> list[Any]:
    """Return the sides of *x*."""
    return list(x.shape)


def enlarge(x: Tensor, factors: tuple[int, int]) -> Tensor:
    """Return (N, C, H, W) with each pixel repeated, ``factors`` times down and across."""
    return F.interpolate(x, scale_factor=tuple(float(factor) for factor in factors), mode="nearest")


def freeze(layer: nn.Module) -> None:
    """Keep *layer* as it is: no gradient, no update, and batch normalisation by its running statistics."""
    layer.requires_grad_(False)
    for part in layer.modules():
        if isinstance(part, BatchNorm2D):
            part.frozen = True


@torch.no_grad()
def set_value(tensor: Tensor, value: Any) -> None:
    """Overwrite a parameter or a buffer; no gradient follows."""
    tensor.copy_(torch.as_tensor(value))


def geometry(layer: Any) -> dict[str, Any]:
    """Return stride, padding, dilation and groups of a convolution, as :func:`conv2d` takes them."""
    return {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups")}


def statistics(layer: Any) -> tuple[Tensor, Tensor, float]:
    """Return running mean and variance of a batch normalisation, and what is added to the variance."""
    return layer.running_mean, layer.running_var, layer.eps


def split_last(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return (N, T, C) with *shape* in the place of C, whatever N and T are."""
    return x.unflatten(-1, tuple(shape))


def map_of_rows(rows: Tensor, like: Tensor) -> Tensor:
    """Return rows (N * H, W, C) as a map (N, C, H, W), with the N, H and W of *like* (N, …, H, W)."""
    return rows.reshape(-1, *like.shape[-2:], rows.shape[-1]).permute(0, 3, 1, 2)


def in_dynamic_mode() -> bool:
    """Say whether values are there to look at, which they always are."""
    return True


def length(x: Tensor, axis: int) -> Any:
    """Return how long *x* is along *axis*, as a float to compute with."""
    return float(x.shape[axis])


def tensor_like(values: Any, like: Tensor) -> Tensor:
    """Return an array as a tensor of its own type that lies where *like* does."""
    return torch.as_tensor(values, device=like.device)


def on_host(x: Tensor) -> Any:
    """Return the values of *x* as a NumPy array; no gradient follows."""
    return x.detach().float().cpu().numpy()


def cast(x: Tensor, dtype: str) -> Tensor:
    """Return *x* as *dtype*, itself if it is of that type."""
    return x.to(getattr(torch, dtype))


def arange(start: int, end: int, like: Tensor) -> Tensor:
    """Return the whole numbers from *start* to *end* - 1, of the type and where *like* is."""
    return torch.arange(start, end, dtype=like.dtype, device=like.device)


def concat(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Join along an axis."""
    return torch.cat(tuple(x), dim=axis)


def add_n(inputs: Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors of one shape."""
    return torch.stack(tuple(inputs)).sum(0)


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return values that sum to 1 along *axis*."""
    return torch.softmax(x, dim=axis)


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return the logarithm of :func:`softmax`."""
    return F.log_softmax(x, dim=axis)


def hardsigmoid(x: Tensor, slope: float = 1 / 6, offset: float = 0.5) -> Tensor:
    """Return ``clip(slope * x + offset, 0, 1)``."""
    return torch.clamp(x * slope + offset, 0.0, 1.0)


def cross_entropy(input: Tensor, label: Tensor, soft_label: bool = False) -> Tensor:
    """Return the mean cross-entropy of logits (N, C) against classes (N,), or against the share of each, (N, C)."""
    del soft_label  # the type of the label says it
    return F.cross_entropy(input, label)


def index_select(x: Tensor, index: Tensor, axis: int = 0) -> Tensor:
    """Return the slices *index* of *x*."""
    return torch.index_select(x, axis, index)


def index_add(x: Tensor, index: Tensor, axis: int, value: Tensor) -> Tensor:
    """Return *x* with each slice of *value* added to the slice of *x* that *index* says."""
    return torch.index_add(x, axis, index, value)


def put_along_axis(arr: Tensor, indices: Tensor, values: Tensor, axis: int, reduce: Literal["add"]) -> Tensor:
    """Return *arr* with each of *values* added where *indices* says along *axis*."""
    del reduce  # there is no other
    return arr.scatter_add(axis, indices, values)


def take_along_axis(arr: Tensor, indices: Tensor, axis: int) -> Tensor:
    """Return the values of *arr* that *indices* says along *axis*."""
    return torch.gather(arr, axis, indices)


def ctc_loss(logits: Tensor, labels: Tensor, lengths: Tensor, blank: int) -> Tensor:
    """Return the negative logarithm of the probability of each text, over all ways to spell it.

    Args:
        logits: (N, T, C) float32, before softmax.
        labels: (N, L) int32, padded with anything.
        lengths: (N,) int64. At 0 the value of that text is any finite number.
        blank: Class of the blank.

    Returns:
        (N,) float32.

    Source:
        Graves et al., Connectionist Temporal Classification, ICML 2006.
    """
    return F.ctc_loss(
        F.log_softmax(logits, dim=2).transpose(0, 1),  # (T, N, C)
        labels,
        torch.full((logits.shape[0],), logits.shape[1], dtype=torch.long),
        lengths,
        blank=blank,
        reduction="none",
    )


def _begin(parameter: Tensor | None, attr: Attribute, default: Initializer) -> None:
    """Draw the first values of a parameter, and note what of its learning is its own; the optimizer reads that."""
    if parameter is None or attr is False:
        return
    attr = attr or ParamAttr()
    (attr.initializer or default)(parameter)
    if attr.decay:
        parameter.own_decay = attr.decay
    if attr.learning_rate != 1.0:
        parameter.own_rate = attr.learning_rate
