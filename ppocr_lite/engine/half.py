"""Weights of a Paddle network in half precision: files take half the bytes, and everything is computed as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ppocr_lite.errors import ModelError

LIST = "_all_weights"  # where a recurrent layer looks for its weights
LEAST = 2  # axes: vectors stay as they are, being small, and a variance in half precision may be 0


def round_weights(network: Any) -> None:
    """Round the weights of a network to half precision, so that it computes what its halved file will compute.

    Args:
        network: A Paddle network, changed in place.

    Raises:
        ModelError: If a weight is greater than half precision reaches.
    """
    for name, weight in network.named_parameters():
        if weight.ndim >= LEAST:
            rounded = weight.astype("float16").astype("float32")
            if not bool(rounded.isfinite().all()):
                raise ModelError(f"{name} is too large for half precision. Export without it.")
            weight.set_value(rounded)


@contextmanager
def half_weights(network: Any) -> Iterator[None]:
    """Store the weights of *network* in half precision while it is traced; each is widened where a layer uses it.

    Paddle widens them once, when it loads the network.

    Args:
        network: A Paddle network, exported inside; its own weights are as before afterwards.

    Yields:
        Nothing.
    """
    undo = [_halve(layer) for layer in network.sublayers(include_self=True) if layer._parameters]
    try:
        yield
    finally:
        for restore in undo:
            restore()


def _halve(layer: Any) -> Callable[[], None]:
    """Replace the weights of one layer, and return what puts them back."""
    kept = {name: weight for name, weight in layer._parameters.items() if weight is not None and weight.ndim >= LEAST}
    listed = list(getattr(layer, LIST, ()))
    halves = {}
    for name, weight in kept.items():
        halves[name] = layer.create_parameter(weight.shape, dtype="float16")
        halves[name].set_value(weight.astype("float16"))
        del layer._parameters[name]
        layer._parameters[f"{name}_half"] = halves[name]
    places = {id(weight): name for name, weight in kept.items()}

    def widen(layer: Any, inputs: Any) -> None:
        wide = {name: half.astype("float32") for name, half in halves.items()}
        layer.__dict__.update(wide)
        if listed:
            layer.__dict__[LIST] = [wide[places[id(w)]] if id(w) in places else w for w in listed]

    hook = layer.register_forward_pre_hook(widen)

    def restore() -> None:
        hook.remove()
        for name, weight in kept.items():
            layer.__dict__.pop(name, None)
            del layer._parameters[f"{name}_half"]
            layer._parameters[name] = weight
        if listed:
            layer.__dict__[LIST] = listed

    return restore
