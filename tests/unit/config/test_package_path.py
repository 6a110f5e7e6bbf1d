"""Files of installed packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppocr_lite.config.package_path import resolve_path
from ppocr_lite.errors import ConfigError


def test_a_file_of_a_package_is_found_without_importing_it() -> None:
    assert resolve_path("ppocr_lite:charsets/en.txt").is_file()


@pytest.mark.parametrize("path", ["model.onnx", "models/model.onnx", r"C:\models\model.onnx", "/tmp/model.onnx"])
def test_paths_stay_as_they_are(path: str) -> None:
    assert resolve_path(path) == Path(path)


def test_a_file_whose_name_has_a_colon_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my:model.onnx").touch()
    monkeypatch.chdir(tmp_path)
    assert resolve_path("my:model.onnx") == Path("my:model.onnx")


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(ConfigError, match="the package no_such_package is not installed here. pip install"):
        resolve_path("no_such_package:model.onnx")
