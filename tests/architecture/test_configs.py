"""Every file in configs/ passes the checks that training starts with."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from ppocr_lite.config import Config
from ppocr_lite.engine.build import load_charset, load_config
from ppocr_lite.engine.run import argument_parser
from tests.scripts import load_script

ROOT = Path(__file__).parents[2]
PLANS = sorted((ROOT / "experiments" / "strategies").glob("*.yml"))
CONFIGS = sorted((ROOT / "configs").rglob("*.yml"))


def check_centres(config: Config) -> None:
    """The centres of a loss are as many as the classes of the dictionary."""
    for item in (config.Loss or {}).get("loss_config_list", ()):
        if "CenterLoss" in item:
            charset = load_charset(config)
            assert charset is not None
            assert item["CenterLoss"]["num_classes"] == charset.num_classes


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_config_loads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = load_config(path)
    check_centres(config)


def test_there_is_a_config_of_each_family() -> None:
    assert {path.relative_to(ROOT).parts[1] for path in CONFIGS} == {"det", "cls", "rec"}


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_every_run_of_a_plan_loads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PPOCR_LITE_DATA", "data")
    plan = load_script("experiments/compare_strategies.py").read_plan(path)
    for name in plan.runs:
        command = plan.command(name)
        source, overrides = plan.runs[name].config, command[command.index("-o") + 1 :]
        if source.startswith("{here}"):  # then a command before the training writes it, from another
            before = argument_parser(None).parse_known_args(shlex.split(plan.runs[name].before[0])[2:])[0]
            source, overrides = before.config, [*before.opt, *overrides]
        config = load_config(source, overrides)
        check_centres(config)
        assert config.Global.max_steps == plan.runs[name].updates
        assert not any("{run:" in part or "{here}" in part for part in command), name


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_every_run_of_a_plan_shows_a_strategy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PPOCR_LITE_DATA", "data")
    plan = load_script("experiments/compare_strategies.py").read_plan(path)
    shown = {entry[side] for entry in plan.strategies for side in ("without", "with")}
    needed = {name for run in plan.runs.values() for name in run.needs}
    assert set(plan.runs) == shown | needed


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_tables_of_a_plan_are_current(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PPOCR_LITE_DATA", "data")
    tool = load_script("experiments/compare_strategies.py")
    plan = tool.read_plan(path)
    text = (ROOT / "experiments" / "strategies.md").read_text(encoding="utf-8")
    shown = text.partition(f"<!-- begin {plan.name} -->")[2].partition(f"<!-- end {plan.name} -->")[0]
    expected = tool.tables(plan, tool.Results(ROOT / "experiments" / "strategies.json"))
    assert shown.strip() == expected.strip(), "run experiments/compare_strategies.py with --tables"
