"""From samples to batches: stack what is equal in shape, pad lines of text to one width, list the rest."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.data.base import TRAINING_KEYS
from ppocr_lite.data.sampler import Buckets, EpochBatches
from ppocr_lite.errors import DataError
from ppocr_lite.transforms.base import Sample
from ppocr_lite.transforms.resize import batch_width, pad_batch


class Collate:
    """Makes a batch of samples.

    Samples with an ``error`` are left out; ``errors`` maps where each is stored to its message.  If nothing is left,
    the batch holds ``errors`` only.

    Args:
        pad_width: Pad images (3, H, w) with zeros on the right to one width, as recognition needs.
        size_divisibility: Pad images (3, h, w) with zeros on the right and below to one size whose sides are multiples
            of this: coordinates stay as they are. None for no.
    """

    def __init__(self, *, pad_width: bool = False, size_divisibility: int | None = None) -> None:
        self.pad_width, self.size_divisibility = pad_width, size_divisibility

    def __call__(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """Return the batch.

        Raises:
            DataError: If images have different shapes and are not to be padded.
        """
        good = [sample for sample in samples if "error" not in sample]
        batch: dict[str, Any] = {"errors": _errors(samples)}
        if good:
            keys = [key for key in good[0] if key not in TRAINING_KEYS]
            batch |= {key: self._join(key, [sample[key] for sample in good]) for key in keys}
        return batch

    def _join(self, key: str, values: list[Any]) -> Any:
        if key == "image":
            return self._images(values)
        if all(isinstance(value, np.ndarray | np.generic | int | float) for value in values):
            arrays = [np.asarray(value) for value in values]
            if all(array.shape == arrays[0].shape for array in arrays):
                return np.stack(arrays)
        return values

    def _images(self, images: list[Any]) -> Any:
        if self.pad_width:
            return pad_batch(images, batch_width([image.shape[-1] for image in images]))
        if self.size_divisibility:
            return pad_pages(images, self.size_divisibility)
        shapes = {image.shape for image in images}
        if len(shapes) > 1:
            raise DataError(
                f"All images of a training batch must have one shape. Received: {sorted(shapes)}. "
                "Add a transform that crops or resizes to a fixed size, or, for a network of regions, "
                "Train.loader.size_divisibility."
            )
        return np.stack(images)


def pad_pages(images: Sequence[NDArray[np.float32]], multiple: int) -> NDArray[np.float32]:
    """Return images (3, h, w) as one array, with zeros on the right and below up to multiples of *multiple*."""
    height, width = (-(-max(image.shape[axis] for image in images) // multiple) * multiple for axis in (1, 2))
    batch = np.zeros((len(images), images[0].shape[0], height, width), np.float32)
    for place, image in zip(batch, images, strict=True):
        place[:, : image.shape[1], : image.shape[2]] = image
    return batch


def _errors(samples: Sequence[Sample]) -> dict[str, str]:
    return {sample["source"]: sample["error"] for sample in samples if "error" in sample}


class CollateByWidth:
    """Makes several batches of lines, each of lines of like width, so that little of a batch is padding.

    Args:
        collate: Makes one batch.
        batch_size: Lines of a batch.
    """

    def __init__(self, collate: Callable[[Sequence[Sample]], dict[str, Any]], batch_size: int) -> None:
        self.collate, self.batch_size = collate, batch_size

    def __call__(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """Return the batches under ``batches``, narrow ones first: as many as *samples* would fill.

        Errors come with the first; the lines that are left are dealt out evenly.
        """
        good = sorted((s for s in samples if "error" not in s), key=lambda sample: sample["image"].shape[-1])
        count = -(-len(samples) // self.batch_size)
        edges = [len(good) * place // count for place in range(count + 1)]
        batches = [self.collate(good[start:stop]) for start, stop in itertools.pairwise(edges)]
        batches[0]["errors"] = _errors(samples)
        return {"batches": batches}


class BucketLoader:
    """Yields the batches of :class:`CollateByWidth` one by one, those of a group in an order of their own.

    The order is a function of the seed, the epoch and the group, and starts where *batches* does.

    Args:
        batches: The sampler of training.
        size: Batches of a group.
        load: Makes a loader of what the sampler it is given yields: a group at once.
    """

    def __init__(
        self, batches: EpochBatches, size: int, load: Callable[[Buckets], Iterable[Mapping[str, Any]]]
    ) -> None:
        self._batches, self._size = batches, size
        self._groups = load(Buckets(batches, size))

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        epoch = self._batches.epoch
        first, skip = divmod(self._batches.start, self._size)
        for place, group in enumerate(self._groups, first):
            count = len(group["batches"])
            order = np.random.default_rng((self._batches.seed, epoch, place)).permutation(count)
            for index in order[skip:]:
                yield group["batches"][index]
            skip = 0
