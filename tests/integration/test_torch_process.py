"""The tests of torch, and of both engines, in a process that computes with torch."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine import ENGINE

ROOT = Path(__file__).parents[2]
FOLDERS = ("unit", "contract", "golden", "integration")


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the torch engine is not installed")
@pytest.mark.skipif(ENGINE == "torch", reason="this is that process")
@pytest.mark.timeout(1800)
def test_everything_that_torch_computes(request: pytest.FixtureRequest) -> None:
    chosen = str(request.config.getoption("markexpr"))
    folders = [f"tests/{name}" for name in FOLDERS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", chosen, *folders]
    environment = os.environ | {"PPOCR_LITE_TEST_ENGINE": "torch", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20000:]
    assert " passed" in done.stdout
