"""A disk that is full at every write: the error is named, what was there stays, no draft is left.

No file may grow beyond a limit (RLIMIT_FSIZE), which is set just below, and at half of, the size of each file that an
undisturbed run writes.

python -m tests.fuzz.disk
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend, load_config
from ppocr_lite.engine.checkpoint import TrainState
from ppocr_lite.engine.export import export_model
from ppocr_lite.errors import OCRError
from ppocr_lite.results import OCRResult
from ppocr_lite.textline import TextLine
from tests.conftest import draw_page
from tests.fuzz.kills import write_run
from tests.fuzz.report import Report
from tests.fuzz.runner import peak_mb
from tests.limits import file_size_limit

ROOT = Path(__file__).parents[2]
RESULTS = (".json", ".txt", ".hocr", ".xml", ".pdf", ".png", ".jpg")


def save_results(folder: Path) -> None:
    page = draw_page((120, 160), lines=2)
    lines = tuple(TextLine(quad, text, 0.9) for quad, text in zip(page.polys, page.texts, strict=True))
    for suffix in RESULTS:
        OCRResult(lines, (120, 160)).save(folder / f"page{suffix}", page.image)


class _Backend:
    def weights(self) -> dict[str, np.ndarray]:
        return {"a.weight": np.zeros((300, 40), np.float32)}

    def optimizer_state(self) -> dict[str, np.ndarray]:
        return {"a.weight.moment": np.zeros((300, 80), np.float32)}


def save_checkpoint(folder: Path) -> None:
    state = TrainState(step=2, bad_samples=["labels.txt:1"] * 50)
    checkpoint.save(folder, _Backend(), state)  # type: ignore[arg-type]
    checkpoint.point_out(folder, state)


def export(source: Path) -> Callable[[Path], None]:
    """Return what exports a small classifier, to be written in *source* first."""
    config = load_config(write_run(source, "paddle"))
    backend = create_backend("paddle")
    backend.build(Task(architecture=config.Architecture or {}, num_classes=None, seed=1))
    saved = checkpoint.save(source / "weights", backend_without_optimizer(backend), TrainState(step=1))

    def write(folder: Path) -> None:
        export_model(config, saved, folder / "inference", onnx=True)

    return write


def backend_without_optimizer(backend: object) -> checkpoint.Backend:
    backend.optimizer_state = lambda: {}  # type: ignore[attr-defined]
    return backend  # type: ignore[return-value]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def fault(write: Callable[[Path], None], folder: Path, limit: int) -> str | None:
    """Write onto what is there with a limit; return what is wrong afterwards, None if nothing is."""
    before = contents(folder)
    try:
        with file_size_limit(limit):
            write(folder)
        return "it says nothing"
    except (OCRError, OSError) as error:
        if not str(error) or (isinstance(error, OSError) and not isinstance(error, OCRError) and not error.filename):
            return f"the error names nothing: {error!r}"
    after = contents(folder)
    changed = [name for name in before if name not in after]
    new = sorted(set(after) - set(before))
    if changed or [name for name in new if name.endswith(".tmp") or "/." in f"/{name}"]:
        return f"gone: {changed}, left: {new}"
    broken = [name for name in before if before[name] != after[name] and len(after[name]) < len(before[name])]
    return f"cut: {broken}" if broken else None


def limits(folder: Path) -> list[int]:
    """Return the limits for files as large as those in *folder*."""
    sizes = {path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    return sorted({limit for size in sizes if size > 1 for limit in (size // 2, size - 1)} | {0})


def fill(report: Report, name: str, write: Callable[[Path], None]) -> None:
    """Write undisturbed, then again on top with every limit."""
    with tempfile.TemporaryDirectory(prefix="fuzz-disk-") as place:
        folder = Path(place)
        write(folder)
        for limit in limits(folder):
            began = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
            wrong = fault(write, folder, limit)
            if wrong:
                report.fail(f"{name} at {limit} bytes: {wrong}")
            used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
            report.add(f"{name} at {limit} bytes", name, used - began, peak_mb())


def train(report: Report, engine: str) -> None:
    """Train with every limit, each time in a new folder."""
    with tempfile.TemporaryDirectory(prefix="fuzz-disk-") as place:
        config = write_run(Path(place), engine)
        _train(config, "run", None)
        for limit in limits(Path(place) / "run"):
            status, output, used = _train(config, f"run_{limit}", limit)
            run = Path(place) / f"run_{limit}"
            drafts = [str(path) for path in run.rglob("*.tmp")]
            whole = not (run / "checkpoints" / "latest").exists() or checkpoint.read_weights(run)
            if "Traceback" in output or drafts or not whole or status < 0:
                report.fail(f"training at {limit} bytes, status {status}, left {drafts}: {output[-1500:]}")
            outcome = f"training, {engine}: {'goes on' if status == 0 else 'ends'}"
            report.add(f"training at {limit} bytes", outcome, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _train(config: Path, run: str, limit: int | None) -> tuple[int, str, resource.struct_rusage]:
    node = yaml.safe_load(config.read_text(encoding="utf-8"))
    node["Global"] |= {"save_model_dir": str(config.parent / run), "max_steps": 3, "eval_batch_step": [0, 2]}
    node["Train"]["loader"]["num_workers"] = 0
    path = config.parent / f"{run}.yml"
    path.write_text(yaml.safe_dump(node), encoding="utf-8")
    command = [sys.executable, str(ROOT / "tools" / "train.py"), "-c", str(path)]
    if limit is not None:
        command = ["prlimit", f"--fsize={limit}", *command]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, output, used


TASKS = ("results", "checkpoint", "export", "paddle", "torch")


def run(tasks: tuple[str, ...] = TASKS) -> Report:
    """Fill the disk in each of *tasks*."""
    report = Report("disk", 0)
    if "results" in tasks:
        fill(report, "results", save_results)
    if "checkpoint" in tasks:
        fill(report, "checkpoint", save_checkpoint)
    if "export" in tasks:
        with tempfile.TemporaryDirectory(prefix="fuzz-disk-") as source:
            fill(report, "export", export(Path(source)))
    for engine in ("paddle", "torch"):
        if engine in tasks:
            train(report, engine)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=list(TASKS), help=", ".join(TASKS))
    return run(tuple(parser.parse_args().tasks)).finish()


if __name__ == "__main__":
    sys.exit(main())
