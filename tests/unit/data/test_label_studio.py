"""What Label Studio exports becomes a label file, and no file outside the folder of the images is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite import cli
from ppocr_lite.data.label_studio import file_below, image_address, read_label_studio, regions
from ppocr_lite.errors import DataError
from ppocr_lite.io import images

EXPORT = Path(__file__).parents[2] / "data" / "label_studio" / "export.json"
SIDES = {"original_width": 200, "original_height": 100}


def rectangle(name: str = "a", **more: Any) -> dict[str, Any]:
    value = {"x": 10, "y": 20, "width": 30, "height": 10, "rotation": 0} | more
    return {"id": name, "type": "rectanglelabels", "value": value} | SIDES


def text(*lines: str, name: str = "a") -> dict[str, Any]:
    return {"id": name, "type": "textarea", "value": {"text": list(lines)}} | SIDES


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """The media folder of the server that wrote the export."""
    for name in ("upload/2/c1c8c6f5-letter.png", "upload/3/61dede2d-letter.png"):
        path = tmp_path / "media" / name
        path.parent.mkdir(parents=True)
        images.write(path, np.full((498, 654, 3), 255, np.uint8))
    return tmp_path / "media"


def write(path: Path, tasks: Any) -> Path:
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return path


def test_an_export_becomes_a_label_file(media: Path) -> None:
    output = media / "train.txt"
    assert cli.main(["convert", "label-studio", str(EXPORT), "--images", str(media), "--output", str(output)]) == 0
    rows = dict(line.split("\t") for line in output.read_text(encoding="utf-8").splitlines())
    assert list(rows) == ["upload/2/c1c8c6f5-letter.png", "upload/3/61dede2d-letter.png"]
    turned, outlined = (json.loads(label) for label in rows.values())
    assert [entry["transcription"] for entry in turned] == [entry["transcription"] for entry in outlined]
    assert turned[0]["transcription"] == "CORRECTED text"
    for one, other in zip(turned, outlined, strict=True):  # a turned rectangle, and the outline of the same line
        assert np.abs(np.array(one["points"]) - other["points"]).max() <= 0.2


def test_regions_are_pixels_and_texts_one_line() -> None:
    found = regions([rectangle(), text("two\nlines", "and more"), rectangle("b", x=50), {"type": "relation"}], "here")
    assert found == [
        {"transcription": "two lines and more", "points": [[20, 20], [80, 20], [80, 30], [20, 30]]},
        {"transcription": "###", "points": [[100, 20], [160, 20], [160, 30], [100, 30]]},
    ]


def test_a_rectangle_is_turned_about_its_corner() -> None:
    (found,) = regions([rectangle(rotation=90)], "here")
    assert found["points"] == [[20, 20], [20, 80], [10, 80], [10, 20]]


def test_a_triangle_gets_four_corners() -> None:
    outline = {"id": "a", "type": "polygon", "value": {"points": [[0, 0], [50, 0], [50, 50]]}} | SIDES
    (found,) = regions([outline], "here")
    assert len(found["points"]) == 4


def test_the_ground_truth_counts_and_else_the_last(tmp_path: Path) -> None:
    images.write(tmp_path / "a.png", np.full((100, 200, 3), 255, np.uint8))

    def annotation(word: str, at: str, **more: Any) -> dict[str, Any]:
        return {"result": [rectangle(), text(word)], "updated_at": at} | more

    done = [annotation("first", "2026-01-01"), annotation("last", "2026-01-03"), annotation("mid", "2026-01-02")]
    skipped = annotation("skipped", "2026-01-09", was_cancelled=True)
    tasks = [
        {"id": 1, "data": {"image": "/a.png"}, "annotations": [*done, skipped]},
        {"id": 2, "data": {"image": "/a.png"}, "annotations": [*done, annotation("x", "2025", ground_truth=True)]},
        {"id": 3, "data": {"image": "/gone.png"}, "annotations": []},
    ]
    pages = list(read_label_studio(write(tmp_path / "export.json", tasks)))
    assert [entries[0]["transcription"] for _, entries in pages] == ["last", "x"]


@pytest.mark.parametrize(
    "address",
    [
        "/data/local-files/?d=../secret.png",
        "/data/local-files/?d=%2e%2e/secret.png",
        "/data/upload/../../secret.png",
        "/data/upload/1/%2e%2e/%2e%2e/%2e%2e/secret.png",
        "upload/../../secret.png",
        "/data/local-files/?d=link.png",
        "/data/local-files/?d=a%00.png",
    ],
)
def test_nothing_outside_is_named(address: str, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="secret|link|null"):
        file_below(root, address)


def test_an_absolute_path_is_one_below_the_folder(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a b.png").write_bytes(b"")
    for address in ("/data/local-files/?d=/scans/a%20b.png", "/data/scans/a%20b.png", "scans/a%20b.png"):
        assert file_below(tmp_path, address) == tmp_path / "scans" / "a b.png"
    assert file_below(tmp_path, "/etc/passwd") is None
    assert file_below(tmp_path, "file:///etc/passwd") is None


def test_the_image_of_a_task_is_found_or_asked_for() -> None:
    assert image_address({"ocr": "/data/upload/1/a.PNG?x=1", "title": "a page"}, "here") == "/data/upload/1/a.PNG?x=1"
    assert image_address({"$undefined$": "a.png"}, "here", "ocr") == "a.png"
    assert image_address({"one": "a.png", "two": "b.png"}, "here", "two") == "b.png"
    with pytest.raises(DataError, match="task 7: which of its data is the image"):
        image_address({"one": "a.png", "two": "b.png"}, "task 7")


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({"data": {}}, "an export is a list of tasks"),
        ([{"id": 1, "image": "a.png"}], "JSON-MIN"),
        ([{"id": 5, "data": {"image": "no.png"}, "annotations": [{"result": []}]}], "task 5: its image is not below"),
        ([{"id": 5, "data": {"image": "a.png"}, "annotations": [{"result": [{"type": "polygon"}]}]}], "not a region"),
    ],
)
def test_what_is_wrong_is_named(tasks: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match=message):
        list(read_label_studio(write(tmp_path / "export.json", tasks)))
    (tmp_path / "export.json").write_text("{")
    with pytest.raises(DataError, match="not an export of Label Studio in JSON"):
        list(read_label_studio(tmp_path / "export.json"))
