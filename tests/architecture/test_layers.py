"""Packages may import only packages below them, and only some may import a deep-learning framework."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ppocr_lite"

BASE = {"errors", "files", "locking", "registry", "version", "install"}
GROUND = BASE | {"config", "geometry", "charset"}
PLAIN = GROUND | {"io", "results", "textline", "visualize"}

# package → packages it may import (itself is always allowed)
ALLOWED: dict[str, set[str]] = {
    "version": set(),
    "errors": set(),
    "files": set(),
    "locking": set(),
    "install": {"errors"},
    "registry": {"errors"},
    "config": BASE,
    "geometry": BASE,
    "charset": BASE,
    "textline": {"errors", "geometry"},
    "io": {"errors", "files", "version", "install", "textline"},
    "results": {"errors", "files", "install", "version", "geometry", "io", "visualize", "textline"},
    "visualize": {"errors", "geometry", "io"},
    "transforms": PLAIN,
    "postprocess": PLAIN,
    "metrics": PLAIN,
    "predict": PLAIN | {"transforms", "postprocess"},
    "synth": {"errors", "install", "geometry", "io", "charset", "transforms"},
    "data": PLAIN | {"transforms", "synth"},  # SynthDataSet wraps the data maker
    "nn": {"errors"},
    "modeling": GROUND | {"nn"},
    "losses": GROUND | {"nn"},
    "optim": GROUND,
    "bulk": PLAIN | {"predict"},  # likewise
    "serve": PLAIN | {"predict"},  # and nobody but the command imports it
    "integrations": PLAIN | {"transforms", "predict", "data"},  # and nobody imports it, nor one of its modules another
    "families": PLAIN | {"transforms", "postprocess", "metrics", "predict", "data", "nn", "modeling", "losses"},
}
# May import everything below; slim and commands may import engine.
TOP = {"engine", "slim", "commands", "cli", "__main__"}

# Files that may import paddle or torch; everywhere else they are forbidden.
PADDLE = (
    "nn/paddle",
    "engine/backends/paddle",
    "engine/export",
    "engine/distributed",
    "predict/engines/paddle",
)
TORCH = ("nn/torch", "engine/backends/torch/")

# Rooms that the rest of their package is built on: they import nothing of it but themselves.
FOUNDATIONS = ("predict/bundle", "predict/layout")

# Everything a machine without any framework needs to check configs, prepare data and score.
WITHOUT_FRAMEWORK = (
    "ppocr_lite",
    "ppocr_lite.cli",
    "ppocr_lite.config",
    "ppocr_lite.transforms",
    "ppocr_lite.postprocess",
    "ppocr_lite.metrics",
    "ppocr_lite.synth",
    "ppocr_lite.data",
    "ppocr_lite.optim",
    "ppocr_lite.predict",
    "ppocr_lite.modeling",
    "ppocr_lite.losses",
    "ppocr_lite.families",
    "ppocr_lite.engine.build",
    "ppocr_lite.engine.trainer",
    "ppocr_lite.engine.checkpoint",
    "ppocr_lite.engine.evaluate",
    "ppocr_lite.engine.hooks",
)


def imported(path: Path) -> set[str]:
    """Names of all modules that *path* imports, at run time or for types."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            if node.module == "ppocr_lite":
                names |= {f"ppocr_lite.{alias.name}" for alias in node.names}
    return names


def part(path: Path) -> str:
    """The package of ``ppocr_lite`` that *path* belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")
# Beside the package itself, which imports on first use, ``nn`` holds code: it hands out the names of the chosen engine.
WITH_CODE = (PACKAGE / "__init__.py", PACKAGE / "nn" / "__init__.py")
PACKAGES = sorted(p for p in PACKAGE.rglob("__init__.py") if p not in WITH_CODE)
LISTS = ("nn/torch.py",)  # of small things of one kind; one file an engine


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_downwards(path: Path) -> None:
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("ppocr_lite.")}
    here = part(path)
    assert "integrations" not in ours, "what other tools import is imported by nobody here"
    if here in TOP:
        assert here in ("cli", "__main__") or "cli" not in ours, "nothing imports the command line"
        assert here != "engine" or not ours & {"slim", "commands"}, "the engine knows neither slim nor the commands"
        assert here != "slim" or "commands" not in ours, "slim does not know the commands"
        assert here == "commands" or not ours & {"serve", "bulk"}, "only its command knows the service, and bulk"
        assert "integrations" not in ours, "what stands in other tools is imported by them"
        return
    assert here in ALLOWED, f"{here} is new: say in this table what it may import"
    assert ours - {here} <= ALLOWED[here]


@pytest.mark.parametrize("room", FOUNDATIONS)
def test_a_foundation_rests_on_nothing_of_its_package(room: str) -> None:
    package, here = (f"ppocr_lite.{name}".replace("/", ".") for name in (room.partition("/")[0], room))
    names = {name for path in (PACKAGE / room).rglob("*.py") for name in imported(path)}
    ours = {name for name in names if f"{name}.".startswith(f"{package}.")}
    assert ours, f"there is no {room}"
    assert [name for name in sorted(ours) if not f"{name}.".startswith(f"{here}.")] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_frameworks_stay_in_their_files(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)}
    if not name_of(path).startswith(PADDLE):
        assert "paddle" not in roots
    if not name_of(path).startswith(TORCH):
        assert "torch" not in roots


@pytest.mark.parametrize("path", PACKAGES, ids=name_of)
def test_package_files_hold_no_code(path: Path) -> None:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        listing = isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]
        assert docstring or listing or isinstance(node, ast.Import | ast.ImportFrom), ast.unparse(node)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_fits_in_a_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= (560 if name_of(path) in LISTS else 400)


def without_frameworks(code: str) -> None:
    code = f"import sys\nsys.modules['paddle'] = sys.modules['torch'] = None\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_the_package_prepares_data_without_a_framework() -> None:
    without_frameworks("".join(f"import {name}\n" for name in WITHOUT_FRAMEWORK))


def test_configs_are_checked_and_components_listed_without_a_framework() -> None:
    configs = sorted(str(path) for path in (ROOT / "configs").rglob("*_released.yml"))
    assert configs
    without_frameworks(
        "from ppocr_lite import cli\nfrom ppocr_lite.engine.build import load_config\n"
        f"for path in {configs}: load_config(path)\n"
        "assert cli.main(['components', 'MobileNetV3']) == 0"
    )


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("paddle", "torch", "cv2", "imgaug", "scipy")
    code = f"import sys, ppocr_lite; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", [p for p in FILES if part(p) in ("modeling", "losses")], ids=name_of)
def test_a_network_or_loss_does_not_ask_for_its_engine(path: Path) -> None:
    used = {
        node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)
    }
    assert not used & {"chosen", "use", "ENGINES"}, "what differs between engines is a primitive of ppocr_lite.nn"


def test_the_torch_engine_holds_no_network_and_no_loss() -> None:
    for path in (PACKAGE / "engine" / "backends").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
            assert not [name for name in names if name.rpartition(".")[2] in ("Layer", "Module")], path
