"""The primitives of networks and losses in Paddle, whose names they have; see the package."""

# ruff: noqa: F401 - what is imported here is handed on by the package

from __future__ import annotations

from typing import Any

import paddle
from paddle import (
    Tensor,
    add_n,
    amax,
    bincount,
    concat,
    in_dynamic_mode,
    index_add,
    index_select,
    logical_and,
    matmul,
    maximum,
    minimum,
    no_grad,
    ones_like,
    put_along_axis,
    round,
    take_along_axis,
    to_tensor,
    topk,
    transpose,
    where,
    zeros_like,
)
from paddle.nn import (
    GRU,
    LSTM,
    AdaptiveAvgPool2D,
    AvgPool2D,
    Conv2D,
    Conv2DTranspose,
    Dropout,
    Embedding,
    LayerList,
    LayerNorm,
    Linear,
    MaxPool2D,
    Sequential,
)
from paddle.nn import functional as F
from paddle.nn.functional import (
    binary_cross_entropy,
    conv2d,
    conv2d_transpose,
    cross_entropy,
    gelu,
    hardsigmoid,
    hardswish,
    l1_loss,
    linear,
    log_softmax,
    max_pool2d,
    mse_loss,
    pad,
    relu,
    sigmoid,
    silu,
    smooth_l1_loss,
    softmax,
)
from paddle.nn.initializer import (
    Constant,
    KaimingNormal,
    KaimingUniform,
    Normal,
    Uniform,
    XavierNormal,
    XavierUniform,
)
from paddle.vision.ops import deform_conv2d
from paddle.vision.ops import roi_align as _roi_align

LINEAR_OUTPUT_AXIS = 1  # of the weight of a Linear, (in, out)


class Layer(paddle.nn.Layer):
    """Base of every network and loss."""

    def train(self, mode: bool = True) -> Any:
        """Switch this layer and those in it to training, or to evaluation."""
        if mode:
            super().train()
        else:
            super().eval()
        return self


class BatchNorm2D(paddle.nn.BatchNorm2D):
    """Batch normalisation over (N, H, W) that does not warn at each forward pass in training, as its base does.

    Attributes:
        frozen: Whether it uses the running statistics in training, too, and leaves them as they are.

    Shape:
        (N, C, H, W) → the same

    Source:
        Ioffe and Szegedy, Batch Normalization, ICML 2015.
    """

    frozen = False

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        return F.batch_norm(
            x,
            self._mean,
            self._variance,
            weight=self.weight,
            bias=self.bias,
            training=self.training and not self.frozen,
            momentum=self._momentum,
            epsilon=self._epsilon,
        )


class Upsample(Layer):
    """Nearest-neighbour enlargement by a whole factor.

    Written as a depthwise transposed convolution with ones, because this form is the fastest to train, and the one
    that every inference engine and ONNX converter tried runs. The ones are not a parameter and not in ``state_dict``.

    Args:
        channels: Channels of the input.
        factor: How many times taller and wider the output is.

    Shape:
        (N, channels, H, W) → (N, channels, factor * H, factor * W)
    """

    ones: Tensor

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__()
        self.channels, self.factor = channels, factor
        self.register_buffer("ones", paddle.ones([channels, 1, factor, factor], "float32"), persistable=False)

    def forward(self, x: Tensor) -> Tensor:
        """See *Shape* of the class."""
        ones = self.ones if self.ones.dtype == x.dtype else self.ones.astype(x.dtype)
        return F.conv2d_transpose(x, ones, stride=self.factor, groups=self.channels)


def ParamAttr(initializer: Any = None, learning_rate: float = 1.0, decay: float = 0.0) -> Any:  # noqa: N802
    """Return how a parameter starts and learns.

    Args:
        initializer: Draws the first values; None for the layer's own way.
        learning_rate: Factor of the learning rate of the run for this parameter.
        decay: Factor of an L2 penalty of this parameter alone; replaces that of the optimizer unless 0.
    """
    regularizer = paddle.regularizer.L2Decay(decay) if decay else None
    return paddle.ParamAttr(initializer=initializer, learning_rate=learning_rate, regularizer=regularizer)


def set_rate(layer: Any, rate: float) -> None:
    """Let every parameter of *layer* learn at *rate* times the learning rate of the run."""
    for parameter in layer.parameters():
        parameter.optimize_attr["learning_rate"] = rate


