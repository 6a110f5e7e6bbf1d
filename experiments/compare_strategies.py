"""Train strategies at equal budgets, each against its baseline, and write the figures down.

python experiments/compare_strategies.py experiments/strategies/*.yml
python experiments/compare_strategies.py experiments/strategies/det.yml --only recipe wide_head
python experiments/compare_strategies.py experiments/strategies/*.yml --list     # what is left
python experiments/compare_strategies.py experiments/strategies/*.yml --tables   # write the tables again

A plan names runs (a config and what is changed in it), the data they need, how many updates each gets, and which two
runs show a strategy.  Results go to ``--results``, the tables made of them between the markers of ``--document``.
A run whose result is there is not repeated; one that was interrupted goes on from its last checkpoint; one that fails
is named, and the next begins.  The tool gives way to other work (``--nice``), so it may run for hours.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ppocr_lite.config.load import fill_variables, read_yaml
from ppocr_lite.engine import checkpoint
from ppocr_lite.errors import CheckpointError, ConfigError

RUNS = Path("output/strategies")
RESULTS, DOCUMENT = Path("experiments/strategies.json"), Path("experiments/strategies.md")
NOT_RUN = "not run yet"


@dataclass(frozen=True)
class Run:
    """A training.

    Attributes:
        name: How strategies call it.
        config: The YAML file; under ``{here}``, one that the commands of *before* write.
        overrides: What is changed in it; ``{run:NAME}`` stands for the folder of another run, ``{here}`` for its own.
        updates: Its budget.
        needs: Runs that must be done before.
        before: Commands that prepare it, with the same placeholders; ``{common}`` in a plan is what all runs change.
    """

    name: str
    config: str
    overrides: tuple[str, ...]
    updates: int
    needs: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What one file describes.

    Attributes:
        name: Name of the file.
        title: Heading of its tables.
        metric: The figure that is compared.
        runs: By name, in order.
        strategies: ``{strategy, without, with, published}``: two runs, and what its authors report.
        data: Folder → command that makes it; ``{folder}`` stands for it.
    """

    name: str
    title: str
    metric: str
    runs: dict[str, Run]
    strategies: list[dict[str, str]]
    data: dict[str, str] = field(default_factory=dict)

    def fingerprint(self, name: str) -> str:
        """Return what tells a run from any other: its config, overrides, budget, and the runs it builds upon."""
        run = self.runs[name]
        written = run.config.startswith("{here}")  # by *before*, which counts anyway
        config = run.config if written else read_yaml(Path(run.config).read_text(encoding="utf-8"), run.config)
        parts = [json.dumps(config), *run.overrides, str(run.updates), *run.before]  # comments do not count
        parts += [self.fingerprint(needed) for needed in run.needs]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    def folder(self, name: str) -> Path:
        """Return where a run is kept."""
        return RUNS / self.name / f"{name}-{self.fingerprint(name)}"

    def fill(self, text: str, name: str) -> str:
        """Replace the placeholders in an override or a command of run *name*."""
        for needed in self.runs[name].needs:
            text = text.replace(f"{{run:{needed}}}", str(self.folder(needed)))
        return text.replace("{here}", str(self.folder(name)))

    def command(self, name: str, extra: Sequence[str] = ()) -> list[str]:
        """Return the command that trains a run or goes on with it."""
        run = self.runs[name]
        fixed = {
            "max_steps": run.updates,
            "save_model_dir": self.folder(name),
            "eval_batch_step": 0,  # the figure is that of the last update, not of the luckiest
            "save_batch_step": max(run.updates // 10, 50),
            "keep_checkpoints": 1,
        }
        overrides = [self.fill(override, name) for override in run.overrides]
        overrides += [f"Global.{key}={value}" for key, value in fixed.items()]
        config = self.fill(run.config, name)
        return [sys.executable, "tools/train.py", "-c", config, "--resume", "-o", *overrides, *extra]


def read_plan(path: Path, updates: int | None = None) -> Plan:
    """Read a plan; *updates* replaces the budget of every run.

    Raises:
        ConfigError: If a key is missing or unknown, or a run or strategy names a run that is not there.
    """
    raw = read_yaml(path.read_text(encoding="utf-8"), str(path))
    known = {"title", "metric", "config", "updates", "common", "data", "runs", "strategies"}
    if not isinstance(raw, dict) or set(raw) - known or not {"title", "metric", "updates", "runs"} <= set(raw):
        raise ConfigError(f"{path} must be a mapping of {sorted(known)}. Received: {sorted(raw)}")
    common, runs = tuple(raw.get("common", ())), {}
    for name, node in raw["runs"].items():
        node = node or {}
        if unknown := set(node) - {"config", "overrides", "updates", "needs", "before"}:
            raise ConfigError(f"{path}: runs.{name} has unknown keys {sorted(unknown)}.")
        runs[name] = Run(
            name=name,
            config=node.get("config", raw.get("config")),
            overrides=(*common, *node.get("overrides", ())),
            updates=updates or node.get("updates", raw["updates"]),
            needs=tuple(node.get("needs", ())),
            before=tuple(command.replace("{common}", shlex.join(common)) for command in node.get("before", ())),
        )
        if missing := set(runs[name].needs) - set(runs):
            raise ConfigError(f"{path}: runs.{name} needs {sorted(missing)}, which must stand above it.")
    strategies = raw.get("strategies", [])
    for entry in strategies:
        if set(entry) != {"strategy", "without", "with", "published"} or {entry["without"], entry["with"]} - set(runs):
            raise ConfigError(f"{path}: a strategy has a name, two runs and what is published. Received: {entry}")
    return Plan(path.stem, raw["title"], raw["metric"], runs, strategies, fill_variables(raw.get("data") or {}, ""))


class Results:
    """The file of figures: plan → run → what came of it.

    Args:
        path: A JSON file; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, dict[str, Any]]:
        """Return everything, as it is on disk now."""
        found: dict[str, dict[str, Any]] = json.loads(self.path.read_text()) if self.path.is_file() else {}
        return found

    def get(self, plan: Plan, name: str) -> dict[str, Any] | None:
        """Return the result of a run, None if there is none or the run has changed since."""
        found: dict[str, Any] | None = self.read().get(plan.name, {}).get(name)
        return found if found is not None and found["fingerprint"] == plan.fingerprint(name) else None

    def put(self, plan: Plan, name: str, result: dict[str, Any]) -> None:
        """Add a result; a reader never sees half a file."""
        everything = self.read()
        everything.setdefault(plan.name, {})[name] = result
        draft = self.path.with_suffix(".tmp")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(everything, indent=1, sort_keys=True) + "\n")
        draft.replace(self.path)


def make_data(plan: Plan, log: Path) -> None:
    """Make the folders of data that are not there."""
    for folder, command in plan.data.items():
        if not Path(folder).is_dir():
            draft = f"{folder.rstrip('/')}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            call(shlex.split(command.replace("{folder}", draft)), log, None)
            Path(draft).rename(folder)


def call(command: list[str], log: Path, minutes: float | None) -> None:
    """Run a command, its output appended to *log*; end it if this process ends or the time is up.

    Raises:
        RuntimeError: If it fails or takes too long; gives its last line.
    """
    if command[0] == "ppocr-lite":
        command = [sys.executable, "-m", "ppocr_lite.cli", *command[1:]]
    if command[0] == "python":
        command = [sys.executable, *command[1:]]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            status = process.wait(None if minutes is None else minutes * 60)
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"not done after {minutes:g} minutes") from error
        finally:
            if process.poll() is None:
                process.terminate()  # the training ends with a checkpoint
                process.wait()
    if status:
        lines = log.read_text(errors="replace").strip().splitlines()
        raise RuntimeError(f"status {status}: {lines[-1] if lines else 'no output'}; see {log}")


def train(plan: Plan, name: str, extra: Sequence[str], minutes: float | None) -> dict[str, Any]:
    """Train a run, or what is left of it, and return its result.

    Raises:
        RuntimeError: If a command fails or the run ends before its budget.
    """
    run, folder = plan.runs[name], plan.folder(name)
    log = folder.with_suffix(".log")
    make_data(plan, log)
    for command in run.before:
        call(shlex.split(plan.fill(command, name)), log, minutes)
    call(plan.command(name, extra), log, minutes)
    try:
        found = checkpoint.resolve(folder)
    except CheckpointError as error:
        raise RuntimeError(str(error)) from error
    state = json.loads((found / checkpoint.STATE).read_text())
    if state["step"] != run.updates or plan.metric not in state["metrics"]:
        raise RuntimeError(f"ended at update {state['step']} of {run.updates} with metrics {state['metrics']}")
    return {
        "fingerprint": plan.fingerprint(name),
        "metrics": {key: round(value, 4) for key, value in state["metrics"].items()},
        "updates": run.updates,
        "minutes": round(training_minutes(folder / "log.jsonl"), 1),
        "megabytes": round((found / checkpoint.MODEL).stat().st_size / 1e6, 1),
        "machine": machine(extra),
    }


def training_minutes(log: Path) -> float:
    """Return how long the updates of a run took, over all its parts, from its log."""
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    logged = {row["step"]: row["avg_batch_cost"] for row in rows if row["event"] == "log"}
    steps = [0, *sorted(logged)]
    return sum((end - start) * logged[end] for start, end in zip(steps, steps[1:], strict=False)) / 60


def machine(extra: Sequence[str]) -> str:
    """Return what computed, in words."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    cpu = names[0] if names else platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores, {cpu}" + (f", {' '.join(extra)}" if extra else "")


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).is_file() else []


