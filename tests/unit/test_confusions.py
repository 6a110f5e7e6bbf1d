"""tools/confusions.py counts the edits between what is written and what is read."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.scripts import load_script


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_script("tools/confusions.py")


@pytest.mark.parametrize(
    ("written", "read", "pairs"),
    [
        ("abc", "abc", []),
        ("O0l", "00l", [("O", "0")]),
        ("a b", "ab", [(" ", "")]),
        ("ab", "a.b", [("", ".")]),
        ("", "x", [("", "x")]),
    ],
)
def test_each_edit_is_a_pair(tool: ModuleType, written: str, read: str, pairs: list[tuple[str, str]]) -> None:
    assert tool.confusions(written, read) == pairs


def test_a_table_shows_spaces_and_bars(tool: ModuleType) -> None:
    assert [tool.shown(c) for c in ("", " ", "|", "a")] == ["nothing", "space", "`\\|`", "`a`"]
