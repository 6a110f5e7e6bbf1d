"""What tools/pack_training.py packs can be put together again."""

from __future__ import annotations

import importlib.util
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from ppocr_lite.errors import DataError

SCRIPT = Path(__file__).parents[2] / "tools" / "pack_training.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pack_training", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_parts_joined_are_the_archive(tool: ModuleType, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    (tmp_path / "a.bin").write_bytes(content)
    parts = tool.pack({"data/a.bin": tmp_path / "a.bin"}, tmp_path / "x.tar.gz", limit=200)
    assert len(parts) > 1
    assert max(path.stat().st_size for path in parts) <= 200
    (tmp_path / "joined").write_bytes(b"".join(path.read_bytes() for path in parts))
    with tarfile.open(tmp_path / "joined") as archive:
        assert sorted(archive.getnames()) == ["training/data/a.bin", "training/enter.sh"]
        assert archive.extractfile("training/data/a.bin").read() == content  # type: ignore[union-attr]


def test_parts_of_an_earlier_archive_are_removed(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz.99").write_bytes(b"old")
    tool.pack({}, tmp_path / "x.tar.gz", limit=10_000)
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar.gz.00"]


def test_a_label_file_brings_its_images(tool: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"x")
    (folder / "train.txt").write_text("1.png\tword\n", encoding="utf-8")
    assert [name for name, _ in tool.data_files(folder / "train.txt")] == ["scenes/train.txt", "scenes/1.png"]


def test_a_missing_image_is_named_with_its_line(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("gone.png\tword\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"train\.txt:1: no image .*gone\.png"):
        list(tool.data_files(tmp_path / "train.txt"))


def test_the_sources_hold_the_engine_but_no_models(tool: ModuleType) -> None:
    names = set(tool.sources())
    assert "ppocr_lite/engine/backends/torch/backend.py" in names
    assert not [name for name in names if name.startswith("ppocr_lite/models/") or "__pycache__" in name]
