"""CopyPaste: what it pastes, where, and where the other page comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import lmdb
import numpy as np
import pytest
from shapely.geometry import Polygon

from ppocr_lite.data import LMDBDataSet, MixedDataSet, SimpleDataSet
from ppocr_lite.data.base import RAW_KEYS, TRAINING_KEYS
from ppocr_lite.data.synthetic import SynthDataSet
from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.base import Compose, Sample
from ppocr_lite.transforms.copy_paste import CopyPaste
from ppocr_lite.transforms.decode import DecodeImage
from ppocr_lite.transforms.labels import DetLabelEncode

SEEDS = range(25)


def box(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], dtype=np.float32)


def make_page(value: int, polys: list[np.ndarray], ignored: tuple[int, ...] = ()) -> Sample:
    return {
        "image": np.full((200, 240, 3), value, dtype=np.uint8),
        "polys": polys,
        "texts": [f"{value}-{index}" for index in range(len(polys))],
        "ignore_tags": np.array([index in ignored for index in range(len(polys))], dtype=bool),
    }


def make_sample(seed: int, other: Sample | None = None) -> Sample:
    """A black page with three texts, the third ignored; the other one is white with five."""
    page = make_page(0, [box(20, 20, 90, 30), box(30, 80, 60, 25), box(130, 90, 80, 60)], ignored=(2,))
    texts = [box(5 + 10 * index, 10 + 35 * index, 40, 14) for index in range(4)]
    slanted = np.array([[150, 20], [200, 40], [196, 58], [170, 60], [146, 38]], dtype=np.float32)
    other = other or make_page(255, [*texts, slanted])
    return page | {"ext_data": [other], "rng": np.random.default_rng(seed)}


def paste(seed: int, **arguments: Any) -> Sample:
    return CopyPaste(**{"objects_paste_ratio": 1.0, "scale_ratio": (0.5, 1.5)} | arguments)(make_sample(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_covers_text_or_an_ignored_region(seed: int) -> None:
    polygons = [Polygon(points) for points in paste(seed)["polys"]]
    assert len(polygons) > 3
    for index, polygon in enumerate(polygons[3:], 3):
        assert all(polygon.intersection(other).area == 0 for other in polygons[:index])


@pytest.mark.parametrize("seed", SEEDS)
def test_pasted_text_stays_on_the_page(seed: int) -> None:
    for polygon in paste(seed)["polys"]:
        assert polygon.dtype == np.float32
        assert (polygon >= 0).all()
        assert (polygon <= (239, 199)).all()


def test_labels_are_extended() -> None:
    before, after = make_sample(1), paste(1)
    count = len(after["polys"])
    assert all(np.array_equal(a, b) for a, b in zip(before["polys"], after["polys"], strict=False))
    assert after["texts"][:3] == before["texts"]
    assert set(after["texts"][3:]) <= set(before["ext_data"][0]["texts"])
    assert len(after["texts"]) == len(set(after["texts"])) == count > 3
    assert after["ignore_tags"].tolist() == [False, False, True] + [False] * (count - 3)


def test_the_pixels_of_a_text_are_those_within_its_polygon() -> None:
    after = paste(2)
    pasted = np.zeros((200, 240), dtype=np.uint8)
    for polygon in after["polys"][3:]:
        cv2.fillPoly(pasted, [np.round(polygon).astype(np.int32)], 255)
    white = after["image"].min(axis=2)
    assert set(np.unique(white)) == {0, 255}
    near = cv2.dilate(pasted, np.ones((3, 3), np.uint8))
    core = cv2.erode(pasted, np.ones((3, 3), np.uint8))
    assert ((core <= white) & (white <= near)).all()


def test_the_image_moves_as_the_polygon_does() -> None:
    other = make_page(0, [box(20, 30, 80, 20)])
    other["image"][30:50, 20:40] = (0, 0, 255)  # the beginning of the text is red
    other["image"][30:50, 60:100] = (0, 255, 0)
    for seed in SEEDS:
        sample = make_sample(seed, other)
        after = CopyPaste(scale_ratio=(0.8, 1.2), max_degrees=180)(sample)
        for top_left, top_right, bottom_right, bottom_left in after["polys"][3:]:
            left, right = (top_left + bottom_left) / 2, (top_right + bottom_right) / 2
            start, end = (np.round(left + share * (right - left)).astype(int) for share in (0.1, 0.8))
            assert after["image"][start[1], start[0]].tolist() == [0, 0, 255]
            assert after["image"][end[1], end[0]].tolist() == [0, 255, 0]


def test_equal_generators_give_equal_pages() -> None:
    first, second, third = paste(3), paste(3), paste(4)
    assert np.array_equal(first["image"], second["image"])
    assert all(np.array_equal(a, b) for a, b in zip(first["polys"], second["polys"], strict=True))
    assert not np.array_equal(first["image"], third["image"])


def test_the_input_is_untouched() -> None:
    sample = make_sample(5)
    other = sample["ext_data"][0]
    CopyPaste(objects_paste_ratio=1.0)(sample)
    assert (sample["image"] == 0).all()
    assert (other["image"] == 255).all()
    assert (len(sample["polys"]), len(sample["texts"]), len(sample["ignore_tags"])) == (3, 3, 3)
    assert len(other["polys"]) == 5


OUTSIDE = make_page(255, [box(-5, 5, 40, 20)])
EMPTY = {
    "no text": make_page(255, []),
    "only ignored regions": make_page(255, [box(5, 5, 40, 20)], ignored=(0,)),
    "only a text that is cut off": OUTSIDE,
    "only a text without room": make_page(255, [box(0, 0, 239, 199)]),
}


@pytest.mark.parametrize("other", EMPTY.values(), ids=EMPTY)
def test_with_nothing_to_paste_the_sample_stays_as_it_is(other: Sample) -> None:
    sample = make_sample(0, other)
    after = CopyPaste(scale_ratio=(1.0, 1.0))(sample)
    assert after.keys() == sample.keys() - {"ext_data"}
    assert np.array_equal(after["image"], sample["image"])
    assert len(after["polys"]) == len(after["texts"]) == len(after["ignore_tags"]) == 3


def test_a_share_of_nothing_pastes_nothing() -> None:
    assert len(paste(0, objects_paste_ratio=0.0)["polys"]) == 3


def test_a_small_share_pastes_one() -> None:
    assert len(paste(0, objects_paste_ratio=0.01)["polys"]) == 4


def test_a_page_without_text_gets_some() -> None:
    sample = make_sample(0) | {"polys": [], "texts": [], "ignore_tags": np.zeros(0, dtype=bool)}
    after = CopyPaste(objects_paste_ratio=1.0, scale_ratio=(0.5, 1.0))(sample)
    assert len(after["polys"]) == len(after["ignore_tags"]) == 5


def test_without_the_limit_text_may_be_covered_but_no_ignored_region() -> None:
    covered = 0
    for seed in SEEDS:
        polygons = [Polygon(points) for points in paste(seed, limit_paste=False)["polys"]]
        assert all(polygon.intersection(polygons[2]).area == 0 for polygon in polygons[3:])
        covered += sum(polygon.intersects(polygons[0]) for polygon in polygons[3:])
    assert covered > 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"objects_paste_ratio": 1.5},
        {"flip_ratio": -0.1},
        {"scale_ratio": (0.0, 1.0)},
        {"scale_ratio": (2.0, 1.0)},
        {"max_degrees": 181},
        {"max_tries": 0},
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="CopyPaste needs"):
        CopyPaste(**arguments)


# Where the other page comes from.


def make_chain() -> Compose:
    steps = [DecodeImage(), DetLabelEncode(), CopyPaste(objects_paste_ratio=1.0, scale_ratio=(0.5, 1.0))]
    return Compose(steps, available=(*RAW_KEYS, *TRAINING_KEYS))


def make_records(count: int) -> list[tuple[bytes, str]]:
    """Pages of one text each, in a grey of their own."""
    image = [cv2.imencode(".png", np.full((120, 160, 3), 20 * index, dtype=np.uint8))[1] for index in range(count)]
    points = box(10, 10, 40, 15).tolist()
    return [(image[i].tobytes(), json.dumps([{"transcription": f"t{i}", "points": points}])) for i in range(count)]


def make_simple(folder: Path, **arguments: Any) -> SimpleDataSet:
    lines = []
    for index, (image, label) in enumerate(make_records(4)):
        (folder / f"{index}.png").write_bytes(image)
        lines.append(f"{index}.png\t{label}\n")
    (folder / "train.txt").write_text("".join(lines), encoding="utf-8")
    return SimpleDataSet(str(folder), str(folder / "train.txt"), **arguments)


def make_lmdb(folder: Path, **arguments: Any) -> LMDBDataSet:
    with lmdb.open(str(folder / "lmdb"), map_size=1 << 22) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"num-samples", b"4")
        for index, (image, label) in enumerate(make_records(4), 1):
            transaction.put(f"image-{index:09d}".encode(), image)
            transaction.put(f"label-{index:09d}".encode(), label.encode())
    return LMDBDataSet(str(folder / "lmdb"), **arguments)


def make_mixed(folder: Path, **arguments: Any) -> MixedDataSet:
    make_simple(folder)
    node = {"name": "SimpleDataSet", "data_dir": str(folder), "label_file_list": str(folder / "train.txt")}
    return MixedDataSet([node, node], **arguments)


def make_synth(folder: Path, **arguments: Any) -> SynthDataSet:
    return SynthDataSet("det", 4, page_size=(320, 320), **arguments)


@pytest.mark.parametrize("make", [make_simple, make_lmdb, make_mixed, make_synth])
def test_every_data_set_gives_the_other_page(tmp_path: Path, make: Any) -> None:
    dataset = make(tmp_path, transforms=make_chain(), seed=3, training=True)
    longer = 0
    for index in range(4):
        first, second = dataset[(0, index)], dataset[(0, index)]
        assert first["texts"] == second["texts"]
        assert np.array_equal(first["image"], second["image"])
        assert "ext_data" not in first
        longer += len(first["polys"]) > len(json.loads(first["label"]))
    assert longer > 0


def test_another_epoch_pastes_another_text(tmp_path: Path) -> None:
    dataset = make_simple(tmp_path, transforms=make_chain(), training=True)
    assert len({dataset[(epoch, 0)]["texts"][1] for epoch in range(10)}) > 1


def test_two_steps_that_mix_may_follow_one_another(tmp_path: Path) -> None:
    steps = [*make_chain().steps, CopyPaste(objects_paste_ratio=1.0, scale_ratio=(0.5, 1.0))]
    chain = Compose(steps, available=(*RAW_KEYS, *TRAINING_KEYS))
    assert len(make_simple(tmp_path, transforms=chain, training=True)[(0, 0)]["texts"]) > 2


def test_a_broken_other_page_is_named(tmp_path: Path) -> None:
    dataset = make_simple(tmp_path, transforms=make_chain(), training=True)
    for index in (1, 2, 3):
        (tmp_path / f"{index}.png").write_bytes(b"broken")
    errors = [found["error"] for epoch in range(10) if "error" in (found := dataset[(epoch, 0)])]
    assert errors
    assert all(any(f"{index}.png" in error for index in (1, 2, 3)) for error in errors)


def test_evaluation_has_no_other_page() -> None:
    with pytest.raises(ConfigError, match=r"transforms\[2\] CopyPaste needs \['ext_data', 'rng'\]"):
        Compose(make_chain().steps, available=RAW_KEYS)
