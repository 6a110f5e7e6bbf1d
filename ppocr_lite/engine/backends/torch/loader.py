"""Batches from worker processes, as tensors in shared (and on a GPU pinned) memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from ppocr_lite.engine.stopping import begin_reader


class TensorCollate:
    """Wraps the collate of a family: arrays become tensors, so workers hand them over without a copy.

    Args:
        collate: Maps a list of samples to a dict of arrays and lists.
    """

    def __init__(self, collate: Callable[[list[Any]], Any]) -> None:
        self.collate = collate

    def __call__(self, samples: list[Any]) -> Any:
        """Return the batch with tensors in place of arrays."""
        return to_tensors(self.collate(samples))


def to_tensors(batch: Any) -> Any:
    """Return *batch*, or a list of them, with each numeric array as a tensor; anything else stays as it is."""
    if isinstance(batch, list):
        return [to_tensors(part) for part in batch]
    if not isinstance(batch, Mapping):
        return batch
    return {k: torch.from_numpy(np.ascontiguousarray(v)) if _numeric(v) else to_tensors(v) for k, v in batch.items()}


def make_loader(
    dataset: Any, batches: Iterable[Any], collate: Callable[[list[Any]], Any], num_workers: int, *, pin: bool = False
) -> Any:
    """Return an iterable over *batches*; each ``iter()`` reads the sampler anew, so ``seek`` takes effect.

    Args:
        dataset: ``dataset[(epoch, index)]`` is a sample.
        batches: Yields lists of such keys.
        collate: Maps a list of samples to a dict of arrays and lists.
        num_workers: Worker processes; 0 loads in this process. They stay alive between epochs, and each keeps two
            batches ready in shared memory.
        pin: Put the batches where a GPU can fetch them while it computes.
    """
    return DataLoader(
        dataset,
        batch_sampler=batches,  # type: ignore[arg-type]
        collate_fn=TensorCollate(collate),
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        prefetch_factor=2 if num_workers else None,
        pin_memory=pin,
        worker_init_fn=_begin_worker,
    )


def _begin_worker(worker: int) -> None:
    """Keep OpenCV from starting threads of its own in every worker, and a signal to all of them from ending them."""
    del worker
    cv2.setNumThreads(0)
    begin_reader()


def _numeric(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
