"""Where samples come from: label files, LMDB, the data maker, or a mix of these."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ppocr_lite.data.base import DATASETS, Dataset
from ppocr_lite.data.environment import open_environment
from ppocr_lite.data.sampler import Key
from ppocr_lite.errors import ConfigError, DataError, ImageError, shown
from ppocr_lite.transforms.base import Sample
from ppocr_lite.transforms.labels import read_lines


class Shares:
    """Takes a share of each of several sources, another one each epoch.

    Args:
        sizes: Number of samples of each source.
        ratios: Share of each; above 1 repeats samples. 1.0 takes all, in order.
        seed: With the epoch, decides which samples a share holds.
    """

    def __init__(self, sizes: Sequence[int], ratios: Sequence[float], seed: int) -> None:
        self.sizes, self.seed = list(sizes), seed
        self.counts = [round(size * ratio) for size, ratio in zip(sizes, ratios, strict=True)]
        self.ends = np.cumsum(self.counts)
        self._epoch, self._orders = -1, [np.arange(0)]

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def pool(self, sizes: Sequence[int] | None = None) -> int:
        """Return the number of samples of the sources that a share is taken of; *sizes* where another size counts."""
        return sum(size for size, count in zip(sizes or self.sizes, self.counts, strict=True) if count)

    def locate(self, key: Key) -> tuple[int, int]:
        """Return (source, index in the source) for an (epoch, index) key."""
        epoch, index = key
        if epoch != self._epoch:
            self._orders = [self._order(epoch, source) for source in range(len(self.sizes))]
            self._epoch = epoch
        source = int(np.searchsorted(self.ends, index, side="right"))
        return source, int(self._orders[source][index - (self.ends[source] - self.counts[source])])

    def _order(self, epoch: int, source: int) -> np.ndarray[Any, np.dtype[np.intp]]:
        size, count = self.sizes[source], self.counts[source]
        if size == count or size == 0:
            return np.arange(size)
        order = np.random.default_rng((self.seed, epoch, source)).permutation(size)
        return np.resize(order, count)


def check_ratios(ratio_list: float | Sequence[float], count: int) -> list[float]:
    """Return one ratio a source.

    Raises:
        ConfigError: If there are more or fewer ratios than sources, or a negative one.
    """
    ratios = [float(ratio_list)] * count if isinstance(ratio_list, int | float) else [float(r) for r in ratio_list]
    if len(ratios) != count:
        raise ConfigError(f"ratio_list must have one value for each of the {count} sources. Received: {ratios}")
    if any(r < 0 for r in ratios):
        raise ConfigError(f"ratio_list must not be negative. Received: {ratios}")
    return ratios


@DATASETS.register
class SimpleDataSet(Dataset):
    r"""Samples named in text files, one a line: ``path<TAB>label``, UTF-8.

    Args:
        data_dir: Folder the paths start from.
        label_file_list: One label file, or several.
        ratio_list: Share of each file in an epoch, resampled every epoch from (seed, epoch).
        delimiter: What stands between path and label.
        transforms: The chain.
        seed: Of the run.
        training: Whether this is the training set.

    Raises:
        DataError: If a label file is missing or empty or, in evaluation, holds a line without a label.
        ImageError: If, in evaluation, a line names an image that is not there.
    """

    def __init__(
        self,
        data_dir: str,
        label_file_list: str | list[str],
        ratio_list: float | list[float] = 1.0,
        delimiter: str = "\t",
        transforms: Any = None,
        seed: int = 0,
        training: bool = False,
    ) -> None:
        super().__init__(transforms, seed, training)
        self.data_dir, self.delimiter = Path(data_dir), delimiter
        files = [label_file_list] if isinstance(label_file_list, str) else label_file_list
        ratios = check_ratios(ratio_list, len(files))
        self.files = [Path(file) for file in files]
        self.lines = [self._read_lines(file) for file in self.files]
        self.shares = Shares([len(lines) for lines in self.lines], ratios, seed)
        if len(self) == 0:
            raise DataError(f"No samples in {', '.join(map(str, files))} at ratios {ratios}.")

    def __len__(self) -> int:
        return len(self.shares)

    def pool(self, epoch: int) -> int:
        """Return the number of lines."""
        del epoch
        return self.shares.pool()

    def source(self, key: Key) -> str:
        """Return label file and number of the line."""
        file, number, _ = self._locate(key)
        return f"{file}:{number}"

    def read(self, key: Key) -> Sample:
        """Return encoded image bytes, label text and path."""
        file, number, line = self._locate(key)
        path, label = self._parse(file, number, line)
        try:
            if not _is_file(path):  # a pipe would be waited for, a device never ends
                raise ImageError(f"{file}:{number}: cannot read {path}: there is no such file.")
            return {"image": path.read_bytes(), "label": label, "path": str(path)}
        except OSError as error:
            raise ImageError(f"{file}:{number}: cannot read {path}: {error.strerror}.") from error

    def _locate(self, key: Key) -> tuple[Path, int, str]:
        source, index = self.shares.locate(key)
        return self.files[source], *self.lines[source][index]

    def _read_lines(self, file: Path) -> list[tuple[int, str]]:
        lines = read_lines(file)
        if not self.training:  # where one fault ends the run, it is found before the run begins
            paths = [self._parse(file, number, line)[0] for number, line in lines]
            for (number, _), path in zip(lines, paths, strict=True):
                if not _is_file(path):
                    raise ImageError(f"{file}:{number}: cannot read {path}: there is no such file.")
        return lines

    def _parse(self, file: Path, number: int, line: str) -> tuple[Path, str]:
        name, found, label = line.partition(self.delimiter)
        if not found:
            raise DataError(f"{file}:{number}: a line must be path{self.delimiter!r}label. Received: {line[:80]!r}")
        if "\0" in name or not name.strip():
            raise DataError(f"{file}:{number}: the path of an image is no path. Received: {name[:80]!r}")
        return self.data_dir / name, label


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


@DATASETS.register
class LMDBDataSet(Dataset):
    """Samples of an LMDB folder with the keys ``num-samples``, ``image-000000001``, ``label-000000001`` and so on.

    Args:
        data_dir: The LMDB folder, or a folder with LMDB folders at any depth.
        ratio_list: Share of each LMDB folder, in sorted order.
        transforms: The chain.
        seed: Of the run.
        training: Whether this is the training set.
    """

    def __init__(
        self,
        data_dir: str,
        ratio_list: float | list[float] = 1.0,
        transforms: Any = None,
        seed: int = 0,
        training: bool = False,
    ) -> None:
        super().__init__(transforms, seed, training)
        self.folders = sorted(file.parent for file in Path(data_dir).rglob("data.mdb"))
        if not self.folders:
            raise DataError(f"{data_dir}: no LMDB folder (data.mdb) here or below.")
        self._open: dict[tuple[int, Path], Any] = {}
        sizes = [self._size(folder) for folder in self.folders]
        self.shares = Shares(sizes, check_ratios(ratio_list, len(sizes)), seed)

    def __len__(self) -> int:
        return len(self.shares)

    def pool(self, epoch: int) -> int:
        """Return the number of records."""
        del epoch
        return self.shares.pool()

    def source(self, key: Key) -> str:
        """Return folder and name of the record."""
        folder, name = self._locate(key)
        return f"{folder}:image-{name}"

    def read(self, key: Key) -> Sample:
        """Return encoded image bytes, label text and a readable name."""
        folder, name = self._locate(key)
        image, label = self._get(folder, f"image-{name}"), self._get(folder, f"label-{name}")
        if image is None or label is None:
            raise DataError(f"{folder}: record {name} has no {'image' if image is None else 'label'}.")
        try:
            return {"image": image, "label": label.decode("utf-8"), "path": self.source(key)}
        except UnicodeDecodeError as error:
            raise DataError(f"{folder}: label-{name} is not UTF-8: {error}") from error

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}

    def _locate(self, key: Key) -> tuple[Path, str]:
        source, index = self.shares.locate(key)
        return self.folders[source], f"{index + 1:09d}"

    def _size(self, folder: Path) -> int:
        size = self._get(folder, "num-samples")
        if size is None or not size.isdigit() or len(size) > 18:
            raise DataError(f"{folder}: the key num-samples must hold a number. Received: {shown(size)}")
        entries = self._open[os.getpid(), folder].stat()["entries"]
        if int(size) > 10 * entries:  # a record that is missing is named when it is read
            raise DataError(f"{folder}: num-samples says {int(size):,}, but the folder has {entries:,} entries.")
        return int(size)

    def _get(self, folder: Path, key: str) -> bytes | None:
        here = os.getpid(), folder
        if here not in self._open:
            self._open[here] = open_environment(folder)
        with self._open[here].begin() as transaction:
            value: bytes | None = transaction.get(key.encode())
            return value


@DATASETS.register
class MixedDataSet(Dataset):
    """Several data sets as one, each with its share; all go through the same transforms.

    Args:
        datasets: Component nodes, ``{name: SimpleDataSet, …}``.
        ratio_list: Share of each, resampled every epoch.
        transforms: The chain.
        seed: Of the run.
        training: Whether this is the training set.
    """

    def __init__(
        self,
        datasets: list[dict[str, Any]],
        ratio_list: float | list[float] = 1.0,
        transforms: Any = None,
        seed: int = 0,
        training: bool = False,
    ) -> None:
        super().__init__(transforms, seed, training)
        self.parts: list[Dataset] = [
            DATASETS.build(node, transforms=transforms, seed=seed, training=training) for node in datasets
        ]
        ratios = check_ratios(ratio_list, len(self.parts))
        self.shares = Shares([len(part) for part in self.parts], ratios, seed)

    def __len__(self) -> int:
        return len(self.shares)

    def pool(self, epoch: int) -> int:
        """Return the number of samples of all parts."""
        return self.shares.pool([part.pool(epoch) for part in self.parts])

    def source(self, key: Key) -> str:
        """Return where the part that owns *key* has the sample stored."""
        part, inner = self._locate(key)
        return part.source(inner)

    def read(self, key: Key) -> Sample:
        """Return the raw sample of the part that owns *key*."""
        part, inner = self._locate(key)
        return part.read(inner)

    def _locate(self, key: Key) -> tuple[Dataset, Key]:
        source, index = self.shares.locate(key)
        return self.parts[source], (key[0], index)
