"""The centre of each class among the features of a recogniser, and the file that holds them; NumPy only."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from ppocr_lite.errors import ConfigError, DataError

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


def _read(path: Path) -> dict[str, NDArray[np.floating]]:
    if path.suffix not in (".npz", ".safetensors"):
        raise ConfigError(
            f"CenterLoss.center_file_path must be a .npz or .safetensors file with an array {KEY!r}; "
            f"pickled files are not read. Received: {str(path)!r}"
        )
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        with zipfile.ZipFile(path):  # np.load takes other files for single arrays
            pass
        with np.load(path, allow_pickle=False) as archive:
            return {KEY: archive[KEY]} if KEY in archive else {}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, SafetensorError) as error:
        raise DataError(f"{path}: the centres cannot be read: {error}") from error
