"""Samples from label files, LMDB and mixtures; bad samples."""

from __future__ import annotations

import multiprocessing
import os
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


def test_a_missing_image_stops_evaluation_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("none.png\ttext\n")
    with pytest.raises(ImageError, match=r"a\.txt:1: cannot read .*none\.png"):
        SimpleDataSet(str(tmp_path), str(tmp_path / "a.txt"))
    assert "error" in SimpleDataSet(str(tmp_path), str(tmp_path / "a.txt"), training=True)[(0, 0)]


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    """str.splitlines would end the texts at these characters, and take ``   `` for a line."""
    (tmp_path / "a.png").write_bytes(b"a")
    texts = [f"one{character}two" for character in "\u2028\u0085\x0c\x0b\x1c\r"]
    rows = "".join(f"a.png\t{text}\r\n   \n" for text in texts)
    (tmp_path / "a.txt").write_bytes(rows.encode("utf-8-sig"))
    dataset = SimpleDataSet(str(tmp_path), str(tmp_path / "a.txt"))
    assert [dataset[(0, index)]["label"] for index in range(len(dataset))] == texts
    assert [dataset.source((0, index)) for index in range(2)] == [f"{tmp_path / 'a.txt'}:{n}" for n in (1, 3)]


def test_a_sample_has_one_source_in_all_epochs(tmp_path: Path) -> None:
    files = [write_files(tmp_path, "a", 10), write_files(tmp_path, "b", 4), write_files(tmp_path, "c", 7)]
    dataset = SimpleDataSet(str(tmp_path), files, ratio_list=[0.5, 1.0, 0.0], seed=1)
    keys = [(epoch, index) for epoch in range(20) for index in range(len(dataset))]
    sources = {dataset.source(key): dataset[key]["label"] for key in keys}
    assert len(sources) == dataset.pool(19) == 14  # of c nothing is drawn
    assert sources[f"{files[1]}:3"] == "text b2"


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
    assert batch["errors"][f"{labels}:1"] == f"{tmp_path / 'a0.png'}: no good"
    assert "Received: 'no label'" in batch["errors"][f"{labels}:4"]


def test_a_batch_of_bad_samples_only_has_errors() -> None:
    assert Collate()([{"error": "x", "source": "a.txt:1"}]) == {"errors": {"a.txt:1": "x"}}


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


def test_a_label_that_is_not_utf_8_is_a_bad_sample(tmp_path: Path) -> None:
    folder = write_lmdb(tmp_path / "a", ["one", "two"])
    with lmdb.open(str(folder), map_size=1 << 20) as environment, environment.begin(write=True) as records:
        records.put(b"label-000000002", "识别".encode("gbk"))
    with pytest.raises(DataError, match="label-000000002 is not UTF-8"):
        LMDBDataSet(str(folder))[(0, 1)]
    assert LMDBDataSet(str(folder), training=True)[(0, 1)]["source"] == f"{folder}:image-000000002"


def test_two_data_sets_and_a_forked_process_read_one_lmdb_folder(tmp_path: Path) -> None:
    folder = write_lmdb(tmp_path / "a", ["one", "two"])
    first, second = LMDBDataSet(str(folder)), LMDBDataSet(str(tmp_path))
    assert first[(0, 0)]["label"] == second[(0, 0)]["label"] == "one"
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(read_label, (first, 1)) == "two"
    assert first[(0, 1)]["label"] == "two"
    del first, second
    lmdb.open(str(folder)).close()  # nobody holds it any more


def read_label(dataset: LMDBDataSet, index: int) -> str:
    return str(dataset[(0, index)]["label"])


def test_the_pool_of_a_mixture_is_that_of_its_parts(tmp_path: Path) -> None:
    stored = {"name": "SimpleDataSet", "data_dir": str(tmp_path), "label_file_list": write_files(tmp_path, "a", 4)}
    made = {"name": "SynthDataSet", "kind": "rec", "length": 10}
    dataset = MixedDataSet([stored, made, made | {"vary": False}], ratio_list=[1.0, 1.0, 0.5])
    assert [dataset.pool(epoch) for epoch in (0, 2)] == [4 + 10 + 10, 4 + 30 + 10]
    assert [dataset.source((2, index)) for index in (1, 5)] == [f"{tmp_path / 'a.txt'}:2", "synth:rec/2/1"]
    assert dataset.source((2, 14)).startswith("synth:rec/0/")


def test_a_mixture_takes_shares_of_its_parts(tmp_path: Path) -> None:
    nodes = [
        {"name": "SimpleDataSet", "data_dir": str(tmp_path), "label_file_list": write_files(tmp_path, name, 4)}
        for name in "ab"
    ]
    dataset = MixedDataSet(nodes, ratio_list=[1.0, 0.5])
    labels = [dataset[(0, index)]["label"] for index in range(len(dataset))]
    assert Counter(label[5] for label in labels) == {"a": 4, "b": 2}


@pytest.mark.parametrize("name", ["a\0b.png", "/etc/none", "../none.png", "/dev/zero", "", "x" * 300])
@pytest.mark.parametrize("training", [True, False])
def test_a_path_that_leads_to_no_file_is_named(tmp_path: Path, name: str, training: bool) -> None:
    write_files(tmp_path, "a", 1)
    (tmp_path / "in").mkdir()
    labels = tmp_path / "labels.txt"
    labels.write_bytes(f"{name}\ttext\n".encode())
    with pytest.raises((DataError, ImageError), match=r"labels\.txt:1: "):
        SimpleDataSet(str(tmp_path / "in"), str(labels), training=training).read((0, 0))


def test_a_path_may_be_written_in_any_way(tmp_path: Path) -> None:
    write_files(tmp_path, "a", 1)
    (tmp_path / "in").mkdir()
    labels = tmp_path / "labels.txt"
    labels.write_text(f"../a0.png\tone\n{tmp_path}/a0.png\ttwo\n../in/../a..0.png\tthree\n")
    (tmp_path / "a..0.png").write_bytes(b"dots")
    dataset = SimpleDataSet(str(tmp_path / "in"), str(labels))
    assert [dataset[(0, index)]["image"] for index in range(3)] == [b"a0", b"a0", b"dots"]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    labels = tmp_path / "labels.txt"
    labels.write_text("pipe.png\ttext\nzero.png\ttext\n")
    dataset = SimpleDataSet(str(tmp_path), str(labels), training=True)
    for index, name in enumerate(("pipe", "zero")):
        with pytest.raises(
            ImageError, match=rf"labels\.txt:{index + 1}: cannot read .*{name}\.png: there is no such file"
        ):
            dataset.read((0, index))
    with pytest.raises(DataError, match=r"pipe\.png: the label file cannot be read: it is no file"):
        SimpleDataSet(str(tmp_path), str(tmp_path / "pipe.png"))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_an_lmdb_file_that_was_cut_is_an_error(tmp_path: Path, share: float) -> None:
    folder = write_lmdb(tmp_path / "a", [f"text {number}" * 20 for number in range(200)])
    data = (folder / "data.mdb").read_bytes()
    (folder / "data.mdb").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=r"data\.mdb has [\d,]+ of [\d,]+ bytes"):
        LMDBDataSet(str(folder))


@pytest.mark.parametrize("count", [2_000_000_000, 10**30])
def test_more_samples_than_there_are_entries_are_an_error(tmp_path: Path, count: int) -> None:
    with pytest.raises(DataError, match="num-samples"):
        LMDBDataSet(str(write_lmdb(tmp_path / "a", ["one"], count=count)))
