"""A few tries of each campaign, so that they stay able to run; the long ones are started by hand."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.fuzz import disk, folders, kills, pictures, runner
from tests.fuzz.report import Report


def check(report: Report, tries: int) -> None:
    assert report.tries >= tries
    assert not report.failures


def test_damaged_pictures_are_read_or_named() -> None:
    check(runner.run(pictures.__name__, len(pictures.KINDS), seed=0), len(pictures.KINDS))


def test_damaged_folders_are_used_or_named() -> None:
    check(runner.run(folders.__name__, 2 * len(folders.KINDS), seed=0), 2 * len(folders.KINDS))


def test_a_full_disk_keeps_what_was_there() -> None:
    command = [sys.executable, "-m", "tests.fuzz.disk", "results", "checkpoint"]  # alone: its memory is measured
    done = subprocess.run(command, capture_output=True, text=True, cwd=runner.ROOT, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout.partition("FAILURE")[0])["tries"] >= 20


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["paddle", "torch"])
def test_a_killed_training_leaves_a_whole_checkpoint_and_no_reader(engine: str) -> None:
    pytest.importorskip(engine)
    check(kills.run(2, engine, seed=0), 2)


@pytest.mark.slow
def test_a_full_disk_ends_an_export_and_a_training_by_name() -> None:
    check(disk.run(("export", "paddle")), 15)


def test_a_process_that_crashes_or_fails_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "tests.fuzz.failing"
    monkeypatch.setattr(runner, "BATCH", 10)
    report = runner.run(module, 6, seed=0)
    assert report.tries == 6
    assert [text.partition(": ")[2].partition(":")[0] for text in report.failures] == [
        "ZeroDivisionError",
        "the process ended with -11",
    ]
    assert sys.modules.get(module) is None


@pytest.mark.slow
def test_the_service_is_well_under_load_and_abuse() -> None:
    pytest.importorskip("fastapi", reason="the extra [serve] is not installed")
    few = ("--clients=4", "--seconds=5", "--slow=3", "--half=3", "--malformed=20")
    command = [sys.executable, "-m", "tests.fuzz.serve", *few]
    done = subprocess.run(command, capture_output=True, text=True, cwd=runner.ROOT, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
