"""tools/eval_system.py: whole pages against a list that marks lines, or words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from ppocr_lite import OCR
from ppocr_lite.io import images

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the released models read on a page, as lists of its lines and of its words."""
    folder = tmp_path_factory.mktemp("page")
    image = images.read(ROOT / "doc" / "samples" / "letter.tif")
    cv2.imwrite(str(folder / "page.png"), image)
    page = OCR().ocr(image)
    regions = {
        "lines": [(line.polygon.tolist(), line.text) for line in page],
        "words": [(word.polygon, word.text) for line in page for word in line.words],
    }
    assert len(regions["words"]) > 3 * len(regions["lines"]) > 0
    for name, found in regions.items():
        label = json.dumps([{"transcription": text, "points": points} for points, text in found])
        (folder / f"{name}.txt").write_text(f"page.png\t{label}\n", encoding="utf-8")
    return {name: folder / f"{name}.txt" for name in regions}


@pytest.mark.parametrize("marks", ["lines", "words"])
@pytest.mark.parametrize("asked", ["lines", "words"])
def test_a_page_is_right_where_the_list_marks_what_is_compared(lists: dict[str, Path], marks: str, asked: str) -> None:
    command = [sys.executable, "tools/eval_system.py", str(lists[marks]), *(["--words"] if asked == "words" else [])]
    figures = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    assert figures["word_f1"] == 1.0
    if marks == asked:
        assert (figures["f1"], figures["cer"]) == (1.0, 0.0)
    else:
        assert figures["f1"] < 0.5


def test_lines_without_places_are_compared_with_the_likest(lists: dict[str, Path]) -> None:
    folder = lists["lines"].parent
    first = [line.text for line in OCR().ocr(folder / "page.png")][:2]
    expected = folder / "expected.json"
    expected.write_text(json.dumps({"page.png": [*first, "§§§§"]}), encoding="utf-8")
    command = [sys.executable, "tools/eval_system.py", str(expected)]
    figures = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    assert (figures["lines"], figures["exact"]) == (3, pytest.approx(2 / 3))
    assert figures["similarity"] == pytest.approx(2 / 3)
