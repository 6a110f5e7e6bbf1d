"""One training at a time in a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ppocr_lite.engine.lock import lock
from ppocr_lite.errors import ConfigError

HOLD = """
import sys, time
from pathlib import Path
from ppocr_lite.engine.lock import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_that_another_process_holds_is_refused_until_that_is_killed(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=rf"another training \(process {other.pid}\) runs in"), lock(tmp_path):
            pytest.fail("two trainings hold one folder")
        other.kill()
        other.wait()
        with lock(tmp_path):
            pass


def test_a_folder_is_free_after_a_run_that_failed(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), lock(tmp_path):
            raise ZeroDivisionError
