"""Samples from label files, LMDB and mixtures; bad samples."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest

from ppocr_lite.data import Collate, LMDBDataSet, MixedDataSet, SimpleDataSet
from ppocr_lite.errors import ConfigError, DataError, ImageError
from ppocr_lite.transforms.base import Sample


def write_files(folder: Path, name: str, count: int) -> str:
    for index in range(count):
        (folder / f"{name}{index}.png").write_bytes(f"{name}{index}".encode())
    lines = "".join(f"{name}{index}.png\ttext {name}{index}\n" for index in range(count))
    (folder / f"{name}.txt").write_text("\ufeff" + lines, encoding="utf-8")
    return str(folder / f"{name}.txt")


def keep_rng(sample: Sample) -> Sample:
    return sample | {"draw": sample["rng"].integers(1 << 30)}


def test_a_line_gives_bytes_label_and_path(tmp_path: Path) -> None:
    dataset = SimpleDataSet(str(tmp_path), write_files(tmp_path, "a", 2))
    assert len(dataset) == 2
    assert dataset[(0, 1)] == {"image": b"a1", "label": "text a1", "path": str(tmp_path / "a1.png")}


def test_randomness_is_a_function_of_seed_epoch_and_index(tmp_path: Path) -> None:
    labels = write_files(tmp_path, "a", 2)
    one, two = (SimpleDataSet(str(tmp_path), labels, transforms=keep_rng, seed=5, training=True) for _ in range(2))
    assert one[(3, 1)]["draw"] == two[(3, 1)]["draw"]
    assert len({one[key]["draw"] for key in ((0, 0), (0, 1), (1, 0))}) == 3


def test_training_offers_another_sample(tmp_path: Path) -> None:
    def mix(sample: Sample) -> Sample:
        return {"other": sample["another"](sample["rng"])["label"]}

    dataset = SimpleDataSet(str(tmp_path), write_files(tmp_path, "a", 9), transforms=mix, training=True)
    assert len({dataset[(0, index)]["other"] for index in range(9)}) > 2


def test_ratios_take_another_share_each_epoch(tmp_path: Path) -> None:
    files = [write_files(tmp_path, "a", 10), write_files(tmp_path, "b", 4)]
    dataset = SimpleDataSet(str(tmp_path), files, ratio_list=[0.5, 1.0], seed=1)
    epochs = [[dataset[(epoch, index)]["label"] for index in range(len(dataset))] for epoch in range(2)]
    assert len(dataset) == 9
    for labels in epochs:
        assert len(set(labels)) == 9
        assert labels[5:] == [f"text b{index}" for index in range(4)]
    assert set(epochs[0]) != set(epochs[1])


def test_a_ratio_above_one_repeats(tmp_path: Path) -> None:
    dataset = SimpleDataSet(str(tmp_path), write_files(tmp_path, "a", 3), ratio_list=2.0)
    counts = Counter(dataset[(0, index)]["label"] for index in range(len(dataset)))
    assert counts == {"text a0": 2, "text a1": 2, "text a2": 2}


@pytest.mark.parametrize("ratios", [[1.0, 1.0], [-1.0]])
def test_wrong_ratios_are_refused(tmp_path: Path, ratios: list[float]) -> None:
    with pytest.raises(ConfigError, match="ratio_list must"):
        SimpleDataSet(str(tmp_path), [write_files(tmp_path, "a", 1)], ratio_list=ratios)


def test_a_line_without_a_label_stops_evaluation_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x.png\tgood\nbad line\n")
    with pytest.raises(DataError, match=r"a\.txt:2: a line must be path.*Received: 'bad line'"):
        SimpleDataSet(str(tmp_path), str(tmp_path / "a.txt"))


def test_a_missing_label_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.txt: the label file cannot be read"):
        SimpleDataSet(str(tmp_path), str(tmp_path / "none.txt"))


def test_a_missing_image_stops_evaluation(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("none.png\ttext\n")
    with pytest.raises(ImageError, match=r"a\.txt:1: cannot read .*none\.png"):
        SimpleDataSet(str(tmp_path), str(tmp_path / "a.txt"))[(0, 0)]


def test_a_bad_sample_is_left_out_of_a_training_batch_and_named(tmp_path: Path) -> None:
    def refuse(sample: Sample) -> Sample:
        if sample["label"].endswith("a0"):
            raise DataError("no good")
        return {"value": np.float32(1)}

    labels = Path(write_files(tmp_path, "a", 3))
    labels.write_text(labels.read_text(encoding="utf-8") + "no label\n", encoding="utf-8")
    dataset = SimpleDataSet(str(tmp_path), str(labels), transforms=refuse, training=True)
    batch = Collate()([dataset[(0, index)] for index in range(4)])
    assert batch["value"].shape == (2,)
    assert batch["errors"][0] == f"{tmp_path / 'a0.png'}: no good"
    assert "a.txt:4" in batch["errors"][1]


def test_a_batch_of_bad_samples_only_has_errors() -> None:
    assert Collate()([{"error": "x"}]) == {"errors": ["x"]}


def test_lines_are_padded_to_one_width() -> None:
    images: list[dict[str, Any]] = [{"image": np.ones((3, 32, width), np.float32)} for width in (40, 70)]
    batch = Collate(pad_width=True)(images)["image"]
    assert batch.shape == (2, 3, 32, 96)
    assert batch[0, :, :, 40:].max() == 0


def test_images_of_two_shapes_are_refused_elsewhere() -> None:
    with pytest.raises(DataError, match="must have one shape"):
        Collate()([{"image": np.ones((3, 8, 8))}, {"image": np.ones((3, 8, 9))}])


def test_what_has_no_one_shape_is_listed() -> None:
    batch = Collate()([{"polys": [1], "text": "a", "n": np.int64(2)}, {"polys": [1, 2], "text": "b", "n": np.int64(3)}])
    assert batch["polys"] == [[1], [1, 2]]
    assert batch["text"] == ["a", "b"]
    assert batch["n"].tolist() == [2, 3]


def write_lmdb(folder: Path, labels: list[str], count: int | None = None) -> Path:
    folder.mkdir(parents=True)
    with lmdb.open(str(folder), map_size=1 << 20) as environment, environment.begin(write=True) as records:
        records.put(b"num-samples", str(len(labels) if count is None else count).encode())
        for number, label in enumerate(labels, 1):
            records.put(f"image-{number:09d}".encode(), label.encode())
            records.put(f"label-{number:09d}".encode(), label.encode())
    return folder


def test_lmdb_folders_are_read_in_order(tmp_path: Path) -> None:
    write_lmdb(tmp_path / "b", ["three"])
    write_lmdb(tmp_path / "a" / "deep", ["one", "two"])
    dataset = LMDBDataSet(str(tmp_path))
    assert [dataset[(0, index)]["label"] for index in range(3)] == ["one", "two", "three"]


def test_a_missing_lmdb_record_is_named(tmp_path: Path) -> None:
    dataset = LMDBDataSet(str(write_lmdb(tmp_path / "a", ["one"], count=2)))
    with pytest.raises(DataError, match="record 000000002 has no image"):
        dataset[(0, 1)]


def test_a_folder_without_lmdb_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no LMDB folder"):
        LMDBDataSet(str(tmp_path))


def test_a_mixture_takes_shares_of_its_parts(tmp_path: Path) -> None:
    nodes = [
        {"name": "SimpleDataSet", "data_dir": str(tmp_path), "label_file_list": write_files(tmp_path, name, 4)}
        for name in "ab"
    ]
    dataset = MixedDataSet(nodes, ratio_list=[1.0, 0.5])
    labels = [dataset[(0, index)]["label"] for index in range(len(dataset))]
    assert Counter(label[5] for label in labels) == {"a": 4, "b": 2}
