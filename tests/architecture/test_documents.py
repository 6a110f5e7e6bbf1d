"""The documentation does not lie: links lead somewhere, snippets run, commands parse, components.md is current."""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ppocr_lite import cli
from ppocr_lite.commands import components
from ppocr_lite.engine.build import load_config, registries
from ppocr_lite.predict.released import released

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "doc").rglob("*.md")),
    *sorted((ROOT / "experiments").glob("*.md")),
    *sorted((ROOT / "ppocr_lite" / "models").glob("*/README.md")),
]
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
# A block that would take too long to run begins with ```python no-test, which this does not match.
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Module of ppocr_lite.integrations → package that not everybody who develops has; without it its blocks do not run.
TOOLS = {"docling": "docling", "langchain": "langchain_core", "llama_index": "llama_index"}
TRANSLATED = [page for page in PAGES if page.with_suffix(f".zh{page.suffix}") in PAGES]


def page_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return [code for kind, code in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


def missing_tools(code: str) -> list[str]:
    """The packages that a block needs and that are not installed."""
    return [package for name, package in TOOLS.items() if f"integrations.{name} " in code and not find_spec(package)]


def outputs(page: Path) -> list[str]:
    """What a page shows as the output of its Python blocks: each ```text block that comes straight after one."""
    text = page.read_text(encoding="utf-8")
    found = list(FENCE.finditer(text))
    return [
        after[2]
        for before, after in zip(found, found[1:], strict=False)
        if (before[1], after[1]) == ("python", "text")
        and not text[before.end() : after.start()].strip()
        and not missing_tools(before[2])
    ]


def commands(page: Path) -> list[list[str]]:
    """The arguments of every `ppocr-lite VERB …` in the shell blocks of a page."""
    text = "\n".join(blocks(page, "sh")).replace("\\\n", " ").replace("&&", "\n")
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["ppocr-lite"] and len(words) > 1]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_to_files(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=page_name)
def test_python_snippets_run(page: Path, tmp_path: Path) -> None:
    future = "from __future__ import annotations\n"  # may stand at the top alone
    found = blocks(page, "python")
    absent = sorted({package for block in found for package in missing_tools(block)})
    runnable = [block for block in found if not missing_tools(block)]
    if not runnable:
        pytest.skip(f"the snippets need {', '.join(absent)}, which is not installed")
    code = future + "\n".join(runnable).replace(future, "")
    if "OCR()" in code and not {"det", "det_en"} & set(released()):
        pytest.skip("the snippets read an image, and no released models are here")
    if "PP-OCRv6_small" in code and find_spec("rapidocr") is None:
        pytest.skip("the snippets read with networks of the package rapidocr, which is not installed")
    if "ppocr_lite.bulk" in code and ("det" not in released() or find_spec("fsspec") is None):
        pytest.skip("the snippets read in bulk, which needs released models and the extra [bulk]")
    for package in ("ocrmypdf", "label_studio_sdk"):
        if f"import {package}" in code and find_spec(package) is None:
            pytest.skip(f"the snippets use the package {package}, which is not installed")
    for name in ("doc", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    path = tmp_path / "snippet.py"
    path.write_text(code, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(path)]  # a process of its own: a snippet may register a class
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert [shown for shown in outputs(page) if shown not in done.stdout] == []


def test_the_readme_shows_what_its_code_prints() -> None:
    assert len(outputs(ROOT / "README.md")) == 1


@pytest.mark.parametrize("page", TRANSLATED, ids=page_name)
def test_a_translation_has_the_same_commands_and_code(page: Path) -> None:
    other = page.with_suffix(f".zh{page.suffix}")
    assert other.name in page.read_text(encoding="utf-8")
    assert page.name in other.read_text(encoding="utf-8")
    assert blocks(other, "sh") == blocks(page, "sh")
    assert outputs(other) == outputs(page)
    code = [[ast.unparse(ast.parse(block)) for block in blocks(which, "python")] for which in (page, other)]
    assert code[0] == code[1]


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    pages = {page.relative_to(ROOT / "doc").as_posix() for page in (ROOT / "doc").glob("*.md")}
    listed = re.findall(r"([\w./]+\.md)$", nav, re.MULTILINE)
    assert {name for name in listed if not name.startswith("repository/")} == pages
    assert [
        name
        for name in listed
        if not ((ROOT / "doc" / name).exists() or (ROOT / name.removeprefix("repository/")).exists())
    ] == []


def test_the_readme_and_the_tutorials_are_translated() -> None:
    assert {page_name(page) for page in TRANSLATED} == {"README.md", "doc/quickstart.md", "doc/fine_tuning.md"}


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=page_name)
def test_commands_parse(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for words in commands(page):
        if words[0] not in cli.VERBS:
            assert words == ["--version"], words
            continue
        module = importlib.import_module(cli.VERBS[words[0]][0])
        parser = argparse.ArgumentParser(prog=" ".join(words), exit_on_error=False)
        module.add_arguments(parser)
        arguments = parser.parse_args(words[1:])
        if getattr(arguments, "config", None) is not None:
            load_config(arguments.config, arguments.opt)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_scripts_are_where_commands_say(page: Path) -> None:
    named = set(re.findall(r"\bpython ((?:tools|deploy|experiments)/[\w/]+\.py)", "".join(blocks(page, "sh"))))
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_components_page_is_current() -> None:
    expected = components.markdown(registries())
    assert (ROOT / "doc" / "components.md").read_text(encoding="utf-8") == expected, "run `make doc`"


def test_every_sample_has_its_origin_beside_it() -> None:
    listed = (ROOT / "doc" / "samples" / "README.md").read_text(encoding="utf-8")
    images = [path for path in (ROOT / "doc" / "samples").iterdir() if path.suffix != ".md"]
    assert len(images) >= 5
    assert [path.name for path in images if f"`{path.name}`" not in listed] == []
    assert max(path.stat().st_size for path in images) < 300_000


def test_readme_marks_its_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    marked = text.partition("<!-- commands -->")[2].partition("<!-- end of commands -->")[0]
    assert [kind for kind, _ in FENCE.findall(marked)] == ["sh", "sh"]


def names_in(path: Path) -> set[str]:
    """Functions, classes and `Class.method` of a file."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
    return names


def test_the_walks_name_what_exists() -> None:
    text = (ROOT / "doc" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py): ([\w.]+)`", text)
    assert len(named) > 40
    package = ROOT / "ppocr_lite"
    assert [f"{file}: {name}" for file, name in named if name not in names_in(package / file)] == []
    files = re.findall(r"`([\w/]+\.py)`", text)
    assert [file for file in files if not ((package / file).exists() or (ROOT / file).exists())] == []
