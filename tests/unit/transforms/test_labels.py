from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ppocr_lite import geometry
from ppocr_lite.charset import Charset
from ppocr_lite.errors import DataError
from ppocr_lite.transforms.labels import ClsLabelEncode, CTCLabelEncode, DetLabelEncode, MultiLabelEncode, read_lines

QUAD = [[0, 0], [30, 0], [30, 9], [0, 9]]


def encode(*regions: tuple[str, list[list[float]]]) -> dict[str, object]:
    label = json.dumps([{"transcription": text, "points": points} for text, points in regions])
    return DetLabelEncode()({"label": label, "path": "page.jpg"})


def test_a_label_file_has_a_line_for_each_line_feed(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes("a\tone\u2028two\r\n \x0c\n\nb\tthree\x85\rfour".encode("utf-8-sig"))
    assert read_lines(path) == [(1, "a\tone\u2028two"), (4, "b\tthree\x85\rfour")]


def test_a_label_file_of_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes("a\t识别\n".encode("gbk"))
    with pytest.raises(DataError, match=r"labels\.txt: the label file cannot be read: .*utf-8"):
        read_lines(path)


def test_quads_and_polygons_may_stand_in_one_set() -> None:
    curve = [[x, abs(x - 30) // 3] for x in range(0, 70, 10)] + [[x, 30] for x in range(60, -10, -10)]
    sample = encode(("a", QUAD), ("b", curve))
    assert [polygon.shape for polygon in sample["polys"]] == [(4, 2), (14, 2)]
    assert all(polygon.dtype == np.float32 for polygon in sample["polys"])
    assert sample["texts"] == ["a", "b"]
    assert sample["ignore_tags"].tolist() == [False, False]


@pytest.mark.parametrize("text", ["###", "*", ""])
def test_illegible_regions_are_ignored(text: str) -> None:
    assert encode((text, QUAD), ("a", QUAD))["ignore_tags"].tolist() == [True, False]


def test_page_without_regions_gives_empty_lists() -> None:
    sample = encode()
    assert sample["polys"] == []
    assert sample["texts"] == []
    assert sample["ignore_tags"].shape == (0,)
    assert sample["ignore_tags"].dtype == bool


@pytest.mark.parametrize("far", [1e17, -1e7])
def test_a_point_no_image_can_have_is_refused(far: float) -> None:
    with pytest.raises(DataError, match=r"page\.jpg: entry 1: a point lies farther than 1e\+06 pixels away"):
        encode(("a", QUAD), ("b", [[0, 0], [far, 0], [30, 9], [0, 9]]))


@pytest.mark.parametrize("points", [[[5, 5]] * 4, [[0, 0], [9, 0], [5, 0], [2, 0]]])
def test_polygon_without_area_is_ignored(points: list[list[float]]) -> None:
    assert encode(("a", points))["ignore_tags"].tolist() == [True]


def test_quad_listed_row_by_row_is_put_in_order() -> None:
    sample = encode(("a", [QUAD[0], QUAD[1], QUAD[3], QUAD[2]]))
    assert sample["polys"][0].tolist() == QUAD
    assert not sample["ignore_tags"][0]


def test_sound_quad_keeps_the_order_of_its_corners() -> None:
    turned = QUAD[2:] + QUAD[:2]
    assert encode(("a", turned))["polys"][0].tolist() == turned


def test_longer_polygon_that_crosses_itself_is_ignored_as_its_hull() -> None:
    star = [[0, 8], [30, 8], [5, 28], [15, 0], [25, 28]]
    sample = encode(("a", star))
    assert sample["ignore_tags"].tolist() == [True]
    assert geometry.is_simple(sample["polys"][0])


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", "not JSON"),
        ("[{", "not JSON"),
        ('{"points": []}', "must be a list"),
        ('[{"transcription": "a"}]', "entry 0 must have"),
        ('[{"transcription": 5, "points": [[0,0],[1,0],[1,1],[0,1]]}]', "'transcription' must be text"),
        ('[{"transcription": "a", "points": [[0,0],[9,0],[9,9]]}]', "entry 0 has 3 points, needs at least 4"),
        ('[{"transcription": "a", "points": [[0,0],[9,0],[9]]}]', "pairs of numbers"),
        ('[{"transcription": "a", "points": [[0,0],[NaN,0],[1,1],[0,1]]}]', "finite"),
        ('[{"transcription": "a", "points": null}]', "entry 0: A polygon must"),
    ],
)
def test_wrong_label_is_refused_with_path_and_entry(label: str, message: str) -> None:
    with pytest.raises(DataError, match=f"page.jpg: .*{message}"):
        DetLabelEncode()({"label": label, "path": "page.jpg"})


def test_ctc_label_is_padded_with_blanks() -> None:
    sample = CTCLabelEncode(Charset("abc"), 5)({"label": "cab"})
    assert sample["label"].tolist() == [3, 1, 2, 0, 0]
    assert sample["label"].dtype == np.int32
    assert sample["length"] == 3
    assert sample["length"].dtype == np.int64
    assert sample["text"] == "cab"


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "needs a text"), ("abcabc", "6 characters"), ("axb", "has no 'x'"), (None, "needs a text")],
)
def test_ctc_refuses_what_it_cannot_train_on(text: str | None, message: str) -> None:
    with pytest.raises(DataError, match=f"line.png: .*{message}"):
        CTCLabelEncode(Charset("abc"), 5)({"label": text, "path": "line.png"})


@pytest.mark.parametrize(("name", "index"), [("0", 0), ("180", 1), (180, 1), ("180\r", 1)])
def test_cls_label_is_the_index_of_the_class(name: object, index: int) -> None:
    label = ClsLabelEncode()({"label": name})["label"]
    assert label == index
    assert label.dtype == np.int64


def test_cls_refuses_an_unknown_class() -> None:
    with pytest.raises(DataError, match=r"line.png: the label must be one of \['0', '180'\]. Received: '90'"):
        ClsLabelEncode()({"label": "90", "path": "line.png"})


def test_a_guided_line_has_a_target_for_each_head() -> None:
    sample = MultiLabelEncode(Charset("abc"), max_text_length=4)({"label": "cab"})
    assert sample["label_ctc"].tolist() == [3, 1, 2, 0]
    assert sample["label_gtc"].tolist() == [2, 6, 4, 5, 3, 0]  # start, the characters, end
    assert (int(sample["length"]), sample["text"]) == (3, "cab")
    assert "label" not in sample


def test_the_longest_text_fits_the_guide() -> None:
    assert MultiLabelEncode(Charset("ab"), max_text_length=3)({"label": "bab"})["label_gtc"].tolist() == [2, 5, 4, 5, 3]
    with pytest.raises(DataError, match="has 4 characters"):
        MultiLabelEncode(Charset("ab"), max_text_length=3)({"label": "baba"})


@pytest.mark.parametrize(
    "points",
    [
        "[[1" + "0" * 400 + ", 0], [9, 0], [9, 9], [0, 9]]",
        "[[1e400, 0], [9, 0], [9, 9], [0, 9]]",
        "[" * 900 + "]" * 900,
    ],
)
def test_points_beyond_all_numbers_are_named_in_short(points: str) -> None:
    label = f'[{{"transcription": "{"x" * 10**6}", "points": {points}}}]'
    with pytest.raises(DataError, match="entry 0|not JSON") as caught:
        DetLabelEncode()({"label": label, "path": "a.png"})
    assert len(str(caught.value)) < 6_000
