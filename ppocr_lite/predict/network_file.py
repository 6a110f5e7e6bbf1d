"""What input a network file declares, read without any engine.

Three formats: ``inference.json`` of Paddle 3, ``inference.pdmodel`` of Paddle 2, and ONNX. The last two are protocol
buffers, of which only the few fields on the way to the shape are followed; weights inside are stepped over.

Sources: paddle/fluid/framework/framework.proto; onnx/onnx.proto; protobuf.dev, Encoding.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ppocr_lite.errors import ModelError

Value = int | memoryview
FREE = -1  # a side that may vary
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # wire types


def read_input(path: Path) -> tuple[str, tuple[int, ...]]:
    """Return the name and the shape of the first input of a network, -1 for a side that varies.

    Args:
        path: A file named ``*.json``, ``*.pdmodel`` or ``*.onnx``.

    Raises:
        ModelError: If it is no such network, or declares no input.
    """
    readers = {".json": _from_json, ".pdmodel": _from_program, ".onnx": _from_onnx}
    try:
        found = readers[path.suffix](path.read_bytes())
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ModelError(f"{path} is damaged, or not a network ({type(error).__name__}: {error}).") from error
    if found is None:
        raise ModelError(f"{path} declares no input, so it is not a network that can be run.")
    name, sides = found
    return name, tuple(side if side > 0 else FREE for side in sides)


def _from_json(data: bytes) -> tuple[str, list[int]] | None:
    for operator in json.loads(data)["program"]["regions"][0]["blocks"][0]["ops"]:
        if operator["#"] == "1.data":
            attributes = {item["N"]: item["AT"]["D"] for item in operator["A"]}
            return attributes["name"], attributes["shape"]
    return None


def _from_program(data: bytes) -> tuple[str, list[int]] | None:
    block = _get(memoryview(data), 1)  # ProgramDesc.blocks
    for operator in _all(block, 4):  # BlockDesc.ops
        if _text(_get(operator, 3)) != "feed":  # OpDesc.type
            continue
        name = _text(_get(operator, 2, 2))  # OpDesc.outputs, Var.arguments
        for variable in _all(block, 3):  # BlockDesc.vars
            if _text(_get(variable, 1)) == name:  # VarDesc.name
                tensor = _get(variable, 2, 3, 1)  # VarDesc.type, VarType.lod_tensor, LoDTensorDesc.tensor
                return name, _numbers(tensor, 2)  # TensorDesc.dims
    return None


def _from_onnx(data: bytes) -> tuple[str, list[int]] | None:
    graph = _get(memoryview(data), 7)  # ModelProto.graph
    constants = {_text(_get(tensor, 8)) for tensor in _all(graph, 5)}  # GraphProto.initializer, TensorProto.name
    for declared in _all(graph, 11):  # GraphProto.input, where old files list their weights too
        name = _text(_get(declared, 1))
        if name not in constants:
            shape = _get(declared, 2, 1, 2)  # ValueInfoProto.type, TypeProto.tensor_type, Tensor.shape
            sides = [_numbers(side, 1) for side in _all(shape, 1)]  # TensorShapeProto.dim, Dimension.dim_value
            return name, [side[0] if side else FREE for side in sides]
    return None


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


def _numbers(message: memoryview, number: int) -> list[int]:
    """Return a repeated int64, packed or not; those at or above 2**63 are negative."""
    values: list[Any] = []
    for found, value in _fields(message):
        if found == number and isinstance(value, int):
            values.append(value)
        elif found == number and isinstance(value, memoryview):
            position = 0
            while position < len(value):
                item, position = _varint(value, position)
                values.append(item)
    return [value - 2**64 if value >= 2**63 else value for value in values]
