"""The centre of each class among the features of a recogniser, and the file that holds them; NumPy only."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.files import replacing
from ppocr_lite.install import optional

safetensors, tensors = optional("safetensors"), optional("safetensors.numpy")
KEY = "centers"


def load(path: Path | str | None, num_classes: int, feat_dim: int) -> NDArray[np.float32]:
    """Return the centres (num_classes, feat_dim), all zero without a file.

    Args:
        path: A ``.npz`` or ``.safetensors`` file with one array ``centers``; None for none.
        num_classes: Rows; row 0 is the blank.
        feat_dim: Columns.

    Raises:
        ConfigError: If a number is not positive, or the file is of another kind. Pickled files are never read: they
            can run any code.
        DataError: If the file cannot be read, or holds no such array.
    """
    if num_classes < 1 or feat_dim < 1:
        raise ConfigError(f"CenterLoss needs num_classes, feat_dim ≥ 1. Received: {num_classes}, {feat_dim}")
    if path is None:
        return np.zeros((num_classes, feat_dim), dtype=np.float32)
    centers = _read(Path(path)).get(KEY)
    if centers is None or centers.shape != (num_classes, feat_dim) or centers.dtype.kind != "f":
        found = "no such array" if centers is None else f"{centers.dtype} {centers.shape}"
        raise DataError(f"{path}: {KEY!r} must be floats of shape ({num_classes}, {feat_dim}). Received: {found}")
    if not np.isfinite(centers).all():
        raise DataError(f"{path}: {KEY!r} must be finite.")
    return np.ascontiguousarray(centers, dtype=np.float32)


def check_fit(feats: Sequence[int] | None, logits: Sequence[int], centers: Sequence[int]) -> None:
    """Check shapes against the centres: features (N, T, D), logits (N, T, C), centres (C, D).

    Raises:
        ConfigError: If there are no features, or sizes differ; names the argument to change.
    """
    if feats is None:
        raise ConfigError("CenterLoss needs the features of the head. Set Architecture.Head.return_feats: true.")
    if (logits[-1], feats[-1]) != tuple(centers):
        raise ConfigError(
            f"CenterLoss.num_classes and feat_dim must be those of the head, {logits[-1]} and {feats[-1]}. "
            f"Received: {centers[0]} and {centers[1]}"
        )


class CenterSums:
    """Collects the features of each class on the lines that a network reads correctly; their means are the centres.

    Args:
        num_classes: Classes of the network; 0 is the blank.
        feat_dim: Features of a step.

    Attributes:
        counts: (num_classes,) int64, steps of each class so far.
        lines: Lines looked at.
        correct: Lines among them that were read correctly.

    Source:
        Du et al., PP-OCRv2, 2021, §2.2: how the centres of the Enhanced CTC loss start.
    """

    def __init__(self, num_classes: int, feat_dim: int) -> None:
        self.sums = np.zeros((num_classes, feat_dim))
        self.counts = np.zeros(num_classes, np.int64)
        self.lines = self.correct = 0

    def add(
        self,
        logits: NDArray[np.floating],
        feats: NDArray[np.floating],
        labels: NDArray[np.integer],
        lengths: NDArray[np.integer],
    ) -> None:
        """Take in a batch of lines.

        Args:
            logits: (N, T, num_classes).
            feats: (N, T, feat_dim), what enters the last layer.
            labels: (N, L), class indices of the texts, padded with anything.
            lengths: (N,), their lengths.
        """
        for classes, line, label, length in zip(logits.argmax(axis=2), feats, labels, lengths, strict=True):
            self.lines += 1
            if collapse(classes) == label[: int(length)].tolist():
                self.correct += 1
                np.add.at(self.sums, classes, line)
                self.counts += np.bincount(classes, minlength=len(self.counts))

    def means(self) -> NDArray[np.float32]:
        """Return the centres (num_classes, feat_dim); 0 for a class that no line showed."""
        return (self.sums / np.maximum(self.counts, 1)[:, None]).astype(np.float32)


def collapse(classes: NDArray[np.integer]) -> list[int]:
    """Return the text that a sequence of classes (T,) spells: repetitions merged, then blanks (0) dropped."""
    changed = np.concatenate([[True], classes[1:] != classes[:-1]])
    merged: list[int] = classes[changed & (classes != 0)].tolist()
    return merged


def save(path: Path, centers: NDArray[np.float32]) -> None:
    """Write a file that :func:`load` reads.

    Raises:
        ConfigError: If *path* ends in neither ``.npz`` nor ``.safetensors``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        with replacing(path) as draft, draft.open("wb") as file:
            np.savez_compressed(file, centers=centers)  # the name is KEY
    elif path.suffix == ".safetensors":
        with replacing(path) as draft:
            tensors.save_file({KEY: centers}, draft)
    else:
        raise ConfigError(f"The centres go into a .npz or a .safetensors file. Received: {str(path)!r}")


def _read(path: Path) -> dict[str, NDArray[np.floating]]:
    if path.suffix not in (".npz", ".safetensors"):
        raise ConfigError(
            f"CenterLoss.center_file_path must be a .npz or .safetensors file with an array {KEY!r}; "
            f"pickled files are not read. Received: {str(path)!r}"
        )
    try:
        if path.suffix == ".safetensors":
            return dict(tensors.load_file(path))
        with zipfile.ZipFile(path):  # np.load takes other files for single arrays
            pass
        with np.load(path, allow_pickle=False) as archive:
            return {KEY: archive[KEY]} if KEY in archive else {}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, safetensors.SafetensorError) as error:
        raise DataError(f"{path}: the centres cannot be read: {error}") from error
