"""``ppocr-lite convert``: every format becomes a label file whose paths lead to the images, from its own folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite import cli
from ppocr_lite.data import LMDBDataSet, SimpleDataSet
from ppocr_lite.errors import DataError
from ppocr_lite.io import images
from ppocr_lite.transforms.labels import DetLabelEncode

BOX = [[1, 2], [30, 2], [30, 12], [1, 12]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one picture, ``pages/a.png``."""
    pages = tmp_path / "pages"
    pages.mkdir()
    images.write(pages / "a.png", np.full((20, 40, 3), 230, np.uint8))
    return pages


def converted(kind: str, source: Path, output: Path, *more: str) -> dict[str, Any]:
    """Convert, check that every image is where the file says, and return name → label."""
    assert cli.main(["convert", kind, str(source), "--output", str(output), *more]) == 0
    data = SimpleDataSet(str(output.parent), str(output))
    assert all(data.read((0, index))["image"] for index in range(len(data)))
    rows = [line.split("\t", 1) for line in output.read_text(encoding="utf-8").splitlines()]
    return {name: label for name, label in rows}


def regions(label: str) -> list[tuple[str, list[list[float]]]]:
    return [(region["transcription"], region["points"]) for region in json.loads(label)]


@pytest.mark.parametrize("named", ["pages/a.png", "a.png", "renamed/a.png"])
@pytest.mark.parametrize("output", ["pages/train.txt", "elsewhere/train.txt"])
def test_ppocrlabel(folder: Path, tmp_path: Path, named: str, output: str) -> None:
    entries = [
        {"transcription": "Total", "points": BOX, "difficult": False},
        {"transcription": "smudge", "points": BOX, "difficult": True},
        {"transcription": "待识别", "points": BOX, "difficult": False},
    ]
    (folder / "Label.txt").write_text(f"{named}\t{json.dumps(entries)}\n", encoding="utf-8")
    (tmp_path / output).parent.mkdir(exist_ok=True)
    (label,) = converted("ppocrlabel", folder, tmp_path / output).values()
    assert regions(label) == [("Total", BOX), ("###", BOX), ("###", BOX)]


def test_a_label_file_of_ppocrlabel_may_be_trained_on_as_it_is() -> None:
    entries = [{"transcription": text, "points": BOX, "difficult": text == "b"} for text in ("a", "b", "待识别")]
    sample = DetLabelEncode()({"label": json.dumps(entries)})
    assert sample["ignore_tags"].tolist() == [False, True, True]


def test_lines_of_ppocrlabel(folder: Path, tmp_path: Path) -> None:
    (folder / "crop_img").mkdir()
    for name in ("a_crop_0.jpg", "a_crop_1.jpg"):
        images.write(folder / "crop_img" / name, np.full((10, 30, 3), 230, np.uint8))
    rows = "crop_img/a_crop_0.jpg\tTotal\ncrop_img/a_crop_1.jpg\t待识别\n"
    (folder / "rec_gt.txt").write_text(rows, encoding="utf-8")
    found = converted("ppocrlabel-lines", folder, tmp_path / "lines.txt")
    assert found == {"pages/crop_img/a_crop_0.jpg": "Total"}


@pytest.mark.parametrize("given", [False, True])
def test_voc(folder: Path, tmp_path: Path, given: bool) -> None:
    objects = "".join(
        f"<object><name>text</name>{more}<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>12</ymax></bndbox>"
        "</object>"
        for more in ("", "<difficult>1</difficult>", "<transcription>Total</transcription>")
    )
    source = tmp_path / "Annotations"
    source.mkdir()
    (source / "a.xml").write_text(f"<annotation><filename>a.png</filename>{objects}</annotation>", encoding="utf-8")
    if not given:
        folder.rename(tmp_path / "JPEGImages")
    more = ["--images", str(folder)] if given else []
    (label,) = converted("voc", source, tmp_path / "out" / "train.txt", *more).values()
    assert regions(label) == [("text", BOX), ("###", BOX), ("Total", BOX)]


