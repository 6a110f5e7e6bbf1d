"""Files are written whole or not at all, wherever the package writes one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ppocr_lite import files
from ppocr_lite.data.convert import convert_icdar_lines
from ppocr_lite.engine.checkpoint import write_weights
from ppocr_lite.errors import CheckpointError, ImageError
from ppocr_lite.io import images
from ppocr_lite.losses import centers
from ppocr_lite.results import OCRResult
from ppocr_lite.slim.sensitivity import Sensitivities
from ppocr_lite.textline import TextLine
from tests.limits import file_size_limit

ROOT = Path(__file__).parents[2]
PICTURE = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
BOX = np.float32([[10, 10], [290, 10], [290, 60], [10, 60]])
RESULT = OCRResult(tuple(TextLine(BOX, "word " * 100, 0.9, 0.9, 0) for _ in range(20)), (200, 300), "page.png")


WRITERS = {
    "json": lambda path: RESULT.save(path.with_suffix(".json")),
    "txt": lambda path: RESULT.save(path.with_suffix(".txt")),
    "hocr": lambda path: RESULT.save(path.with_suffix(".hocr")),
    "xml": lambda path: RESULT.save(path.with_suffix(".xml")),
    "pdf": lambda path: RESULT.save(path.with_suffix(".pdf"), PICTURE),
    "png": lambda path: RESULT.save(path.with_suffix(".png"), PICTURE),
    "jpg": lambda path: images.write(path.with_suffix(".jpg"), PICTURE),
    "labels": lambda path: convert_icdar_lines(path.with_name("source.txt"), path),
    "npz": lambda path: centers.save(path.with_suffix(".npz"), PICTURE.astype(np.float32) ** 0.5),
    "weights": lambda path: write_weights(path.with_suffix(".safetensors"), {"w": np.zeros(1000)}),
    "sensitivities": lambda path: Sensitivities("acc", 1.0, {str(n): {"0.5": 1.0} for n in range(500)}).save(path),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_leaves_the_old_file(kind: str, tmp_path: Path) -> None:
    suffixes = (".json", ".txt", ".hocr", ".xml", ".pdf", ".png", ".jpg", ".npz", ".safetensors", "")
    old = {tmp_path / f"a{suffix}": b"what was there" for suffix in suffixes}
    for path, data in old.items():
        path.write_bytes(data)
    (tmp_path / "source.txt").write_bytes(b'image.png, "word word word"\n' * 500)
    with file_size_limit(1024), pytest.raises((OSError, ImageError, CheckpointError), match="File too large"):
        WRITERS[kind](tmp_path / "a")
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.name != "source.txt"} == old


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=str(tmp_path / "none" / "a.txt")):
        files.write_text(tmp_path / "none" / "a.txt", "text")


def test_a_link_stays_and_the_mode_too(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    files.write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_what_is_no_regular_file_is_written_in_place() -> None:
    code = "from ppocr_lite import files; files.write_text('/dev/stdout', 'text')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "text"


def test_a_name_may_be_as_long_as_names_are(tmp_path: Path) -> None:
    files.write_text(tmp_path / ("名" * 85), "text")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["text"]


def test_the_package_writes_no_file_in_place() -> None:
    """Streams that grow line by line, and drafts that a rename follows, are named here."""
    known = {
        "files.py": "the helper",
        "commands/inputs.py": "a temporary copy of standard input",
        "data/label_file.py": "a part that grows and is put in place whole",
        "engine/checkpoint.py": "a folder that is renamed",
        "engine/infer.py": "line by line, so that a later fault takes none away",
        "losses/centers.py": "inside of files.replacing",
        "predict/loading.py": "a temporary copy of what has no path",
        "serve/documents.py": "what came with a request, in a folder that goes with it",
        "serve/upload.py": "likewise",
        "synth/writer.py": "a part that is renamed",
    }
    package = ROOT / "ppocr_lite"
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for word in (".write_text(", ".write_bytes(", '.open("w', "imwrite(", "np.save")
        for line in path.read_text(encoding="utf-8").splitlines()
        if word in line and not line.strip().startswith("files.") and "files.write" not in line and "draft" not in line
    }
    assert found <= set(known), "write it with ppocr_lite.files"
