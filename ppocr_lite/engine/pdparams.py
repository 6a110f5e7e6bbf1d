"""Read PaddlePaddle's ``.pdparams`` weights, which are pickles, without running anything they say.

A pickle may call any function, and NumPy's own functions trust what they are handed: a forged ``dtype`` makes them
follow a pointer that stands in the file.  So neither is used here.  The reader knows the opcodes of which mappings of
arrays are made, puts stand-ins in the place of NumPy's names, and makes each array of a shape, the kind of its numbers
and bytes.  All arrays together are no larger than the file.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.engine.backends.base import Arrays
from ppocr_lite.errors import CheckpointError

_NAMES = "StructuredToParameterName@@"  # Paddle's own table of generated names; not a weight
_KINDS = frozenset(("f2", "f4", "f8", "b1", *(kind + size for kind in "iu" for size in "1248")))
_PLAIN = (None, None, None, -1, -1, 0)  # of the state of a dtype, what is without fields, objects or a shape
_SIDE_MAX = 2**40
_ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_BUFFER_MODULES = ("numpy.core.numeric", "numpy._core.numeric")
_OPCODES = (
    pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE,
    pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1, pickle.BINFLOAT,
    pickle.SHORT_BINUNICODE, pickle.BINUNICODE, pickle.BINUNICODE8, pickle.SHORT_BINSTRING, pickle.BINSTRING,
    pickle.SHORT_BINBYTES, pickle.BINBYTES, pickle.BINBYTES8,
    pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.EMPTY_DICT,
    pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE, pickle.BINGET, pickle.LONG_BINGET,
    pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.REDUCE, pickle.BUILD,
)  # fmt: skip


def read_pdparams(path: Path) -> Arrays:
    """Return the arrays of a ``.pdparams`` file by name.

    Raises:
        CheckpointError: If the file holds anything but arrays of numbers, or is damaged.
    """
    try:
        found = _Reader(path.read_bytes()).load()
    except KeyError as error:
        raise CheckpointError(f"{path} is not a file of weights: it uses {error}, which weights do not need") from error
    except (
        OSError, EOFError, pickle.UnpicklingError, struct.error,
        ValueError, TypeError, AttributeError, IndexError, OverflowError, MemoryError,
    ) as error:  # fmt: skip
        raise CheckpointError(f"{path} is not a file of weights: {str(error)[:200]}") from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} must hold a mapping of names to arrays. Received: {type(found).__name__}")
    arrays: Arrays = {}
    for name, value in found.items():
        if name == _NAMES:
            continue
        given = value[1] if isinstance(value, tuple) and len(value) == 2 else value  # (generated name, array)
        array = given.value if isinstance(given, _Array) else given
        if not isinstance(array, np.ndarray):
            raise CheckpointError(f"{path}: {name[:80]!r} is not an array. Received: {type(array).__name__}")
        arrays[name] = array
    return arrays


_Unpickler: Any = pickle._Unpickler


class _Reader(_Unpickler):
    """The unpickler written in Python, with the opcodes of arrays alone.

    The one written in C makes room for as many memos as a file claims to need.
    """

    dispatch: ClassVar[dict[int, Any]] = {code[0]: _Unpickler.dispatch[code[0]] for code in _OPCODES}

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._size = self._left = len(data)
        self._encoded = 0

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for what a file names."""
        known = {
            ("numpy", "ndarray"): _ARRAY,
            ("numpy", "dtype"): _Call(_Kind),
            ("_codecs", "encode"): _Call(self._encode),
            **{(place, "_reconstruct"): _Call(self._begin) for place in _ARRAY_MODULES},
            **{(place, "_frombuffer"): _Call(self._make) for place in _BUFFER_MODULES},
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it asks for {module[:80]}.{name[:80]}, which weights do not need")
        return known[module, name]

    def load_setitem(self) -> None:
        """Put one item into a mapping."""
        value, key = self.stack.pop(), self.stack.pop()
        self._put([key, value])

    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self) -> None:
        """Put several items into a mapping."""
        self._put(self.pop_mark())

    dispatch[pickle.SETITEMS[0]] = load_setitems

    def load_bytearray8(self) -> None:
        """Take bytes, as many as the file has; the library makes room for as many as it claims to have."""
        self.append(self.read(struct.unpack("<Q", self.read(8))[0]))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8

    def _put(self, items: list[Any]) -> None:
        target = self.stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(target, dict) or not isinstance(key, str):  # to hash a deep tuple would end the process
                raise pickle.UnpicklingError("it maps something else than names")
            target[key] = value

    def _encode(self, text: Any, encoding: Any) -> bytes:
        """Return the bytes that protocol 2, which knows none, holds as text."""
        if not isinstance(text, str) or encoding != "latin1":
            raise pickle.UnpicklingError("it encodes something else than bytes")
        self._encoded += len(text)
        if self._encoded > self._size:
            raise pickle.UnpicklingError("it encodes more than it has")
        return text.encode("latin1")

    def _begin(self, kind: Any, shape: Any, code: Any) -> _Array:
        if kind is not _ARRAY:
            raise pickle.UnpicklingError("it makes something else than arrays")
        del shape, code
        return _Array(self)

    def _make(self, data: Any, kind: Any, shape: Any, order: Any) -> _Array:
        return _Array(self, self.array(shape, kind, order == "F", data))

    def array(self, shape: Any, kind: Any, columns_first: Any, data: Any) -> NDArray[Any]:
        """Return an array of its shape, the kind of its numbers, and bytes."""
        if not isinstance(kind, _Kind) or not isinstance(data, bytes):
            raise pickle.UnpicklingError("an array has no kind or no bytes")
        sides = shape if isinstance(shape, tuple) else (shape,)
        if len(sides) > 32 or not all(type(side) is int and 0 <= side < _SIDE_MAX for side in sides):
            raise pickle.UnpicklingError("an array has no shape")
        if math.prod(sides) * kind.dtype.itemsize != len(data):
            raise pickle.UnpicklingError(f"an array of {sides} {kind.dtype} has {len(data)} bytes")
        self._left -= len(data)
        if self._left < 0:
            raise pickle.UnpicklingError("its arrays are larger than the file")
        return np.frombuffer(bytearray(data), kind.dtype).reshape(sides, order="F" if columns_first else "C")


class _Sealed:
    """What a file may name or make, and may not change."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError(f"it changes {type(self).__name__.strip('_')}, which weights do not need")


class _Call(_Sealed):
    """Stands for a function or a class."""

    __slots__ = ("_function",)

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)


class _Kind(_Sealed):
    """Stands for ``numpy.dtype``: a kind of number, and the order of its bytes."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any, align: Any = False, copy: Any = False) -> None:
        del align, copy
        if not isinstance(code, str) or code not in _KINDS:
            raise pickle.UnpicklingError("an array holds something else than numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 8 or state[1] not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError("a kind of number is not plain")
        if state[2:] != _PLAIN:
            raise pickle.UnpicklingError("a kind of number is not plain")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(_Sealed):
    """Holds an array, once its state has come."""

    __slots__ = ("_reader", "value")

    def __init__(self, reader: _Reader, value: NDArray[Any] | None = None) -> None:
        self._reader, self.value = reader, value

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or self.value is not None:
            raise pickle.UnpicklingError("an array has no shape, kind and bytes")
        _, shape, kind, columns_first, data = state
        self.value = self._reader.array(shape, kind, columns_first, data)


_ARRAY = _Sealed()  # numpy.ndarray, which is only ever named
