from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.synth import LineMaker, PageMaker, run, write_lines, write_pages, write_turned
from ppocr_lite.synth.writer import build_maker
from tests.unit.synth.conftest import ASCII


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_two_workers_write_the_bytes_of_one(lines: LineMaker, tmp_path: Path) -> None:
    for workers in (1, 2):
        write_lines(tmp_path / str(workers), 70, lines, seed=4, workers=workers)
    assert content(tmp_path / "1") == content(tmp_path / "2")


def test_another_seed_writes_other_lines(lines: LineMaker, tmp_path: Path) -> None:
    one, two = (write_lines(tmp_path / str(seed), 5, lines, seed).read_text() for seed in (0, 1))
    assert one != two


def test_lines_are_written_as_path_tab_text(lines: LineMaker, tmp_path: Path) -> None:
    rows = [row.split("\t") for row in write_lines(tmp_path, 12, lines).read_text("utf-8").splitlines()]
    assert len(rows) == 12
    for path, text in rows:
        assert text
        assert cv2.imread(str(tmp_path / path)) is not None


def test_turned_lines_are_labelled_0_and_180(lines: LineMaker, tmp_path: Path) -> None:
    rows = [row.split("\t") for row in write_turned(tmp_path, 60, lines).read_text().splitlines()]
    share = sum(label == "180" for _, label in rows) / len(rows)
    assert {label for _, label in rows} == {"0", "180"}
    assert 0.25 < share < 0.75


def test_pages_are_written_with_polygons(pages: PageMaker, tmp_path: Path) -> None:
    rows = [row.split("\t", 1) for row in write_pages(tmp_path, 4, pages).read_text("utf-8").splitlines()]
    labels = [json.loads(label) for _, label in rows]
    assert any(labels)
    assert all(set(each) == {"transcription", "points"} for label in labels for each in label)


def test_a_folder_with_labels_is_not_written_over(lines: LineMaker, tmp_path: Path) -> None:
    write_lines(tmp_path, 1, lines)
    with pytest.raises(DataError, match="exists already"):
        write_lines(tmp_path, 1, lines)


def test_run_reports_its_progress(fonts: object, tmp_path: Path) -> None:
    seen = []
    run("rec", tmp_path, 40, split="all", progress=lambda done, count: seen.append((done, count)))
    assert seen[-1] == (40, 40)
    assert len(seen) > 1


def test_an_unknown_kind_is_refused_with_a_suggestion() -> None:
    with pytest.raises(DataError, match="Did you mean 'det'"):
        build_maker("dett", ASCII)


def test_an_unknown_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        run("rec", tmp_path, 1, lang="klingon")


def test_a_folder_without_fonts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="font"):
        run("rec", tmp_path / "out", 1, fonts=[tmp_path])


def test_the_users_photographs_become_backgrounds(fonts: object, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    green = np.zeros((300, 300, 3), np.uint8)
    green[:, :, 1] = 200
    cv2.imwrite(str(tmp_path / "photos" / "field.png"), green)
    maker = build_maker("det", ASCII, backgrounds=[tmp_path / "photos"], split="all", size=(200, 200), strength=0)
    view = maker.maker.backgrounds
    view.share = 1.0
    image = view.scene(np.random.default_rng(1), 64, 64)
    assert image[:, :, 1].mean() > 100 and image[:, :, 0].max() == 0


def test_a_background_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no background"):
        build_maker("det", ASCII, fonts=[], backgrounds=[tmp_path])
