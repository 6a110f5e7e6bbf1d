"""A tool that is not installed is named, with the extra that brings it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("module", "tool", "extra"),
    [
        ("langchain", "langchain_core", "langchain"),
        ("llama_index", "llama_index", "llama-index"),
        ("docling", "docling", "docling"),
    ],
)
def test_without_the_package_the_extra_is_named(module: str, tool: str, extra: str) -> None:
    code = f"import sys; sys.modules['{tool}'] = None; import ppocr_lite.integrations.{module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert f"OCRError: {tool} is not installed: pip install" in done.stderr
    assert f"[{extra}]" in done.stderr
