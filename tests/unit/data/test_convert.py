"""ICDAR label files → ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ppocr_lite.data.convert import convert_icdar_lines, convert_icdar_pages, read_icdar_page
from ppocr_lite.errors import DataError

QUAD = "10,20,30,20,30,40,10,40"
POINTS = [[10, 20], [30, 20], [30, 40], [10, 40]]


@pytest.mark.parametrize(
    "line, text, count",
    [
        (f"{QUAD},Hello", "Hello", 4),
        (f"{QUAD},Hello, world", "Hello, world", 4),
        (f"{QUAD},###", "###", 4),
        (f"{QUAD},2024", "2024", 4),
        (f"{QUAD},", "###", 4),
        (QUAD, "text", 4),
        (",".join(str(v) for v in range(28)), "text", 14),
        (",".join(str(v) for v in range(28)) + ",word", "word", 14),
        (f"\ufeff{QUAD},Hello\r", "Hello", 4),
    ],
)
def test_a_line_is_read(tmp_path: Path, line: str, text: str, count: int) -> None:
    path = tmp_path / "gt.txt"
    path.write_text(line + "\n", encoding="utf-8")
    (region,) = read_icdar_page(path)
    assert region["transcription"] == text
    assert len(region["points"]) == count


def test_numbers_may_be_said_to_be_text(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text(f"{QUAD},12,34\n")
    assert len(read_icdar_page(path)[0]["points"]) == 5
    assert read_icdar_page(path, transcribed=True)[0]["transcription"].endswith("34")


def test_a_text_may_begin_with_numbers_where_the_number_of_points_is_known(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text(f"{QUAD},1,2,3 Go\n{QUAD},12\n{QUAD},###\n{QUAD}\n")
    found = read_icdar_page(path, points=4)
    assert [region["transcription"] for region in found] == ["1,2,3 Go", "12", "###", "text"]
    assert all(region["points"] == POINTS for region in found)
    with pytest.raises(DataError, match=r"gt\.txt:2: expected x1,y1,…,x5,y5"):
        read_icdar_page(path, points=5)


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text(f"{QUAD},one\u2028two\n\x0c\n{QUAD},three\n", encoding="utf-8")
    assert [region["transcription"] for region in read_icdar_page(path)] == ["one\u2028two", "three"]


@pytest.mark.parametrize("line", ["1,2,3,4", "1,2,3,4,5,6,x", "a,b"])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "gt.txt"
    path.write_text(f"{QUAD},ok\n{line}\n")
    with pytest.raises(DataError, match=r"gt\.txt:2: expected x1,y1"):
        read_icdar_page(path)


def test_a_folder_becomes_a_label_file(tmp_path: Path) -> None:
    images, labels, output = tmp_path / "images", tmp_path / "labels", tmp_path / "out" / "train.txt"
    images.mkdir()
    labels.mkdir()
    for name in ("img_1", "img_2"):
        (images / f"{name}.jpg").write_bytes(b"x")
    (labels / "gt_img_1.txt").write_text(f"\ufeff{QUAD},One\n", encoding="utf-8")
    (labels / "img_2.txt").write_text("", encoding="utf-8")
    assert convert_icdar_pages(images, labels, output) == 2
    rows = [line.split("\t") for line in output.read_text().splitlines()]
    assert rows[0][0] == "img_1.jpg"
    assert json.loads(rows[0][1]) == [{"transcription": "One", "points": POINTS}]
    assert json.loads(rows[1][1]) == []


def test_an_image_without_labels_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"a\.png has no label file"):
        convert_icdar_pages(tmp_path, tmp_path, tmp_path / "out.txt")


def test_lines_of_words_become_a_label_file(tmp_path: Path) -> None:
    source, output = tmp_path / "gt.txt", tmp_path / "rec.txt"
    rows = ('word_1.png, "Tiredness"', 'word_2.png, "say \\"hi\\", you"', "word_3.png,plain")
    source.write_text("\ufeff" + "\n".join(rows), encoding="utf-8")
    assert convert_icdar_lines(source, output) == 3
    texts = [line.split("\t")[1] for line in output.read_text().splitlines()]
    assert texts == ["Tiredness", 'say "hi", you', "plain"]


def test_a_wrong_word_line_is_named(tmp_path: Path) -> None:
    source = tmp_path / "gt.txt"
    source.write_text("just a name\n")
    with pytest.raises(DataError, match=r"gt\.txt:1"):
        convert_icdar_lines(source, tmp_path / "rec.txt")
