"""What tools/pack_training.py packs can be put together again."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from ppocr_lite.errors import DataError
from tests.scripts import load_script


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_script("tools/pack_training.py")


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


def test_a_label_file_brings_its_images(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "repository").mkdir()
    folder = tmp_path / "scenes"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"x")
    (folder / "train.txt").write_text("1.png\tword\n", encoding="utf-8")
    monkeypatch.setattr(tool, "REPOSITORY", tmp_path / "repository")
    names = [name for name, _ in tool.data_files(tmp_path / "repository" / ".." / "scenes" / "train.txt")]
    assert names == ["data/scenes/train.txt", "data/scenes/1.png"]


def test_a_label_file_in_the_repository_keeps_its_place(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "REPOSITORY", tmp_path)
    folder = tmp_path / "train_data" / "rec" / "val"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "1.png").write_bytes(b"x")
    (folder / "labels.txt").write_text("images/1.png\tword\n", encoding="utf-8")
    names = [name for name, _ in tool.data_files(folder / ".." / "val" / "labels.txt")]
    assert names == ["train_data/rec/val/labels.txt", "train_data/rec/val/images/1.png"]


def test_a_folder_comes_along_whole(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    (tmp_path / "photos" / "a" / "1.jpg").write_bytes(b"x")
    assert [name for name, _ in tool.folder_files(tmp_path / "photos")] == ["data/photos/a/1.jpg"]


def test_fonts_of_one_name_do_not_replace_one_another(tool: ModuleType, tmp_path: Path) -> None:
    for design in ("serif", "sans"):
        (tmp_path / "fonts" / design).mkdir(parents=True)
        (tmp_path / "fonts" / design / "Regular.TTF").write_bytes(b"x")
        (tmp_path / "fonts" / design / "README").write_bytes(b"x")
    names = [name for name, _ in tool.font_files([tmp_path / "fonts", tmp_path / "fonts" / "sans" / "Regular.TTF"])]
    assert names == ["fonts/sans/Regular.TTF", "fonts/serif/Regular.TTF", "Regular.TTF"]


def test_a_missing_image_is_named_with_its_line(tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("gone.png\tword\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"train\.txt:1: no image .*gone\.png"):
        list(tool.data_files(tmp_path / "train.txt"))


def test_the_sources_hold_the_engine_and_of_models_only_weights(tool: ModuleType) -> None:
    names = set(tool.sources())
    assert {"ppocr_lite/engine/backends/torch/backend.py", "ppocr_lite/models/det/model.safetensors"} <= names
    models = [name for name in names if name.startswith("ppocr_lite/models/")]
    assert {name.rpartition("/")[2] for name in models} == {"model.safetensors"}
    assert not [name for name in names if "__pycache__" in name]


def test_entering_unpacks_the_wheels_and_says_where_things_are(tool: ModuleType, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "small-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small/__init__.py", "ANSWER = 42\n")
    tool.pack({"wheels/small-1.0-py3-none-any.whl": tmp_path / "small-1.0-py3-none-any.whl"}, tmp_path / "x", 10**6)
    script = 'cat x.* | tar xz && . training/enter.sh && python3 -c "import small; print(small.ANSWER)" && pwd && env'
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == ["42", str(tmp_path / "training")]
    assert f"PPOCR_LITE_DATA={tmp_path}/training/data" in lines
