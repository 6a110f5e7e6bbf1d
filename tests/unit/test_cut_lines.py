"""What tools/cut_lines.py cuts: labelled lines, exact or with the margins of a detector."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from tests.scripts import load_script

LINE = np.array([[20, 30], [120, 30], [120, 50], [20, 50]], np.float32)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_script("tools/cut_lines.py")


@pytest.mark.parametrize("angle", [0, 30, -80])
def test_every_side_moves_out_by_a_share_of_the_height(tool: ModuleType, angle: float) -> None:
    matrix = cv2.getRotationMatrix2D((70.0, 40.0), angle, 1.0)
    turned = cv2.transform(LINE[None], matrix)[0]
    loose = tool.loosen(turned, 0.1, 0.1, np.random.default_rng(0))
    level = cv2.transform(loose[None], cv2.getRotationMatrix2D((70.0, 40.0), -angle, 1.0))[0]
    np.testing.assert_allclose(level, LINE + np.float32([[-2, -2], [2, -2], [2, 2], [-2, 2]]), atol=1e-3)


def test_margins_are_drawn_for_each_side(tool: ModuleType) -> None:
    rng = np.random.default_rng(0)
    moves = np.array([tool.loosen(LINE, -0.1, 0.3, rng) - LINE for _ in range(200)])
    left, top = -moves[:, 0, 0], -moves[:, 0, 1]
    right, bottom = moves[:, 2, 0], moves[:, 2, 1]
    for side in (left, top, right, bottom):
        assert -2 <= side.min() < -1
        assert 5 < side.max() <= 6
    assert abs(np.corrcoef([left, top, right, bottom]) - np.eye(4)).max() < 0.3


def test_lines_are_cut_and_counted(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cv2.imwrite(str(tmp_path / "page.png"), np.full((80, 160, 3), 200, np.uint8))
    regions = [("one", LINE), ("###", LINE + 5), ("字", LINE), ("two", LINE)]
    label = json.dumps([{"transcription": text, "points": points.tolist()} for text, points in regions])
    (tmp_path / "labels.txt").write_text(f"page.png\t{label}\n", encoding="utf-8")
    arguments = ["cut_lines", str(tmp_path / "labels.txt"), "--output", str(tmp_path / "out"), "--margin", "0.5", "0.5"]
    monkeypatch.setattr(sys, "argv", arguments)
    tool.main()
    rows = [row.split("\t") for row in (tmp_path / "out" / "labels.txt").read_text(encoding="utf-8").splitlines()]
    assert [text for _, text in rows] == ["one", "two"]
    for name, _ in rows:
        assert cv2.imread(str(tmp_path / "out" / name)).shape == (40, 120, 3)