def test_coco(folder: Path, tmp_path: Path) -> None:
    annotations = [
        {"image_id": 7, "bbox": [1, 2, 29, 10]},
        {"image_id": 7, "segmentation": [[1, 2, 30, 2, 30, 12, 1, 12]], "utf8_string": "Total"},
        {"image_id": 7, "bbox": [1, 2, 29, 10], "legibility": "illegible"},
    ]
    data = {"images": [{"id": 7, "file_name": "a.png"}], "annotations": annotations}
    (folder / "instances.json").write_text(json.dumps(data), encoding="utf-8")
    (label,) = converted("coco", folder / "instances.json", tmp_path / "train.txt").values()
    assert regions(label) == [("text", BOX), ("Total", BOX), ("###", BOX)]


def test_icdar(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "gt_a.txt").write_text("1,2,30,2,30,12,1,12,Total\n", encoding="utf-8")
    found = converted("icdar", tmp_path / "gt", tmp_path / "out" / "train.txt", "--images", str(folder))
    assert {name: regions(label) for name, label in found.items()} == {"../pages/a.png": [("Total", BOX)]}
    (folder / "gt.txt").write_text('a.png, "Total"\n', encoding="utf-8")
    assert converted("icdar-lines", folder / "gt.txt", tmp_path / "lines.txt") == {"pages/a.png": "Total"}


def test_icdar17(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "gt").mkdir()
    quad = "1,2,30,2,30,12,1,12"
    lines = ('0,"No. 1, ""2"""', '1,"hidden"', '0,"###"', "Latin,say, hi", '0,""')
    text = "\ufeff" + "".join(f"{quad},{line}\n" for line in lines)
    (tmp_path / "gt" / "a.txt").write_text(text, encoding="utf-8")
    found = converted("icdar17", tmp_path / "gt", tmp_path / "out" / "train.txt", "--images", str(folder))
    (label,) = found.values()
    assert regions(label) == [(text, BOX) for text in ('No. 1, ""2""', "###", "###", "say, hi", "###")]


def test_lmdb_there_and_back(rec_label_file: Path, tmp_path: Path) -> None:
    folder, back = tmp_path / "lmdb", tmp_path / "back" / "labels.txt"
    assert cli.main(["convert", "to-lmdb", str(rec_label_file), "--output", str(folder)]) == 0
    stored, given = LMDBDataSet(str(folder)), SimpleDataSet(str(rec_label_file.parent), str(rec_label_file))
    keys = [(0, index) for index in range(len(given))]
    assert [stored.read(key)["image"] for key in keys] == [given.read(key)["image"] for key in keys]
    texts = list(converted("lmdb", folder, back).values())
    assert texts == [given.read(key)["label"] for key in keys]
    assert cli.main(["convert", "to-lmdb", str(rec_label_file), "--output", str(folder)]) == cli.FAILED


@pytest.mark.parametrize(
    "kind, name, text",
    [
        ("ppocrlabel", "Label.txt", "a.png"),
        ("ppocrlabel", "Label.txt", "a.png\t[1]"),
        ("ppocrlabel-lines", "rec_gt.txt", "a.png"),
        ("voc", "a.xml", "<annotation><object/></annotation>"),
        ("voc", "a.xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><annotation/>"),
        ("voc", "nothing", ""),
        ("icdar17", "img.txt", "1,2,30,2,30,12,1,12,Total"),
        ("coco", "a.json", "[]"),
        ("to-lmdb", "labels.txt", "nowhere.png\tx"),
    ],
)
def test_what_is_wrong_is_named(
    kind: str, name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "img.png").write_bytes(b"x")
    source = tmp_path if kind in ("voc", "ppocrlabel", "ppocrlabel-lines", "icdar17") else tmp_path / name
    assert cli.main(["convert", kind, str(source), "--output", str(tmp_path / "out")]) == cli.FAILED
    error = capsys.readouterr().err
    assert error.startswith(DataError.__name__) and str(tmp_path) in error
    assert not (tmp_path / "out").exists()
