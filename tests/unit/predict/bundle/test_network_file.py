"""The shape a network file declares, read from files of known contents and from messages encoded by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ppocr_lite.errors import ModelError
from ppocr_lite.predict.bundle.network_file import read_network

DATA = Path(__file__).parents[3] / "data" / "ppocr_v2"


def declared(path: Path) -> tuple[str, tuple[int, ...]]:
    """Name and shape of the input."""
    network = read_network(path)
    return network.name, network.shape


def varint(value: int) -> bytes:
    """A number of seven bits a byte; negative ones as 64 bits."""
    value %= 2**64
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def onnx(sides: list[int | str], weights: tuple[str, ...] = (), *more: bytes) -> bytes:
    """An ONNX graph with one real input, after inputs that only stand for weights."""
    dims = [message(1, number(1, side) if isinstance(side, int) else message(2, side.encode())) for side in sides]
    declared = [message(11, message(1, name.encode())) for name in weights]
    initializers = [message(5, message(8, name.encode())) for name in weights]
    tensor = message(2, message(1, number(1, 1), message(2, *dims)))
    return number(1, 8) + message(7, *initializers, *declared, message(11, message(1, b"images"), tensor), *more)


@pytest.mark.parametrize(
    ("name", "shape"), [("det", (-1, 3, -1, -1)), ("cls", (-1, 3, -1, -1)), ("rec", (-1, 3, 32, -1))]
)
def test_paddle_2_programs_are_read(name: str, shape: tuple[int, ...]) -> None:
    assert declared(DATA / name / "inference.pdmodel") == ("x", shape)


def test_named_sides_of_onnx_vary_and_weights_are_no_input(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(onnx(["N", 3, 48, "W"], weights=("w0", "w1")))
    assert declared(tmp_path / "a.onnx") == ("images", (-1, 3, 48, -1))


def test_a_paddle_3_program_is_read(tmp_path: Path) -> None:
    attributes = [{"N": "name", "AT": {"D": "image"}}, {"N": "shape", "AT": {"D": [-1, 3, 32, -1]}}]
    operators = [{"#": "p", "A": [0, 1]}, {"#": "1.data", "A": attributes}]
    (tmp_path / "a.json").write_text(json.dumps({"program": {"regions": [{"blocks": [{"ops": operators}]}]}}))
    assert declared(tmp_path / "a.json") == ("image", (-1, 3, 32, -1))


@pytest.mark.parametrize("name", ["a.onnx", "a.pdmodel", "a.json"])
@pytest.mark.parametrize("data", [b"", b"{}", b"words", b"\x3a\xff\xff\x03ab", b"\xff" * 40, b"\x00" * 9])
def test_what_is_no_network_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=name):
        read_network(tmp_path / name)


def test_a_cut_file_is_named(tmp_path: Path) -> None:
    data = onnx(["N", 3, 48, "W"])
    for size in range(len(data)):
        (tmp_path / "a.onnx").write_bytes(data[:size])
        with pytest.raises(ModelError, match=r"a\.onnx"):
            read_network(tmp_path / "a.onnx")


@pytest.mark.parametrize(("name", "output"), [("det", (-1, 1, -1, -1)), ("cls", (-1, 2)), ("rec", (-1, -1, 6))])
def test_what_paddle_2_programs_return_is_read(name: str, output: tuple[int, ...]) -> None:
    assert list(read_network(DATA / name / "inference.pdmodel").outputs.values()) == [output]


def test_outputs_and_metadata_of_onnx_are_read(tmp_path: Path) -> None:
    shape = message(2, message(1, number(1, 1), message(2, *[message(1, number(1, side)) for side in (6, 40, 97)])))
    noted = message(14, message(1, b"character"), message(2, "a\n中".encode()))
    (tmp_path / "a.onnx").write_bytes(onnx(["N", 3, 48, "W"], (), message(12, message(1, b"y"), shape)) + noted)
    assert read_network(tmp_path / "a.onnx").outputs == {"y": (6, 40, 97)}
    assert read_network(tmp_path / "a.onnx").metadata == {"character": "a\n中"}