def tables(plan: Plan, results: Results) -> str:
    """Return the Markdown of a plan: its strategies with both figures, then its runs."""
    found = {name: results.get(plan, name) for name in plan.runs}

    def figure(name: str) -> str:
        result = found[name]
        return NOT_RUN if result is None else f"{result['metrics'][plan.metric]:.4f}"

    rows = [f"| strategy | without | {plan.metric} | with | {plan.metric} | published |", f"|{' --- |' * 6}"]
    for entry in plan.strategies:
        cells = (entry["strategy"], f"`{entry['without']}`", figure(entry["without"]), f"`{entry['with']}`",
                 figure(entry["with"]), entry["published"])  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
    rows += ["", "| run | config and what is changed | updates | minutes | MB |", f"|{' --- |' * 5}"]
    shared = set.intersection(*(set(run.overrides) for run in plan.runs.values()))
    for name, run in plan.runs.items():
        own = [f"`{override}`" for override in run.overrides if override not in shared]
        cells = (f"`{name}`", " ".join([f"`{run.config}`", *own]), str(run.updates))
        result = found[name]
        measured = (NOT_RUN, "–") if result is None else (f"{result['minutes']:g}", f"{result['megabytes']:g}")
        rows.append(f"| {' | '.join((*cells, *measured))} |")
    machines = sorted({result["machine"] for result in found.values() if result})
    common = " ".join(f"`{override}`" for override in sorted(shared))
    notes = [f"Common to all runs: {common}."] if shared else []
    notes += [f"Measured on {'; '.join(machines)}."] if machines else []
    return "\n".join([*rows, "", *notes])


