"""What a fresh process imports, and what a forked one can still do; each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ppocr_lite.commands.doctor import has
from ppocr_lite.predict.released import released
from ppocr_lite.predict.runner import ENGINES

ROOT = Path(__file__).parents[2]
INSTALLED = [name for name in ENGINES if has(name)]

IMPORTED = """
import sys
import numpy as np
import ppocr_lite
heavy = ("paddle", "torch", "scipy", "shapely", "onnxruntime", "openvino")
assert not [name for name in (*heavy, "cv2") if name in sys.modules], "at import"
from ppocr_lite import OCR
ocr = OCR(det_model={det!r}, cls_model={cls!r}, rec_model={rec!r}, engine={engine!r}, threads=1)
ocr.ocr(np.full((64, 96, 3), 255, np.uint8))
print(*(name for name in heavy if name in sys.modules))
"""

FORKED = """
import multiprocessing, os, sys
import numpy as np
from ppocr_lite import OCR

page = np.full((160, 240, 3), 255, np.uint8)
page[40:60, 20:200] = 0
page[90:120, 30:150] = 60

def read(_):
    result = ocr.ocr(page)
    return [(line.text, round(line.score, 4), line.polygon.tolist()) for line in result]

if __name__ == "__main__":
    ocr = OCR(det_model={det!r}, cls_model={cls!r}, rec_model={rec!r}, engine={engine!r}, threads=2,
              det_db_box_thresh=0.0, drop_score=0.0)
    expected = read(0)
    assert expected, "the page has lines"
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(read, range(4), chunksize=1) == [expected] * 4
    assert read(0) == expected, "the parent goes on"
    print("same")
"""

REFUSED = """
import os, numpy as np
from ppocr_lite import OCR
from ppocr_lite.errors import ModelError

page = np.full((64, 96, 3), 255, np.uint8)
models = dict(det_model={det!r}, cls_model={cls!r}, rec_model={rec!r}, engine={engine!r}, threads=2)
ocr = OCR(**models)
if os.fork() == 0:
    for read in (lambda: ocr.ocr(page), lambda: OCR(**models)):
        try:
            read()
        except ModelError as error:
            print("spawn" in str(error), flush=True)
    os._exit(0)
os.wait()
ocr.ocr(page)
"""

SIGNALS = """
import ctypes, numpy as np
from ppocr_lite import OCR

class Stack(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

def stack():
    found = Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found))
    return found.address, found.size

before = stack()
ocr = OCR(det_model={det!r}, cls_model={cls!r}, rec_model={rec!r}, engine={engine!r}, threads=1)
ocr.ocr(np.full((64, 96, 3), 255, np.uint8))
assert stack() == before, stack()
print("kept")
"""


def run(code: str, timeout: float = 120) -> str:
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


@pytest.fixture(scope="module")
def models(export_small: Callable[..., Path]) -> dict[str, str]:
    """Small models with a network for every engine."""
    pytest.importorskip("paddle2onnx")
    return {family: str(export_small(family, onnx=True)) for family in ("det", "cls", "rec")}


@pytest.mark.parametrize("engine", INSTALLED)
def test_an_engine_imports_itself_and_no_other_framework(engine: str, models: dict[str, str]) -> None:
    assert run(IMPORTED.format(engine=engine, **models)).split() == [engine]  # engines are named after their modules


@pytest.mark.skipif("onnxruntime" not in INSTALLED, reason="needs ONNX Runtime")
def test_auto_imports_only_what_it_chooses(models: dict[str, str]) -> None:
    assert run(IMPORTED.format(engine="auto", **models)) == "onnxruntime"


@pytest.mark.skipif("onnxruntime" not in INSTALLED or not released(), reason="needs ONNX Runtime and released models")
def test_a_plain_installation_reads_without_paddle() -> None:
    page = "OCR().ocr('doc/samples/letter.tif')"
    code = f"import sys; sys.modules['paddle'] = None; from ppocr_lite import OCR; print({page}[0].text)"
    assert run(code) == "This is a lot of 12 point text to test the"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("engine", [name for name in INSTALLED if name != "paddle"])
def test_forked_workers_read_like_their_parent(engine: str, models: dict[str, str]) -> None:
    assert run(FORKED.format(engine=engine, **models)) == "same"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_paddle_refuses_to_load_in_a_forked_process(models: dict[str, str]) -> None:
    assert run(REFUSED.format(engine="paddle", **models)) == "True\nTrue"


@pytest.mark.skipif(sys.platform != "linux", reason="reads the signal stack as Linux keeps it")
@pytest.mark.parametrize("engine", INSTALLED)
def test_an_engine_leaves_the_stack_of_signal_handlers_alone(engine: str, models: dict[str, str]) -> None:
    assert run(SIGNALS.format(engine=engine, **models)) == "kept"
