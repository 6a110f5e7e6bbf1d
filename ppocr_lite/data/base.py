"""The registry of data sets and what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ppocr_lite.data.sampler import Key
from ppocr_lite.errors import DataError, ImageError
from ppocr_lite.registry import Registry
from ppocr_lite.transforms.base import Sample

Chain = Callable[[Sample], Sample]

# Indexable by (epoch, index); each item is a sample dict.
DATASETS: Registry[Any] = Registry("dataset", runtime=("transforms", "seed", "training"))

# Keys of a raw sample, and those that training adds: the generator of the sample's random changes, and a function
# ``another(rng)`` that returns another raw sample of the same data set, for transforms that mix two.
RAW_KEYS = ("image", "label", "path")
TRAINING_KEYS = ("rng", "another")


class Dataset:
    """Reads raw samples by (epoch, index) and runs them through the transforms.

    In training a sample that cannot be read or used becomes ``{"error": message, "source": where it is stored}``: the
    collate leaves it out and reports it.  In evaluation the error is raised, so a metric never leaves a sample out.

    Args:
        transforms: The chain, or None for raw samples.
        seed: With epoch and index, seeds ``sample["rng"]``.
        training: Whether samples get ``rng`` and ``another``.
    """

    def __init__(self, transforms: Chain | None, seed: int, training: bool) -> None:
        self.transforms, self.seed, self.training = transforms, seed, training

    def __len__(self) -> int:
        """Return the number of samples of one epoch."""
        raise NotImplementedError

    def pool(self, epoch: int) -> int:
        """Return the number of different samples that are drawn from up to the end of *epoch*."""
        raise NotImplementedError

    def source(self, key: Key) -> str:
        """Return where the sample of *key* is stored: the same in every epoch that draws it."""
        raise NotImplementedError

    def read(self, key: Key) -> Sample:
        """Return the raw sample: ``image``, ``label``, ``path``.

        Raises:
            DataError: If the label or the stored record is wrong.
            ImageError: If there is no such image.
        """
        raise NotImplementedError

    def __getitem__(self, key: Key) -> Sample:
        """Return the transformed sample of an (epoch, index) key."""
        if not self.training:
            return self._prepare(self.read(key))
        try:
            raw = self.read(key)
        except (DataError, ImageError) as error:
            return {"error": str(error), "source": self.source(key)}
        try:
            rng = np.random.default_rng((self.seed, *key))
            return self._prepare(raw | {"rng": rng, "another": self._another(key[0])})
        except (DataError, ImageError) as error:
            message = str(error) if raw["path"] in str(error) else f"{raw['path']}: {error}"
            return {"error": message, "source": self.source(key)}

    def _another(self, epoch: int) -> Callable[[np.random.Generator], Sample]:
        return lambda rng: self.read((epoch, int(rng.integers(len(self)))))

    def _prepare(self, raw: Sample) -> Sample:
        return raw if self.transforms is None else self.transforms(raw)
