"""What networks and losses are written with: layers and functions under Paddle's names, computed by one engine.

Write ``from ppocr_lite import nn``, then ``class MyNet(nn.Layer)``, ``nn.Conv2D(...)`` and ``nn.relu(x)``: the class is
written once and trains with every engine. ``nn/paddle.py`` and ``nn/torch.py`` hold the names of ``PRIMITIVES``; what
an engine lacks, or does otherwise, is dealt with there and nowhere else.

A process computes with one engine. :func:`use` chooses it; where nobody does, the first layer that is built takes
Paddle. Until then :class:`Layer` is an empty class, so that modules of networks can be imported, and their signatures
read, without any framework. Therefore only ``nn.Layer``, annotations and function bodies may name something of this
package: a name that is used while a module is imported would choose the engine too early.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ppocr_lite.errors import ConfigError

ENGINES = ("paddle", "torch")
DEFAULT = "paddle"
# What both files define, beside Layer.
PRIMITIVES = (
    *("GRU", "LINEAR_OUTPUT_AXIS", "LSTM", "AdaptiveAvgPool2D", "AvgPool2D", "BatchNorm2D", "Constant", "Conv2D"),
    *("Conv2DTranspose", "Dropout", "Embedding", "KaimingNormal", "KaimingUniform", "LayerList", "LayerNorm", "Linear"),
    *("MaxPool2D", "Normal", "ParamAttr", "Sequential", "Uniform", "Upsample", "XavierNormal", "XavierUniform"),
    *("add_n", "amax", "arange", "binary_cross_entropy", "bincount", "cast", "concat", "conv2d"),
    *("conv2d_transpose", "cross_entropy", "ctc_loss", "deform_conv2d", "freeze", "gelu", "geometry"),
    *("hardsigmoid", "hardswish", "in_dynamic_mode", "index_add", "index_select", "l1_loss", "linear", "log_softmax"),
    *("logical_and", "map_of_rows", "max_pool2d", "maximum", "minimum", "mse_loss", "no_grad", "ones_like", "pad"),
    *("put_along_axis", "relu", "round", "set_value", "sigmoid", "silu", "smooth_l1_loss", "softmax", "split_last"),
    *("take_along_axis", "to_tensor", "topk", "transpose", "where", "zeros_like"),
    *("enlarge", "set_rate", "sides", "statistics"),  # what a network read from a graph needs besides
    *("length", "matmul", "on_host", "roi_align", "tensor_like"),  # detectors of regions
)

Tensor = Any  # paddle.Tensor or torch.Tensor


class _Unchosen:
    """Stands below :class:`Layer` until an engine does."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...

        def __call__(self, *inputs: Any) -> Any: ...

        def train(self, mode: bool = True) -> Any: ...

    def __init__(self) -> None:
        use(DEFAULT)
        Layer.__init__(self)  # by now that of the engine


class Layer(_Unchosen):
    """A part of a network, or a loss: has parameters, buffers and further layers as attributes, and ``forward``.

    :func:`use` puts the layer of the engine below this class, so every subclass is one, whenever it was defined. The
    first parameter of ``forward`` must be called ``self``, and its source must stand in a file: export reads both.
    """


def use(engine: str) -> None:
    """Let this process compute with *engine*; does nothing a second time.

    Args:
        engine: ``"paddle"`` or ``"torch"``.

    Raises:
        ConfigError: If there is no such engine, or the process computes with another one already.
        ModuleNotFoundError: If its framework is not installed.
    """
    if engine not in ENGINES:
        raise ConfigError(f"Global.engine must be 'paddle' or 'torch'. Received: {engine!r}")
    current = chosen()
    if current not in (None, engine):
        raise ConfigError(
            f"Global.engine: this process computes with {current} already, so it cannot build a network of {engine}. "
            "Use a process for each engine."
        )
    if current is None:
        primitives = importlib.import_module(f"{__name__}.{engine}")
        globals().update({name: getattr(primitives, name) for name in PRIMITIVES})
        Layer.__bases__ = (primitives.Layer,)


def chosen() -> str | None:
    """Return the engine of this process; None before the choice."""
    name = Layer.__bases__[0].__module__.rpartition(".")[2]
    return name if name in ENGINES else None


def __getattr__(name: str) -> Any:
    """Return a primitive that is asked for before the choice; the default engine computes then."""
    if name.startswith("_") or chosen() is not None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    use(DEFAULT)
    return getattr(importlib.import_module(__name__), name)
