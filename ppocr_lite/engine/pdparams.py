"""Read PaddlePaddle's ``.pdparams`` weights, which are pickles, without running anything they say.

A pickle may call any function.  This reader knows the few that rebuild NumPy arrays and refuses the rest.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from ppocr_lite.engine.backends.base import Arrays
from ppocr_lite.errors import CheckpointError

_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
_NAMES = "StructuredToParameterName@@"  # Paddle's own table of generated names; not a weight


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which weights do not need")
        return super().find_class(module, name)


def read_pdparams(path: Path) -> Arrays:
    """Return the arrays of a ``.pdparams`` file by name.

    Raises:
        CheckpointError: If the file holds anything but arrays, or is damaged.
    """
    try:
        found = _ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except (OSError, pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise CheckpointError(f"{path} is not a file of weights: {error}") from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} must hold a mapping of names to arrays. Received: {type(found).__name__}")
    arrays: Arrays = {}
    for name, value in found.items():
        if name == _NAMES:
            continue
        array = value[1] if isinstance(value, tuple) and len(value) == 2 else value  # (generated name, array)
        if not isinstance(name, str) or not isinstance(array, np.ndarray):
            raise CheckpointError(f"{path}: {name!r} is not an array. Received: {type(array).__name__}")
        arrays[name] = array
    return arrays
