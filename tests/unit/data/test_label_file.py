"""A label file in the making survives being stopped, and keeps what a person has done."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppocr_lite.data.label_file import LabelFile, write_ppocrlabel_cache
from ppocr_lite.errors import DataError


def rows(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_it_appears_when_it_is_finished_and_names_images_from_its_folder(tmp_path: Path) -> None:
    labels = LabelFile(tmp_path / "out" / "Label.txt", {})
    labels.add(tmp_path / "out" / "a.png", "[1]")
    labels.add(tmp_path / "pages" / "ü.png", "[2]")
    assert not labels.path.exists()
    assert labels.finish() == 2
    assert rows(labels.path) == ["a.png\t[1]", "../pages/ü.png\t[2]"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Label.txt"]


def test_an_interrupted_one_is_taken_up_again(tmp_path: Path) -> None:
    first = LabelFile(tmp_path / "Label.txt", {"min_score": 0.5})
    first.add(tmp_path / "a.png", "[1]")
    first.add(tmp_path / "b.png", None)
    first.close()
    with first.part.open("ab") as file:
        file.write(b'["c.png", "[')  # what a kill in the middle of a write leaves
    second = LabelFile(tmp_path / "Label.txt", {"min_score": 0.5})
    assert [tmp_path / name in second for name in ("a.png", "b.png", "c.png")] == [True, True, False]
    second.add(tmp_path / "c.png", "[3]")
    second.finish()
    assert rows(second.path) == ["a.png\t[1]", "c.png\t[3]"]


def test_labels_of_other_settings_are_not_mixed_in(tmp_path: Path) -> None:
    LabelFile(tmp_path / "Label.txt", {"min_score": 0.5}).close()
    with pytest.raises(DataError, match=r"begun with other settings: .*0\.5.*0\.9"):
        LabelFile(tmp_path / "Label.txt", {"min_score": 0.9})


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    (tmp_path / "Label.txt.part").write_text('{"settings": {}}\n[[[\n')
    with pytest.raises(DataError, match="is damaged"):
        LabelFile(tmp_path / "Label.txt", {})


@pytest.mark.parametrize("name", ["a.png", "pages/a.png"])  # as it is written here, and as PPOCRLabel writes it
def test_rows_of_before_stay_as_they_are(name: str, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    path = tmp_path / "pages" / "Label.txt"
    path.write_text(f"{name}\t[corrected]\n")
    labels = LabelFile(path, {})
    assert tmp_path / "pages" / "a.png" in labels
    labels.add(tmp_path / "pages" / "b.png", "[new]")
    labels.finish()
    assert rows(path) == [f"{name}\t[corrected]", "b.png\t[new]"]


def test_a_kill_between_the_renaming_and_the_end_doubles_nothing(tmp_path: Path) -> None:
    labels = LabelFile(tmp_path / "Label.txt", {})
    labels.add(tmp_path / "a.png", "[1]")
    labels.path.write_text("a.png\t[1]\n")
    labels.close()
    again = LabelFile(tmp_path / "Label.txt", {})
    assert again.finish() == 1
    assert rows(again.path) == ["a.png\t[1]"]


@pytest.mark.parametrize("name", ["a\tb.png", "a\nb.png", "a\udcff.png"])
def test_a_name_that_no_label_file_can_hold_is_refused(name: str, tmp_path: Path) -> None:
    labels = LabelFile(tmp_path / "Label.txt", {})
    assert tmp_path / name not in labels
    with pytest.raises(DataError, match="cannot hold that name"):
        labels.add(tmp_path / name, "[]")
    labels.close()


def test_nothing_labelled_leaves_no_file(tmp_path: Path) -> None:
    assert LabelFile(tmp_path / "Label.txt", {}).finish() == 0
    assert list(tmp_path.iterdir()) == []


def test_ppocrlabel_gets_a_cache_with_its_own_names(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    labels = LabelFile(folder / "Label.txt", {})
    labels.add(folder / "a.png", "[1]")
    labels.add(folder / "b.png", "[2]")
    labels.add(tmp_path / "elsewhere.png", "[3]")
    labels.finish()
    (folder / "Cache.cach").write_text("pages/a.png\t[its own]\n")
    assert write_ppocrlabel_cache(labels) == folder / "Cache.cach"
    assert rows(folder / "Cache.cach") == ["pages/a.png\t[its own]", "pages/b.png\t[2]"]


def test_no_cache_for_other_names_and_folders(tmp_path: Path) -> None:
    for name, image in (("train.txt", "a.png"), ("Label.txt", "pages/a.png")):
        labels = LabelFile(tmp_path / name, {})
        labels.add(tmp_path / image, "[1]")
        labels.finish()
        assert write_ppocrlabel_cache(labels) is None
