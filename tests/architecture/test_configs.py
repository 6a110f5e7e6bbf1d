"""Every file in configs/ passes the checks that training starts with."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppocr_lite.engine.build import load_config

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").rglob("*.yml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_config_loads(path: Path, installed_engine: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert load_config(path, installed_engine)


def test_there_is_a_config_of_each_family() -> None:
    assert {path.parent.name for path in CONFIGS} == {"det", "cls", "rec"}
