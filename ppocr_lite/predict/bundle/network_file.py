"""What a network file declares, read without any engine: what it takes, what it returns, and what is noted in it.

Three formats: ``inference.json`` of Paddle 3, ``inference.pdmodel`` of Paddle 2, and ONNX. The last two are protocol
buffers, of which only the few fields on the way are followed; weights inside are stepped over. Nothing of a file is
executed, and no other file is opened on its word.

Sources: paddle/fluid/framework/framework.proto; onnx/onnx.proto; protobuf.dev, Encoding.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ppocr_lite.errors import ModelError

Value = int | memoryview
Shape = tuple[int, ...]
FREE = -1  # a side that may vary
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # wire types
EXTERNAL = 1  # TensorProto.DataLocation
FLOAT = 1  # TensorProto.DataType
# TensorProto.DataType → bytes of a number; of other types none are stored as plain bytes
ITEM_SIZES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 14: 8, 15: 16, 16: 2}
NUMBERS = (4, 5, 7, 10, 11)  # float_data, int32_data, int64_data, double_data, uint64_data of TensorProto


@dataclass(frozen=True)
class NetworkFile:
    """What a network file declares.

    Attributes:
        name: Name of the first input.
        shape: Its sides, -1 where they vary.
        outputs: Name → sides of what it returns, in order; without sides where the file does not declare them.
        metadata: What is noted in an ONNX file, such as ``character``, the dictionary.
        dtype: TensorProto.DataType of the input of an ONNX file; float32 otherwise.
    """

    name: str
    shape: Shape
    outputs: Mapping[str, Shape] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    dtype: int = FLOAT


def read_network(path: Path) -> NetworkFile:
    """Read what a network declares.

    Args:
        path: A file named ``*.json``, ``*.pdmodel`` or ``*.onnx``.

    Raises:
        ModelError: If it is no such network, declares no input, keeps its weights in other files, or weights do not
            hold what they declare.
    """
    readers = {".json": _from_json, ".pdmodel": _from_program, ".onnx": _from_onnx}
    if path.suffix not in readers:
        raise ModelError(f"{path} is no network file: its name must end in {', '.join(readers)}.")
    try:
        found = readers[path.suffix](path.read_bytes())
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ModelError(f"{path} is damaged, or not a network ({type(error).__name__}: {error}).") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    if found is None:
        raise ModelError(f"{path} declares no input, so it is not a network that can be run.")
    return found


def _free(sides: list[int]) -> Shape:
    return tuple(side if side > 0 else FREE for side in sides)


def _from_json(data: bytes) -> NetworkFile | None:
    given: tuple[str, list[int]] | None = None
    outputs = {}
    for operator in json.loads(data)["program"]["regions"][0]["blocks"][0]["ops"]:
        if operator["#"] == "1.data" and given is None:
            attributes = {item["N"]: item["AT"]["D"] for item in operator["A"]}
            given = attributes["name"], attributes["shape"]
        elif operator["#"] == "1.fetch":
            attributes = {item["N"]: item["AT"]["D"] for item in operator["A"]}
            outputs[str(attributes["name"])] = _free(operator["O"][0]["TT"]["D"][1])
    return None if given is None else NetworkFile(given[0], _free(given[1]), outputs)


def _from_program(data: bytes) -> NetworkFile | None:
    block = _get(memoryview(data), 1)  # ProgramDesc.blocks
    given: str | None = None
    returned = []
    for operator in _all(block, 4):  # BlockDesc.ops
        kind = _text(_get(operator, 3))  # OpDesc.type
        if kind == "feed" and given is None:
            given = _text(_get(operator, 2, 2))  # OpDesc.outputs, Var.arguments
        elif kind == "fetch":
            returned.append(_text(_get(operator, 1, 2)))  # OpDesc.inputs, Var.arguments
    sides = {
        name: _free(_numbers(_get(variable, 2, 3, 1), 2))  # VarDesc.type, VarType.lod_tensor, .tensor, TensorDesc.dims
        for variable in _all(block, 3)  # BlockDesc.vars
        if (name := _text(_get(variable, 1))) in {given, *returned}  # VarDesc.name
    }
    return None if given not in sides else NetworkFile(given, sides[given], {n: sides.get(n, ()) for n in returned})


def _from_onnx(data: bytes) -> NetworkFile | None:
    model = memoryview(data)
    graph = _get(model, 7)  # ModelProto.graph
    for tensor in _tensors(graph):
        _check_tensor(tensor)
    constants = {_text(_get(tensor, 8)) for tensor in _all(graph, 5)}  # GraphProto.initializer, TensorProto.name
    metadata = {_string(entry, 1): _string(entry, 2) for entry in _all(model, 14)}  # ModelProto.metadata_props
    outputs = {_text(_get(declared, 1)): _declared(declared)[1] for declared in _all(graph, 12)}  # GraphProto.output
    for declared in _all(graph, 11):  # GraphProto.input, where old files list their weights too
        name = _text(_get(declared, 1))
        if name not in constants:
            dtype, sides = _declared(declared)
            return NetworkFile(name, sides, outputs, metadata, dtype)
    return None


def _declared(value: memoryview) -> tuple[int, Shape]:
    """Return the type and the sides of a ValueInfoProto; no sides if it declares none."""
    tensor = _first(value, 2, 1)  # ValueInfoProto.type, TypeProto.tensor_type
    if tensor is None:
        return FLOAT, ()
    dtype = next((int(found) for number, found in _fields(tensor) if number == 1 and isinstance(found, int)), FLOAT)
    shape = _first(tensor, 2)  # Tensor.shape
    sides = [] if shape is None else [_numbers(side, 1) for side in _all(shape, 1)]  # .dim, Dimension.dim_value
    return dtype, _free([side[0] if side else FREE for side in sides])


def _tensors(graph: memoryview) -> Iterator[memoryview]:
    """Yield the weights and constants of a GraphProto and of the graphs in it."""
    yield from _all(graph, 5)  # GraphProto.initializer
    for node in _all(graph, 1):  # GraphProto.node
        for attribute in _all(node, 5):  # NodeProto.attribute
            yield from _all(attribute, 5)  # AttributeProto.t
            yield from _all(attribute, 10)  # AttributeProto.tensors
            for inner in _all(attribute, 6):  # AttributeProto.g
                yield from _tensors(inner)


def _check_tensor(tensor: memoryview) -> None:
    """Refuse weights that lie in another file, or that declare more numbers than the file holds."""
    dtype, stored, raw, external = FLOAT, 0, -1, False
    sides: list[int] = []
    for number, value in _fields(tensor):
        if number == 1:  # TensorProto.dims
            sides += [value] if isinstance(value, int) else _varints(value)
        elif isinstance(value, int) and number in (2, 14):  # TensorProto.data_type, .data_location
            dtype, external = (value, external) if number == 2 else (dtype, value == EXTERNAL)
        elif number == 9 and isinstance(value, memoryview):  # TensorProto.raw_data
            raw = len(value)
        elif number in NUMBERS:
            stored += 1 if isinstance(value, int) else len(value)  # a number takes a byte or more
    if external:
        raise ModelError(
            "its weights lie in another file, which is not opened on its word. Save it with the weights inside: "
            "onnx.save(onnx.load(path), new_path)."
        )
    held = stored if raw < 0 else raw // ITEM_SIZES.get(dtype, 1)
    if math.prod(sides) > max(held, 1) and dtype in ITEM_SIZES:
        raise ModelError(f"it declares weights of {sides} and holds {held} numbers: damaged, or made to take memory.")


def _fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield the number and the value of each field of a message."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        kind = key & 7
        if kind == VARINT:
            number, position = _varint(message, position)
            yield key >> 3, number
            continue
        if kind == LENGTH:
            size, position = _varint(message, position)
        else:
            size = {FIXED64: 8, FIXED32: 4}[kind]
        if position + size > len(message):
            raise ValueError("a field reaches past the end")
        yield key >> 3, message[position : position + size]
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def _all(message: memoryview, number: int) -> Iterator[memoryview]:
    for found, value in _fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def _get(message: memoryview, *path: int) -> memoryview:
    """Return the first field of that number, and in it the next, and so on."""
    for number in path:
        inner = next(_all(message, number), None)
        if inner is None:
            raise ValueError(f"there is no field {number}")
        message = inner
    return message


def _text(data: memoryview) -> str:
    return bytes(data).decode("utf-8")


def _string(message: memoryview, number: int) -> str:
    """Return a field of text, empty where there is none."""
    return next((_text(value) for value in _all(message, number)), "")


def _first(message: memoryview, *path: int) -> memoryview | None:
    """Return what :func:`_get` does, None where a field is missing."""
    for number in path:
        inner = next(_all(message, number), None)
        if inner is None:
            return None
        message = inner
    return message


def _numbers(message: memoryview, number: int) -> list[int]:
    """Return a repeated int64, packed or not; those at or above 2**63 are negative."""
    values: list[Any] = []
    for found, value in _fields(message):
        if found == number:
            values += [value] if isinstance(value, int) else _varints(value)
    return [value - 2**64 if value >= 2**63 else value for value in values]


def _varints(packed: memoryview) -> list[int]:
    values, position = [], 0
    while position < len(packed):
        item, position = _varint(packed, position)
        values.append(item)
    return values
