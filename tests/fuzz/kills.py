"""Trainings that are killed at any moment: the last checkpoint is whole, no reader is left, the run goes on.

python -m tests.fuzz.kills --tries 50 --engine paddle --seed 0
python -m tests.fuzz.kills --tries 50 --engine torch --seed 0
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import yaml
from safetensors.numpy import load_file

from ppocr_lite.engine import checkpoint
from ppocr_lite.errors import OCRError
from tests.conftest import WORDS, draw_line
from tests.fuzz.report import Report
from tests.integration.conftest import small_config

ROOT = Path(__file__).parents[2]
BEGIN_SECONDS = 240  # for a busy machine
READERS_SECONDS = 10


def write_run(folder: Path, engine: str) -> Path:
    """Write data and a config of a small classifier, which saves after every update; return the config."""
    rows = []
    for index, word in enumerate(WORDS[:8]):
        cv2.imwrite(str(folder / f"line_{index}.png"), draw_line(word, height=48, seed=index))
        rows.append(f"line_{index}.png\t0\n")
    labels = folder / "labels.txt"
    labels.write_text("".join(rows), encoding="utf-8")
    config = small_config("cls", labels, folder / "run")
    config["Global"] |= {"engine": engine, "epoch_num": 10**6, "save_batch_step": 1, "keep_checkpoints": 2}
    config["Global"] |= {"eval_batch_step": [0, 5]}
    config["Train"]["loader"]["num_workers"] = 2
    path = folder / "config.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def reached(run: Path) -> int:
    """Return the step of the newest checkpoint, 0 if there is none."""
    try:
        return int((run / "checkpoints" / "latest").read_text().removeprefix("step_"))
    except FileNotFoundError:
        return 0


def children(process: int) -> list[int]:
    """Return the processes that a process has forked."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*"):
        found += map(int, (task / "children").read_text().split())
    return found


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def fault_after_kill(run: Path, before: int, readers: list[int]) -> str | None:
    """Return what is wrong after a kill; None if nothing is."""
    deadline = time.monotonic() + READERS_SECONDS
    while left := [reader for reader in readers if is_running(reader)]:
        if time.monotonic() > deadline:
            return f"{len(left)} of {len(readers)} reading processes are left"
        time.sleep(0.05)
    try:
        folder = checkpoint.resolve(run)
        checkpoint.read_weights(folder)
        load_file(folder / checkpoint.OPTIMIZER)
        step = json.loads((folder / checkpoint.STATE).read_text(encoding="utf-8"))["step"]
    except (OCRError, OSError, ValueError) as error:
        return f"the newest checkpoint is not whole: {error}"
    return None if step > before else f"the run went back from {before} to {step}"


def kill_once(config: Path, rng: np.random.Generator, report: Report) -> None:
    """Continue a run, let it save, kill it at a random moment, and look at what it left."""
    run, log = config.parent / "run", config.parent / "output.txt"
    before = reached(run)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "tools" / "train.py"), "-c", str(config), "--resume"]
    what = f"kill {report.tries}"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    deadline = time.monotonic() + BEGIN_SECONDS
    while reached(run) <= before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if reached(run) <= before:
        report.fail(f"{what}: the run did not go on from {before}: {log.read_text()[-2000:]}")
    time.sleep(rng.uniform(0, 0.6))
    readers = children(process.pid) if process.poll() is None else []
    process.kill()
    _, _, used = os.wait4(process.pid, 0) if process.returncode is None else (0, 0, None)
    process.returncode = -9
    cpu, peak = (used.ru_utime + used.ru_stime, used.ru_maxrss / 1024) if used else (0.0, 0.0)
    fault = fault_after_kill(run, before, readers)
    if fault:
        report.fail(f"{what}: {fault}")
    report.add(what, f"{len(readers)} readers ended with it", cpu, peak)


def run(tries: int, engine: str, seed: int) -> Report:
    """Kill one run of *engine* so often."""
    report = Report(f"kills, {engine}", seed)
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(prefix="fuzz-kills-") as folder:
        config = write_run(Path(folder), engine)
        for _ in range(tries):
            kill_once(config, rng, report)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=50)
    parser.add_argument("--engine", choices=("paddle", "torch"), default="paddle")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    return run(arguments.tries, arguments.engine, arguments.seed).finish()


if __name__ == "__main__":
    sys.exit(main())
