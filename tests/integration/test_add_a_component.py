"""The example files of doc/add_a_component.md, put where that page says, pass their tests and the contracts."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "doc" / "add_a_component.md"
# A path in backticks and, after it, the block that stands at it.
FILE = re.compile(
    r"`((?:ppocr_lite|tests)/[\w/]+\.py)`[^`]*?:\n\n```(python|python no-test|text)\n(.*?)^```$", re.M | re.S
)
SHARED = ("models", "charsets")  # large, and not changed


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and of what its tests need, with the files of the page in it."""
    folder = tmp_path_factory.mktemp("checkout")
    ignore = shutil.ignore_patterns("__pycache__", *SHARED)
    shutil.copytree(ROOT / "ppocr_lite", folder / "ppocr_lite", ignore=ignore)
    for name in SHARED:
        (folder / "ppocr_lite" / name).symlink_to(ROOT / "ppocr_lite" / name)
    for name in ("conftest.py", "engine.py", "contract"):
        source, target = ROOT / "tests" / name, folder / "tests" / name
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(source, target, ignore=ignore) if source.is_dir() else shutil.copy(source, target)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, kind, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        path = folder / name
        if kind == "text":  # a line for the list of a package
            path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder


def run(checkout: Path, engine: str, *words: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib"]
    environment = os.environ | {"PYTHONPATH": str(checkout), "PPOCR_LITE_TEST_ENGINE": engine}
    done = subprocess.run(
        [*command, *words], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_the_page_has_a_file_and_a_test_of_each() -> None:
    names = [name for name, kind, _ in FILE.findall(PAGE.read_text(encoding="utf-8")) if kind != "text"]
    kinds = {name.split("/")[1] for name in names if name.startswith("ppocr_lite/")}
    assert kinds == {"transforms", "modeling", "losses", "families"}
    assert sum(name.startswith("tests/") for name in names) == len(kinds)


@pytest.mark.parametrize("engine", ["paddle", "torch"])
def test_the_examples_pass_their_tests(checkout: Path, engine: str) -> None:
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"the {engine} engine is not installed")
    run(checkout, engine, "tests/unit", "tests/integration")


def test_the_contracts_hold_for_them_the_day_they_are_registered(checkout: Path) -> None:
    run(checkout, "paddle", "tests/contract", "-k", "PlainNet or PolyLoss or ToGray")
