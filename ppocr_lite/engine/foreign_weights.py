"""Weights that another framework wrote → arrays as this package names and lays them out, in the order of the layers.

==============  =============================  ===============================  ==================================
what            Keras (HDF5)                   torch                            here
==============  =============================  ===============================  ==================================
convolution     (H, W, in, out)                (out, in, H, W)                  (out, in, H, W)
linear          (in, out)                      (out, in)                        (in, out)
normalisation   gamma, beta, moving_mean,      weight, bias, running_mean,      weight, bias, _mean, _variance
                moving_variance                running_var
LSTM            kernel (in, 4 H), one bias     weight_ih (4 H, in), two biases  as torch; gates i, f, g, o in all
GRU             gates z, r, h                  gates r, z, n                    as torch
==============  =============================  ===============================  ==================================
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.engine.backends.base import Arrays
from ppocr_lite.engine.checkpoint import read_weights
from ppocr_lite.errors import CheckpointError
from ppocr_lite.install import need

Layout = Literal["paddle", "torch"]
HDF5 = (".h5", ".hdf5")
_TORCH_NORM = {"running_mean": "_mean", "running_var": "_variance"}
_KERAS_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "_mean", "moving_variance": "_variance"}
_UNUSED = "num_batches_tracked"


def read_foreign(path: Path, layout: Layout | None = None) -> Arrays:
    """Return the weights of a file in the order of its layers.

    Args:
        path: ``.h5`` or ``.hdf5`` of Keras, ``.safetensors`` or ``.pdparams``.
        layout: How linear layers of the last two are laid out; None to see: by the names of normalisations, and by
            the lengths of biases.

    Raises:
        CheckpointError: If the file cannot be read, or holds a layer that has no like here.
        OCRError: If h5py is needed and not installed.
    """
    if path.suffix in HDF5:
        return _read_hdf5(path)
    arrays = read_weights(path)
    if path.suffix == ".safetensors":  # the file keeps no order; numbers in names do
        arrays = {name: arrays[name] for name in sorted(arrays, key=_naturally)}
    if (layout or _layout(arrays)) == "paddle":
        return arrays
    return {_torch_name(name): _from_torch(name, value) for name, value in arrays.items() if not name.endswith(_UNUSED)}


def _naturally(name: str) -> list[tuple[int, str]]:
    """Return a key that puts ``conv2`` before ``conv10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _layout(arrays: Mapping[str, NDArray[Any]]) -> Layout:
    """Say how the linear layers of *arrays* are laid out; as here, where nothing speaks against it."""
    if any(name.endswith((*_TORCH_NORM, _UNUSED)) for name in arrays):
        return "torch"
    if any(name.endswith(("._mean", "._variance")) for name in arrays):
        return "paddle"
    for name, value in arrays.items():
        bias = arrays.get(name.removesuffix("weight") + "bias")
        if name.endswith(".weight") and value.ndim == 2 and bias is not None and value.shape[0] != value.shape[1]:
            return "torch" if len(bias) == value.shape[0] else "paddle"
    return "paddle"


def _torch_name(name: str) -> str:
    prefix, dot, role = name.rpartition(".")
    return f"{prefix}{dot}{_TORCH_NORM.get(role, role)}"


def _from_torch(name: str, value: NDArray[Any]) -> NDArray[Any]:
    return value.T if value.ndim == 2 and name.endswith(".weight") else value


def _read_hdf5(path: Path) -> Arrays:
    """Return the weights of a Keras file, model or weights alone, in the order that it lists its layers."""
    need("h5py")
    h5py = importlib.import_module("h5py")
    arrays: Arrays = {}
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            if "layer_names" not in root.attrs:
                raise CheckpointError(f"{path} is no file of Keras weights: it lists no layers (layer_names).")
            for layer in _texts(root.attrs["layer_names"]):
                stored = {name: np.asarray(root[layer][name]) for name in _texts(root[layer].attrs["weight_names"])}
                arrays |= _keras_layer(stored, path)
    except (OSError, KeyError) as error:
        raise CheckpointError(f"{path} cannot be read as HDF5: {error}") from error
    return arrays


def _texts(values: Any) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def _keras_layer(stored: Mapping[str, NDArray[Any]], path: Path) -> Arrays:
    """Return what one layer of Keras is here; in a wrapper such as Bidirectional there may be several."""
    parts: dict[str, Arrays] = {}
    for name, value in stored.items():
        place, _, role = name.rpartition("/")
        parts.setdefault(place, {})[role.partition(":")[0]] = value
    found: Arrays = {}
    for place, roles in parts.items():
        for role, value in _keras_part(place, roles, path):
            found[f"{_without_direction(place) if role.endswith(_DIRECTED) else place}.{role}"] = value
    return found


_DIRECTED = ("_l0", "_l0_reverse")


def _without_direction(place: str) -> str:
    """Return one name for the two directions of a recurrent layer, ``bidirectional/forward_lstm`` and its like."""
    return re.sub(r"/(forward|backward)_[^/]*", "", place).replace(".", "/")


def _keras_part(place: str, roles: Arrays, path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    if "recurrent_kernel" in roles:
        yield from _keras_recurrent(place, roles, path)
        return
    for role, value in roles.items():
        if role == "depthwise_kernel":  # (H, W, C, M)
            yield "weight", value.transpose(2, 3, 0, 1).reshape(-1, 1, *value.shape[:2])
        elif role == "kernel":
            yield "weight", value.transpose(3, 2, 0, 1) if value.ndim == 4 else value
        elif role in _KERAS_NORM:
            yield _KERAS_NORM[role], value
        else:
            yield role, value


def _keras_recurrent(place: str, roles: Arrays, path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    kernel, recurrent = roles["kernel"].T, roles["recurrent_kernel"].T
    units = recurrent.shape[1]
    gates = len(recurrent) // units
    bias = roles.get("bias", np.zeros(len(recurrent), np.float32))
    if gates not in (3, 4) or (gates == 3 and bias.ndim == 1 and "bias" in roles):
        raise CheckpointError(
            f"{path}: {place} is a recurrent layer that has no like here: LSTM, and GRU with reset_after=True, have."
        )
    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    order = (1, 0, 2) if gates == 3 else (0, 1, 2, 3)  # z, r, h of Keras are r, z, n here

    def rearranged(value: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([np.split(value, gates)[gate] for gate in order])

    suffix = "l0_reverse" if "backward" in place else "l0"
    yield f"weight_ih_{suffix}", rearranged(kernel)
    yield f"weight_hh_{suffix}", rearranged(recurrent)
    yield f"bias_ih_{suffix}", rearranged(biases[0])
    yield f"bias_hh_{suffix}", rearranged(biases[1])
