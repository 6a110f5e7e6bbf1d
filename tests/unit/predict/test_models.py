"""Model sets: found in packages without importing them, listed, and named when they are not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ppocr_lite import OCR
from ppocr_lite.cli import main
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.predict import models
from ppocr_lite.predict.models import SETS, ModelSet, find_models, list_sets


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> ModelSet:
    """A set whose package nobody has."""
    files = {"det": "models/det.onnx", "rec": "models/rec.onnx"}
    row = ModelSet("Tiny_set", "package_of_nobody", "package-of-nobody>=1", files, "Klingon", "MIT", 1.5)
    monkeypatch.setattr(models, "SETS", (row,))
    return row


def test_an_absent_set_names_the_command(absent: ModelSet) -> None:
    with pytest.raises(ModelError, match=r'Tiny_set comes with package_of_nobody.*pip install "package-of-nobody>=1"'):
        OCR(models="tiny-set")


def test_a_set_is_found_without_importing_its_package(
    absent: ModelSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package_of_nobody"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    (package / "models" / "det.onnx").write_bytes(b"")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError, match="installed in another release"):
        find_models("Tiny_set")
    (package / "models" / "rec.onnx").write_bytes(b"")
    assert find_models("TINY SET").paths == {stage: package / name for stage, name in absent.files.items()}


def test_a_name_nobody_knows_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'PP-OCRv6_small'"):
        OCR(models="PPOCRv6_smal")


def test_language_and_models_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="lang='en' chooses among the released"):
        OCR(lang="en", models="ppocr_lite_en")


def test_the_released_models_are_a_set() -> None:
    released = find_models("ppocr-lite-ch").paths
    assert {stage: path.name for stage, path in released.items()} == {"det": "det", "cls": "cls", "rec": "rec_ch"}


def test_a_folder_without_networks_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no networks"):
        OCR(models=tmp_path)


def test_every_set_has_a_name_of_its_own() -> None:
    names = [models.plain(listed.name) for listed in list_sets()]
    assert len(set(names)) == len(names) == len(SETS) + 2


def test_the_verb_lists_what_is_here_and_what_could_be(absent: ModelSet, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    here, missing = capsys.readouterr().out.split("not installed:")
    assert "ppocr_lite_en" in here
    assert "Tiny_set" in missing and 'pip install "package-of-nobody>=1"' in missing and "Klingon" in missing
    assert main(["models", "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["Tiny_set"] == {
        "name": "Tiny_set",
        "installed": False,
        "megabytes": 1.5,
        "stages": ["det", "rec"],
        "languages": "Klingon",
        "licence": "MIT",
        "where": None,
        "install": 'pip install "package-of-nobody>=1"',
    }
    assert rows["ppocr_lite_en"]["installed"] and Path(rows["ppocr_lite_en"]["where"]).is_dir()
