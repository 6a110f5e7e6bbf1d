"""What a plain install can do: every --help, every config, without the packages of the extras."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ppocr_lite.cli import VERBS
from ppocr_lite.install import _DISTRIBUTIONS, EXTRAS

ROOT = Path(__file__).parents[2]
NAMES = {*EXTRAS, *(module for module, package in _DISTRIBUTIONS.items() if package in EXTRAS)}
MODULES = sorted(NAMES - {"packaging", "safetensors"})  # onnxruntime and paddlepaddle bring them, too
# Those of tools/peers are the modules of bench_peers.py, and run where this library is not.
TOOLS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tools").rglob("*.py") if path.parent.name != "peers")
PLAIN = f"""
import os, runpy, sys
sys.modules.update(dict.fromkeys({MODULES}))  # importing one of them is an error
def run(path, *arguments):
    sys.argv = [path, *arguments]
    sys.path.insert(0, os.path.dirname(path))  # as Python does for a script
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as leaving:
        return leaving.code or 0
"""


def plain(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PLAIN + code], capture_output=True, text=True, cwd=ROOT, check=False)


def test_every_verb_has_help() -> None:
    done = plain(f"""
from ppocr_lite import cli
for verb in {sorted(VERBS)}:
    assert cli.main([verb, "--help"]) == 0, verb
""")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("usage: ppocr-lite ") == len(VERBS)


@pytest.mark.parametrize("tools", [TOOLS[::2], TOOLS[1::2]], ids=["half", "other half"])
def test_every_tool_has_help(tools: list[str]) -> None:
    done = plain(f"""
for tool in {tools}:
    assert run(tool, "--help") == 0, tool
""")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("usage: ") == len(tools)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_has_the_rule_for_errors_at_its_top(tool: str) -> None:
    end = (ROOT / tool).read_text(encoding="utf-8").partition('if __name__ == "__main__":')[2]
    assert re.search(r"sys\.exit\((report_errors\(|main\(\[)", end)


def test_configs_are_shown_and_components_listed() -> None:
    done = plain("""
from ppocr_lite import cli
assert cli.main(["components"]) == 0
assert cli.main(["show-config", "-c", "configs/rec/rec_en_mv3_crnn.yml"]) == 0
""")
    assert done.returncode == 0, done.stderr


def test_what_needs_an_extra_says_so_in_a_line(tmp_path: Path) -> None:
    done = plain(f"""
from ppocr_lite import cli
config = ["-c", "configs/rec/rec_en_mv3_crnn.yml"]
assert cli.main(["train", *config, "-o", "Global.save_model_dir={tmp_path}/run"]) == 1
assert cli.main(["synth", "rec", "--output", "{tmp_path}/made", "--count", "1"]) == 1
""")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all("is not installed: pip install" in line and "[train]" in line for line in lines)
