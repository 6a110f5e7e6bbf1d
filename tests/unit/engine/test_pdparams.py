"""Official weight files are read, and no file makes the reader do anything else."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.pdparams import read_pdparams
from ppocr_lite.errors import CheckpointError

ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)),
    "big": np.arange(3, dtype=">i4"),
    "flags": np.array([True, False]),
    "half": np.ones((1, 2, 2), np.float16),
    "number": np.array(2.5),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pdparams_hold_arrays(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "best_accuracy.pdparams"
    stored = ARRAYS | {"b": ("linear_0.w_0", ARRAYS["a"]), "StructuredToParameterName@@": {"a": "linear_0.w_0"}}
    path.write_bytes(pickle.dumps(stored, protocol))
    found = checkpoint.read_weights(tmp_path / "best_accuracy")
    assert set(found) == {*ARRAYS, "b"}
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(found[name], array)
    assert np.array_equal(found["b"], ARRAYS["a"])
    assert found["a"].flags.writeable


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("touched"),))


class Forged:
    """A dtype whose state is not the one that NumPy would write."""

    def __init__(self, *state: object, code: str = "f4") -> None:
        self.code, self.state = code, state

    def __reduce__(self) -> tuple[Any, ...]:
        return np.dtype, (self.code, False, True), self.state


class ArrayOf:
    def __init__(self, kind: object, shape: tuple[object, ...] = (2,), data: bytes = bytes(8)) -> None:
        self.state = (1, shape, kind, False, data)

    def __reduce__(self) -> tuple[Any, ...]:
        begin, arguments, _ = np.zeros(1).__reduce__()[:3]
        return begin, arguments, self.state


class Changed:
    """The state of what a file may name, replaced."""

    def __init__(self, name: bytes) -> None:
        self.data = b"\x80\x02}X\x01\x00\x00\x00a" + name + b"}X\x01\x00\x00\x00bK\x01sbs."


PLAIN = (3, "<", None, None, None, -1, -1, 0)
FIELDS = (3, "|", None, ("x",), {"x": (np.dtype("f4"), 0)}, 4, 1, 0)
DEEP = b"\x80\x02})" + b"\x85" * 500_000 + b"K\x01s."  # a mapping whose key is a tuple in a tuple in a …
ECHOES = b"\x80\x02(X" + struct.pack("<I", 50_000) + b"x" * 50_000 + b"q\x00c_codecs\nencode\nq\x01"
ECHOES += b"h\x01h\x00X\x06\x00\x00\x00latin1\x86R" * 50_000 + b"t."
FILES = {
    "a call": pickle.dumps({"a": Payload()}),
    "no pickle": b"no pickle",
    "nothing": b"",
    "a list": pickle.dumps([1]),
    "a number": pickle.dumps({"a": 1}),
    "an array of objects": pickle.dumps({"a": np.array([{}], dtype=object)}),
    "an array of dates": pickle.dumps({"a": np.array(["2020-01-01"], dtype="M8[D]")}),
    "an array of texts": pickle.dumps({"a": np.array(["a"])}),
    "an array with fields": pickle.dumps({"a": np.zeros(1, [("x", "f4")])}),
    "a dtype with forged fields": pickle.dumps({"a": ArrayOf(Forged(*FIELDS))}),
    "a dtype with forged flags": pickle.dumps({"a": ArrayOf(Forged(*PLAIN[:7], 63))}),
    "a dtype with a forged base": pickle.dumps({"a": ArrayOf(Forged(3, "|", (np.dtype("f4"), (2**40,)), *PLAIN[3:]))}),
    "a dtype with a long state": pickle.dumps({"a": ArrayOf(Forged(*PLAIN, {}))}),
    "a dtype of objects": pickle.dumps({"a": ArrayOf(Forged(*PLAIN, code="O"))}),
    "too few bytes": pickle.dumps({"a": ArrayOf(Forged(*PLAIN), (2**30,))}),
    "a negative side": pickle.dumps({"a": ArrayOf(Forged(*PLAIN), (-1, -2))}),
    "a side that is none": pickle.dumps({"a": ArrayOf(Forged(*PLAIN), ("2",))}),
    "no kind": pickle.dumps({"a": ArrayOf("f4")}),
    "a changed array type": Changed(b"cnumpy\nndarray\n").data,
    "a changed function": Changed(b"c_codecs\nencode\n").data,
    "bytes that are not there": b"\x80\x05}\x96" + struct.pack("<Q", 2**40) + b".",
    "a deep key": DEEP,
    "echoes": ECHOES,
    "the same array many times": pickle.dumps({"a": ArrayOf(np.dtype("f4"), (2**20,), bytes(2**10))}),
}


@pytest.mark.parametrize("name", FILES)
def test_anything_else_in_pdparams_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pdparams"
    path.write_bytes(FILES[name])
    with pytest.raises(CheckpointError, match=r"a\.pdparams") as caught:
        read_pdparams(path)
    assert not Path("touched").exists()
    assert len(str(caught.value)) < 1000


def test_every_cut_of_a_file_of_weights_is_refused(tmp_path: Path) -> None:
    data = pickle.dumps(ARRAYS, 2)
    path = tmp_path / "a.pdparams"
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match=r"a\.pdparams"):
            read_pdparams(path)


def test_a_memo_far_out_needs_no_room(tmp_path: Path) -> None:
    path = tmp_path / "a.pdparams"
    path.write_bytes(b"\x80\x02}r\xff\xff\xff\x7f.")  # a mapping of nothing, noted as number 2**31 - 1
    assert read_pdparams(path) == {}
