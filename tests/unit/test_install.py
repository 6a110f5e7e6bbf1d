"""Error messages name a command that works for how the package was installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from ppocr_lite import install
from ppocr_lite.commands.doctor import PACKAGES
from ppocr_lite.install import EXTRAS, install_command

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def name_of(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


class Installed:
    """What pip noted down about an installation."""

    def __init__(self, origin: dict[str, Any] | None) -> None:
        self.text = None if origin is None else json.dumps(origin)

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self.text


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package as if it lay in site-packages."""
    monkeypatch.setattr(install, "SOURCE", tmp_path / "site-packages")
    return tmp_path


def came_from(monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any] | None) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda name: {"ppocr-compact": Installed(origin)}[name])


def test_the_extras_are_those_of_pyproject() -> None:
    extras = {extra: names for extra, names in PROJECT["optional-dependencies"].items() if extra not in ("test", "doc")}
    assert {name_of(item): extra for extra, names in extras.items() for item in names} == EXTRAS
    assert PROJECT["name"] == install.DISTRIBUTION


def test_doctor_lists_each_package_with_its_extra() -> None:
    shown = {name: what.partition("]")[0][1:] for name, what in PACKAGES.items() if what.startswith("[")}
    assert shown == EXTRAS
    plain = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert {name_of(line) for line in plain if line} <= set(PACKAGES) - set(shown)


def test_in_place_the_checkout_is_installed_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    assert install_command("pypdfium2") == 'pip install -e ".[pdf]"'
    monkeypatch.chdir(tmp_path)
    assert install_command("pypdfium2") == f'pip install -e "{ROOT}[pdf]"'


def test_what_was_installed_from_a_checkout_names_it(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = outside / "a checkout"
    came_from(monkeypatch, {"dir_info": {}, "url": checkout.as_uri()})
    assert install_command("torch") == 'pip install ".[torch]" in a checkout of ppocr_lite'  # it is gone
    checkout.mkdir()
    assert install_command("torch") == f'pip install "{checkout}[torch]"'
    monkeypatch.chdir(checkout)
    assert install_command("torch") == 'pip install ".[torch]"'


def test_what_came_from_elsewhere_comes_from_there_again(outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came_from(monkeypatch, {"archive_info": {}, "url": "file:///w/ppocr_compact-0.1.0-py3-none-any.whl"})
    assert install_command("fontTools.ttLib") == (
        'pip install "ppocr-compact[train] @ file:///w/ppocr_compact-0.1.0-py3-none-any.whl"'
    )
    came_from(monkeypatch, {"vcs_info": {"vcs": "git", "commit_id": "abc"}, "url": "https://host.example/ocr.git"})
    assert install_command("openvino") == (
        'pip install "ppocr-compact[openvino] @ git+https://host.example/ocr.git@abc"'
    )


@pytest.mark.parametrize("origin", [None, "nothing installed"])
def test_from_an_index_its_own_name_is_given(
    origin: str | None, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Installed:
        raise metadata.PackageNotFoundError(name)

    came_from(monkeypatch, None)
    if origin is not None:
        monkeypatch.setattr(metadata, "distribution", missing)
    assert install_command("paddle2onnx") == 'pip install "ppocr-compact[onnx]"'


@pytest.mark.parametrize(
    ("module", "package"),
    [("paddle", "paddlepaddle"), ("cv2", "opencv-python-headless"), ("onnxruntime", "onnxruntime")],
)
def test_what_a_plain_install_brings_is_installed_by_name(module: str, package: str) -> None:
    assert install_command(module) == f"pip install {package}"


def test_no_text_names_the_other_project_of_the_index() -> None:
    kinds = (".py", ".md", ".toml", ".txt", ".yml", ".sh")
    files = [path for path in ROOT.rglob("*") if path.suffix in kinds and not {".venv", "build"} & set(path.parts)]
    wrong = re.compile(r"pip install [^\n&;]*ppocr-lite")
    assert [str(path) for path in files if wrong.search(path.read_text(encoding="utf-8"))] == []


def test_a_start_reads_no_metadata_of_packages() -> None:
    code = "import sys; from ppocr_lite import OCR; sys.exit('importlib.metadata' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
