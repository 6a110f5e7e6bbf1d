"""Batches are a function of (seed, epoch, rank)."""

from __future__ import annotations

import pytest

from ppocr_lite.data.sampler import Buckets, EpochBatches


def indices(batches: EpochBatches) -> list[int]:
    return [index for batch in batches for _, index in batch]


def test_an_epoch_repeats_and_epochs_differ() -> None:
    batches = EpochBatches(20, 4, seed=1)
    first = list(batches)
    assert first == list(batches)
    batches.seek(1)
    assert {epoch for batch in batches for epoch, _ in batch} == {1}
    assert indices(batches) != [index for batch in first for _, index in batch]


def test_seek_continues_in_mid_epoch() -> None:
    batches = EpochBatches(20, 4, seed=1)
    whole = list(batches)
    batches.seek(0, 3)
    assert list(batches) == whole[3:]


def test_ranks_share_the_samples() -> None:
    parts = [set(indices(EpochBatches(24, 4, seed=1, rank=rank, world_size=3))) for rank in range(3)]
    assert set.union(*parts) == set(range(24))
    assert sum(map(len, parts)) == 24


@pytest.mark.parametrize("length, world_size, expected", [(10, 1, [4, 4, 2]), (9, 2, [4, 1]), (3, 1, [3])])
def test_the_last_batch_may_be_smaller(length: int, world_size: int, expected: list[int]) -> None:
    for rank in range(world_size):
        batches = EpochBatches(length, 4, rank=rank, world_size=world_size, drop_last=False)
        assert [len(batch) for batch in batches] == expected
        assert len(batches) == len(expected)


def test_no_sample_is_lost_without_drop_last() -> None:
    parts = [set(indices(EpochBatches(11, 4, rank=rank, world_size=2, drop_last=False))) for rank in range(2)]
    assert set.union(*parts) == set(range(11))


def test_the_order_may_be_kept() -> None:
    assert indices(EpochBatches(6, 2, shuffle=False)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("length, drop_last", [(3, True), (0, False)])
def test_an_epoch_without_a_batch_is_refused(length: int, drop_last: bool) -> None:
    with pytest.raises(ValueError, match="must fill at least one batch"):
        EpochBatches(length, 4, drop_last=drop_last)


def test_a_group_holds_the_keys_of_its_batches() -> None:
    batches = EpochBatches(22, 4, seed=1, drop_last=False)
    whole = list(batches)
    groups = Buckets(batches, 4)
    assert list(groups) == [sum(whole[:4], []), sum(whole[4:], [])]
    assert len(groups) == 2


def test_a_group_is_loaded_whole_when_training_goes_on_in_its_middle() -> None:
    batches = EpochBatches(40, 4, seed=1)
    groups = Buckets(batches, 4)
    whole = list(groups)
    batches.seek(0, 6)
    assert list(groups) == whole[1:]
