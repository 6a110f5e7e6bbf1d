"""Which samples go into which batch: a pure function of (seed, epoch, rank).

Batches hold ``(epoch, index)`` keys, so a dataset can seed each sample's randomness with them:
the result does not depend on the number of workers, and a resumed run repeats it exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Protocol

import numpy as np

Key = tuple[int, int]


class KeyLists(Protocol):
    """Lists of keys, each of which is loaded at once."""

    def __iter__(self) -> Iterator[list[Key]]: ...

    def __len__(self) -> int: ...


class EpochBatches:
    """Batches of keys for one epoch, shuffled, sharded over ranks, able to start in the middle.

    Args:
        length: Number of samples in the dataset.
        batch_size: Samples per batch on one rank.
        seed: With the epoch number, decides the order.
        rank: This process.
        world_size: Number of processes; every rank gets the same number of batches.
        shuffle: False keeps the order of the dataset.
        drop_last: Leave out what does not fill a batch on every rank. Otherwise the last batch is
            smaller, and where the samples do not divide by the ranks the first few come twice.

    Raises:
        ValueError: If not even one batch comes out.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        *,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        shuffle: bool = True,
        drop_last: bool = True,
    ) -> None:
        if length < 1 or batch_size < 1 or (drop_last and length < batch_size * world_size):
            raise ValueError(
                "The dataset must fill at least one batch per rank (or say drop_last: false). "
                f"Received: length={length}, batch_size={batch_size}, world_size={world_size}"
            )
        self.length, self.batch_size, self.seed = length, batch_size, seed
        self.rank, self.world_size = rank, world_size
        self.shuffle, self.drop_last = shuffle, drop_last
        self.epoch, self.start = 0, 0

    def seek(self, epoch: int, start: int = 0) -> None:
        """Continue from batch *start* of *epoch*."""
        self.epoch, self.start = epoch, start

    def __iter__(self) -> Iterator[list[Key]]:
        epoch = self.epoch
        order = np.arange(self.length)
        if self.shuffle:
            order = np.random.default_rng((self.seed, epoch)).permutation(self.length)
        if not self.drop_last:
            order = np.resize(order, -(-self.length // self.world_size) * self.world_size)  # repeats from the front
        mine = order[self.rank :: self.world_size]
        for batch in range(self.start, len(self)):
            chosen = mine[batch * self.batch_size : (batch + 1) * self.batch_size]
            yield [(epoch, int(index)) for index in chosen]

    def __len__(self) -> int:
        if self.drop_last:
            return self.length // (self.batch_size * self.world_size)
        per_rank = -(-self.length // self.world_size)
        return -(-per_rank // self.batch_size)


class Buckets:
    """The keys of several batches at once; what *batches* skips is skipped in whole groups.

    Args:
        batches: The batches of an epoch, from wherever it is told to start.
        size: Batches of a group; the last group of an epoch may be smaller.
    """

    def __init__(self, batches: EpochBatches, size: int) -> None:
        self.batches, self.size = batches, size

    def __iter__(self) -> Iterator[list[Key]]:
        self.batches.seek(self.batches.epoch, self.batches.start // self.size * self.size)
        batches = iter(self.batches)
        while group := list(itertools.islice(batches, self.size)):
            yield list(itertools.chain.from_iterable(group))

    def __len__(self) -> int:
        return -(-len(self.batches) // self.size)