def write_document(path: Path, plan: Plan, results: Results) -> None:
    """Replace what stands between the markers of a plan; a page without them is left alone."""
    begin, end = f"<!-- begin {plan.name} -->", f"<!-- end {plan.name} -->"
    if not path.is_file() or begin not in (text := path.read_text(encoding="utf-8")):
        return
    head, _, rest = text.partition(begin)
    path.write_text(f"{head}{begin}\n{tables(plan, results)}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def pending(plan: Plan, results: Results, only: Sequence[str]) -> Iterator[str]:
    """Yield the runs without a result, those that *only* names and what they need, in order."""
    wanted = set(only or plan.runs)
    for name in reversed(plan.runs):
        wanted |= set(plan.runs[name].needs) if name in wanted else set()
    yield from (name for name in plan.runs if name in wanted and results.get(plan, name) is None)


def work(plan: Plan, results: Results, arguments: argparse.Namespace) -> int:
    """Do the runs of a plan that are left; return how many failed."""
    failed = 0
    for name in pending(plan, results, arguments.only):
        label, needs = f"{plan.name}/{name}", plan.runs[name].needs
        if undone := [needed for needed in needs if results.get(plan, needed) is None]:
            print(f"{label}: left out, for it needs {', '.join(undone)}", flush=True)
            continue
        started = time.monotonic()
        print(f"{label}: {plan.runs[name].updates} updates", flush=True)
        try:
            result = train(plan, name, arguments.extra, arguments.minutes_per_run)
        except (RuntimeError, OSError) as error:
            failed += 1
            print(f"{label}: FAILED: {error}", flush=True)
            continue
        results.put(plan, name, result)
        write_document(arguments.document, plan, results)
        spent = (time.monotonic() - started) / 60
        print(f"{label}: {plan.metric} {result['metrics'][plan.metric]:.4f} after {spent:.1f} minutes", flush=True)
    return failed


def main() -> int:
    """Parse, do what is asked, return 1 if a run failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plans", nargs="+", type=Path)
    parser.add_argument("--only", nargs="+", default=[], metavar="RUN", help="these runs, and those they need")
    parser.add_argument("--list", action="store_true", help="only say what is left, with its command")
    parser.add_argument("--tables", action="store_true", help="only write the tables again")
    parser.add_argument("--updates", type=int, help="another budget for every run, to try a plan out; needs --results")
    parser.add_argument("--minutes-per-run", type=float, help="give up on a run after this long")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    parser.add_argument("--nice", type=int, default=10, help="how far to give way to other work (default: 10)")
    parser.add_argument("-o", dest="extra", nargs="+", default=[], help="overrides such as Global.device=gpu:0")
    arguments = parser.parse_args()
    if arguments.updates and arguments.results == RESULTS:
        parser.error(f"--updates needs --results other than {RESULTS}, which holds the figures at full budget")
    plans = [read_plan(path, arguments.updates) for path in arguments.plans]
    if unknown := set(arguments.only) - {name for plan in plans for name in plan.runs}:
        parser.error(f"--only: there are no runs {sorted(unknown)}")
    results, failed = Results(arguments.results), 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # runs what must be tidied up
    os.nice(arguments.nice)
    for plan in plans:
        if arguments.list:
            for name in pending(plan, results, arguments.only):
                print(f"{plan.name}/{name}: {shlex.join(plan.command(name, arguments.extra))}")
            continue
        if not arguments.tables:
            failed += work(plan, results, arguments)
        write_document(arguments.document, plan, results)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
