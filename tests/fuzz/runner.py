"""Runs the tries of a campaign in processes of their own, which may hang, crash or take all memory.

A campaign is a module with ``prepare(folder, seed)``, which returns a function from the number of a try to its outcome
in a word. That function raises only what is a failure.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.report import CPU_SECONDS, Report

ROOT = Path(__file__).parents[2]
BATCH = 500  # tries of one process
GUARD = 8 * 2**30  # address space of a process, so that a fault does not take the machine


def run(campaign: str, tries: int, seed: int) -> Report:
    """Make *tries* tries of the module *campaign* and count what came of them."""
    report = Report(campaign.rpartition(".")[2], seed)
    start = 0
    while start < tries:
        start = _batch(report, campaign, seed, start, min(start + BATCH, tries))
    return report


def _batch(report: Report, campaign: str, seed: int, start: int, stop: int) -> int:
    """Run tries in one process; return the number of the first that it has not come to."""
    command = [sys.executable, "-m", "tests.fuzz.runner", campaign, str(seed), str(start), str(stop)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "TQDM_DISABLE": "1"}
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
        selectors.DefaultSelector() as ready,
    ):
        ready.register(process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
        number = start
        while True:
            if not ready.select(timeout=30 * CPU_SECONDS):  # far more than the tries may compute, on a busy machine
                process.kill()
                report.fail(f"{campaign} try {number}: it hangs")
                report.add(f"{campaign} try {number}", "hung", 0.0, 0.0)
                return number + 1
            line = process.stdout.readline()  # type: ignore[union-attr]
            if not line:
                break
            answer = json.loads(line)
            report.add(f"{campaign} try {number}", answer["outcome"], answer["cpu"], answer["peak_mb"])
            if answer["failure"]:
                report.fail(f"{campaign} try {number}: {answer['failure']}")
            number += 1
        process.wait()
        if number < stop:
            errors.seek(0)
            report.fail(
                f"{campaign} try {number}: the process ended with {process.returncode}: {errors.read()[-1500:]}"
            )
            report.add(f"{campaign} try {number}", "crashed", 0.0, 0.0)
            return number + 1
    return stop


def _work(campaign: str, seed: int, start: int, stop: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (GUARD, GUARD))
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what decoders print
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        attempt = importlib.import_module(campaign).prepare(Path(folder), seed)
        for number in range(start, stop):
            began = _cpu()
            failure = None
            try:
                outcome = attempt(number)
            except Exception as error:  # noqa: BLE001 - this is what is looked for
                outcome, failure = "failed", f"{type(error).__name__}: {str(error)[:500]}"
            peak = max(peak_mb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
            told = {"outcome": outcome, "failure": failure, "cpu": _cpu() - began, "peak_mb": peak}
            answers.write(json.dumps(told) + "\n")


def peak_mb() -> float:
    """Return the most memory of this program; ``ru_maxrss`` would count what its parent had when it was started."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _cpu() -> float:
    """Return the seconds that this process and those it has waited for have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


if __name__ == "__main__":
    _work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
