"""Batches of lines of like width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ppocr_lite.data.loader import BucketLoader, Collate, CollateByWidth
from ppocr_lite.data.sampler import Buckets, EpochBatches

WIDTHS = (300, 40, 120, 310, 60, 100, 30, 290)


def line(index: int) -> dict[str, Any]:
    width = WIDTHS[index % len(WIDTHS)]
    return {"image": np.full((3, 32, width), index, np.float32), "label": np.int64(index)}


def load(groups: Buckets) -> Any:
    collate = CollateByWidth(Collate(pad_width=True), 2)

    class Loader:
        def __iter__(self) -> Iterator[dict[str, Any]]:
            for keys in groups:
                yield collate([line(index) for _, index in keys])

    return Loader()


def labels(batches: Sequence[dict[str, Any]]) -> list[list[int]]:
    return [batch["label"].tolist() for batch in batches]


def test_lines_are_dealt_out_by_width() -> None:
    batches = CollateByWidth(Collate(pad_width=True), 2)([line(index) for index in range(8)])["batches"]
    assert labels(batches) == [[6, 1], [4, 5], [2, 7], [0, 3]]
    assert [batch["image"].shape for batch in batches] == [(2, 3, 32, width) for width in (64, 128, 320, 320)]


def test_unusable_lines_are_named_once_and_the_others_dealt_out_evenly() -> None:
    samples = [line(0), {"error": "no such file", "source": "a.txt:2"}, line(1), line(2), line(3)]
    batches = CollateByWidth(Collate(pad_width=True), 2)(samples)["batches"]
    assert [batch["errors"] for batch in batches] == [{"a.txt:2": "no such file"}, {}, {}]
    assert labels(batches) == [[1], [2], [0, 3]]


def test_a_group_without_any_line_still_counts_its_batches() -> None:
    samples = [{"error": "broken", "source": source} for source in "abc"]
    batches = CollateByWidth(Collate(pad_width=True), 2)(samples)["batches"]
    assert batches == [{"errors": dict.fromkeys("abc", "broken")}, {"errors": {}}]


def test_an_epoch_has_every_line_once_and_continues_where_it_was_left() -> None:
    batches = EpochBatches(24, 2, seed=3)
    loader = BucketLoader(batches, 4, load)
    whole = labels(list(loader))
    assert len(whole) == len(batches)
    assert sorted(sum(whole, [])) == list(range(24))
    for start in (1, 4, 7):
        batches.seek(0, start)
        assert labels(list(loader)) == whole[start:]


def test_the_order_of_widths_differs_between_groups_and_epochs() -> None:
    batches = EpochBatches(64, 2, seed=3)
    loader = BucketLoader(batches, 8, load)

    def widths(epoch: int) -> list[int]:
        batches.seek(epoch)
        return [batch["image"].shape[-1] for batch in loader]

    assert widths(0) != sorted(widths(0)) and widths(0) != widths(1)