def sides(x: Tensor) -> list[Any]:
    """Return the sides of *x*: whole numbers, or tensors of one while a network is traced and they may vary."""
    if in_dynamic_mode():
        return list(x.shape)
    told = paddle.shape(x)
    return [side if side >= 0 else told[axis] for axis, side in enumerate(x.shape)]


def enlarge(x: Tensor, factors: tuple[int, int]) -> Tensor:
    """Return (N, C, H, W) with each pixel repeated, ``factors`` times down and across; see :class:`Upsample`."""
    channels = x.shape[1]
    return F.conv2d_transpose(x, paddle.ones([channels, 1, *factors], x.dtype), stride=list(factors), groups=channels)


def freeze(layer: Any) -> None:
    """Keep *layer* as it is: no gradient, no update, and batch normalisation by its running statistics."""
    for parameter in layer.parameters():
        parameter.trainable = False
    for part in layer.sublayers(include_self=True):
        if isinstance(part, BatchNorm2D):
            part.frozen = True


def set_value(tensor: Tensor, value: Any) -> None:
    """Overwrite a parameter or a buffer; no gradient follows."""
    tensor.set_value(value)


def geometry(layer: Any) -> dict[str, Any]:
    """Return stride, padding, dilation and groups of a convolution, as :func:`conv2d` takes them."""
    return {name: getattr(layer, f"_{name}") for name in ("stride", "padding", "dilation", "groups")}


def statistics(layer: Any) -> tuple[Tensor, Tensor, float]:
    """Return running mean and variance of a batch normalisation, and what is added to the variance."""
    return layer._mean, layer._variance, layer._epsilon


def split_last(x: Tensor, shape: list[int]) -> Tensor:
    """Return (N, T, C) with *shape* in the place of C, whatever N and T are."""
    return paddle.reshape(x, [0, 0, *shape])


def roi_align(x: Tensor, rois: Tensor, counts: Tensor, size: int, scale: float) -> Tensor:
    """Return the features of each box, as the mean of four interpolated places in each of its cells.

    Args:
        x: (N, C, H, W).
        rois: (R, 4), x0, y0, x1, y1 in pixels of the image, those of the first map first; each at least one place of
            the map wide and high where a gradient is wanted, because Paddle computes that of a wider box otherwise.
        counts: (N,) int32, how many of *rois* are of each map.
        size: Cells of a box in each direction.
        scale: Places of the map for each pixel of the image.

    Returns:
        (R, C, size, size).

    Source:
        He et al., Mask R-CNN, ICCV 2017, §3, with the half pixel of detectron2's ``aligned=True``.
    """
    return _roi_align(x, rois, counts, size, spatial_scale=scale, sampling_ratio=2, aligned=True)


def length(x: Tensor, axis: int) -> Any:
    """Return how long *x* is along *axis*, as a float to compute with, also while a network is traced."""
    return paddle.shape(x)[axis].astype("float32")


def tensor_like(values: Any, like: Tensor) -> Tensor:
    """Return an array as a tensor of its own type that lies where *like* does."""
    return to_tensor(values, place=like.place)


def on_host(x: Tensor) -> Any:
    """Return the values of *x* as a NumPy array; no gradient follows."""
    return x.detach().numpy()


def map_of_rows(rows: Tensor, like: Tensor) -> Tensor:
    """Return rows (N * H, W, C) as a map (N, C, H, W), with the N, H and W of *like* (N, …, H, W)."""
    sides = like.shape if in_dynamic_mode() else paddle.shape(like)
    return paddle.transpose(paddle.reshape(rows, [-1, sides[2], sides[3], rows.shape[-1]]), [0, 3, 1, 2])


def cast(x: Tensor, dtype: str) -> Tensor:
    """Return *x* as *dtype*, itself if it is of that type."""
    return x.astype(dtype)


def arange(start: int, end: int, like: Tensor) -> Tensor:
    """Return the whole numbers from *start* to *end* - 1, of the type and where *like* is."""
    return paddle.arange(start, end, dtype=like.dtype)


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
    samples, steps = logits.shape[0], logits.shape[1]
    some = lengths > 0
    # The kernel crashes on empty texts, so a text of one character stands in for them.
    labels = paddle.where(some.unsqueeze(1), labels, paddle.ones_like(labels))
    lengths = paddle.where(some, lengths, paddle.ones_like(lengths))
    return F.ctc_loss(
        logits.transpose([1, 0, 2]),  # (T, N, C)
        labels,
        paddle.full([samples], steps, "int64"),
        lengths,
        blank=blank,
        reduction="none",
    ).flatten()
