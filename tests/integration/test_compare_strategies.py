"""experiments/compare_strategies.py: equal budgets, nothing done twice, failures named, tables of what is there."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from ppocr_lite.errors import ConfigError
from tests.scripts import load_script

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    module = load_script("experiments/compare_strategies.py")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    return module


@pytest.fixture
def write_plan(tmp_path: Path, write_config: Callable[..., Path], cls_label_file: Path) -> Callable[..., Path]:
    config = str(write_config("cls", cls_label_file))

    def write(**changes: Any) -> Path:
        runs: dict[str, Any] = {
            "base": None,
            "wide": {"overrides": ["Architecture.Backbone.scale=0.5"]},
            "tuned": {"needs": ["base"], "overrides": ["Global.pretrained_model={run:base}"]},
        }
        entry = {"strategy": "Wider", "without": "base", "with": "wide", "published": "+1 %"}
        plan = {"title": "A test", "metric": "acc", "config": config, "updates": 2, "runs": runs, "strategies": [entry]}
        path = tmp_path / "plan.yml"
        path.write_text(yaml.safe_dump(plan | changes, sort_keys=False), encoding="utf-8")
        return path

    return write


def options(tmp_path: Path, *only: str) -> argparse.Namespace:
    document = tmp_path / "strategies.md"
    if not document.exists():
        document.write_text("# Top\n<!-- begin plan -->\nold\n<!-- end plan -->\nBottom\n", encoding="utf-8")
    return argparse.Namespace(only=list(only), extra=[], minutes_per_run=5.0, document=document)


def test_a_plan_is_trained_once_and_its_figures_are_written(
    tool: ModuleType, write_plan: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tool.Results(tmp_path / "results.json")
    plan = tool.read_plan(write_plan())
    assert tool.work(plan, results, options(tmp_path, "tuned")) == 0
    stored = json.loads((tmp_path / "results.json").read_text())["plan"]
    assert set(stored) == {"base", "tuned"}  # what a run needs is done before it
    assert all(0 <= result["metrics"]["acc"] <= 1 and result["updates"] == 2 for result in stored.values())
    assert all(result["megabytes"] > 0 and result["machine"] for result in stored.values())
    capsys.readouterr()
    assert tool.work(plan, results, options(tmp_path, "tuned")) == 0
    assert capsys.readouterr().out == ""
    page = (tmp_path / "strategies.md").read_text(encoding="utf-8")
    assert page.startswith("# Top\n") and page.endswith("Bottom\n") and "old" not in page
    acc = f"{stored['base']['metrics']['acc']:.4f}"
    assert f"| Wider | `base` | {acc} | `wide` | not run yet | +1 % |" in page
    assert "`Architecture.Backbone.scale=0.5`" in page


def test_a_run_may_train_with_a_config_that_is_written_before_it(
    tool: ModuleType, write_plan: Callable[..., Path], tmp_path: Path
) -> None:
    config = tool.read_plan(write_plan()).runs["base"].config
    quantize = f"python tools/quantize.py -c {config} "
    quantize += "-o {common} --batches 1 --weights {run:base} --output {here}/int8"
    int8 = {"config": "{here}/int8/config.yml", "needs": ["base"], "before": [quantize]}
    plan = tool.read_plan(write_plan(runs={"base": None, "int8": int8}, strategies=[], common=["Global.seed=7"]))
    results = tool.Results(tmp_path / "results.json")
    assert tool.work(plan, results, options(tmp_path)) == 0
    written = yaml.safe_load((plan.folder("int8") / "int8" / "config.yml").read_text())
    assert written["Global"]["seed"] == 7  # what all runs change
    assert "quant" in yaml.safe_load((plan.folder("int8") / "config.yml").read_text())["Architecture"]


def test_a_run_that_fails_is_named_and_the_others_are_done(
    tool: ModuleType, write_plan: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {"overrides": ["Global.pretrained_model=absent"]}
    runs = {"broken": broken, "after": {"needs": ["broken"]}, "fine": None}
    plan = tool.read_plan(write_plan(runs=runs, strategies=[], updates=1))
    results = tool.Results(tmp_path / "results.json")
    assert tool.work(plan, results, options(tmp_path)) == 1
    shown = capsys.readouterr().out
    assert "plan/broken: FAILED: status" in shown and "No weights at absent" in shown
    assert "plan/after: left out, for it needs broken" in shown
    assert list(results.read()["plan"]) == ["fine"]


def test_what_changes_a_run_makes_it_another(tool: ModuleType, write_plan: Callable[..., Path], tmp_path: Path) -> None:
    before = tool.read_plan(write_plan())
    config = Path(before.runs["base"].config)
    config.write_text(f"# a comment\n{config.read_text()}")
    same = tool.read_plan(write_plan())
    assert [same.fingerprint(name) for name in same.runs] == [before.fingerprint(name) for name in before.runs]
    longer = tool.read_plan(write_plan(), updates=3)
    assert all(longer.fingerprint(name) != before.fingerprint(name) for name in before.runs)
    results = tool.Results(tmp_path / "results.json")
    results.put(before, "base", {"fingerprint": before.fingerprint("base"), "metrics": {"acc": 0.5}})
    assert list(tool.pending(before, results, [])) == ["wide", "tuned"]
    assert list(tool.pending(longer, results, ["wide"])) == ["wide"]
    runs = {"base": {"overrides": ["Global.seed=9"]}, "tuned": {"needs": ["base"]}}
    other = tool.read_plan(write_plan(runs=runs, strategies=[]))
    assert other.fingerprint("tuned") != before.fingerprint("tuned")  # it builds upon another one


def test_data_are_made_once_and_appear_when_they_are_complete(
    tool: ModuleType, write_plan: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).mkdir(); print('made')"
    plan = tool.read_plan(write_plan(data={str(folder): f'python -c "{script}" {{folder}}'}))
    log = tmp_path / "data.log"
    tool.make_data(plan, log)
    tool.make_data(plan, log)
    assert folder.is_dir()
    assert log.read_text() == "made\n"
    assert not (tmp_path / "data.draft").exists()


def test_a_command_that_takes_too_long_is_ended(tool: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not done after 0.005 minutes"):
        tool.call(["python", "-c", "import time; time.sleep(60)"], tmp_path / "log", 0.005)


def test_minutes_are_those_of_the_updates(tool: ModuleType, tmp_path: Path) -> None:
    rows = [
        {"event": "log", "step": 10, "avg_batch_cost": 3.0},
        {"event": "eval", "step": 10, "acc": 1.0},
        {"event": "log", "step": 20, "avg_batch_cost": 9.0},  # interrupted, and logged again afterwards
        {"event": "log", "step": 20, "avg_batch_cost": 6.0},
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert tool.training_minutes(tmp_path / "log.jsonl") == pytest.approx((10 * 3 + 10 * 6) / 60)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"colour": "red"}, "must be a mapping of"),
        ({"runs": {"a": {"overides": []}}, "strategies": []}, "runs.a has unknown keys"),
        ({"runs": {"a": {"needs": ["b"]}, "b": None}, "strategies": []}, "which must stand above it"),
        ({"strategies": [{"strategy": "x", "without": "base", "with": "y", "published": ""}]}, "two runs"),
    ],
)
def test_a_plan_with_a_mistake_is_refused(
    tool: ModuleType, write_plan: Callable[..., Path], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        tool.read_plan(write_plan(**changes))
