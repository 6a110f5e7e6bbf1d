"""Label files ↔ LMDB folders, as :class:`ppocr_lite.data.dataset.LMDBDataSet` reads them."""

from __future__ import annotations

import shutil
from pathlib import Path

from ppocr_lite import files
from ppocr_lite.data.environment import open_environment
from ppocr_lite.errors import DataError
from ppocr_lite.install import optional
from ppocr_lite.transforms.labels import read_lines

lmdb = optional("lmdb")
PER_FOLDER, PER_TRANSACTION = 1000, 1000
_SLACK = 2**20  # bytes for what LMDB itself keeps

_SUFFIXES = {
    b"\xff\xd8": ".jpg",
    b"\x89P": ".png",
    b"BM": ".bmp",
    b"II": ".tif",
    b"MM": ".tif",
    b"GI": ".gif",
    b"RI": ".webp",
}  # first two bytes → suffix


def write_lmdb(source: Path, output: Path, data_dir: Path | None = None) -> int:
    """Write the samples of a label file as an LMDB folder; return their number.

    Args:
        source: The label file, of any kind.
        output: The folder; it appears when it is whole.
        data_dir: Folder that the paths start from; by default that of *source*.

    Raises:
        DataError: If *output* is there already, a line is wrong, or an image is missing.
    """
    if output.exists():
        raise DataError(f"{output} exists already. Choose another folder or remove it.")
    folder = data_dir or source.parent
    rows = [_row(source, number, line, folder) for number, line in read_lines(source)]
    if not rows:
        raise DataError(f"{source}: the label file is empty.")
    size = sum(image.stat().st_size + len(label.encode()) + 2**13 for image, label in rows)  # whole pages of 4 KiB
    draft = output.with_name(f".{output.name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        with lmdb.open(str(draft), map_size=size + _SLACK) as environment:
            for start in range(0, len(rows), PER_TRANSACTION):
                with environment.begin(write=True) as records:
                    for index, (image, label) in enumerate(rows[start : start + PER_TRANSACTION], start + 1):
                        records.put(b"image-%09d" % index, image.read_bytes())
                        records.put(b"label-%09d" % index, label.encode())
            with environment.begin(write=True) as records:
                records.put(b"num-samples", b"%d" % len(rows))
        draft.rename(output)
    except lmdb.Error as error:
        raise DataError(f"{output}: the LMDB folder cannot be written: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return len(rows)


def read_lmdb(source: Path, output: Path) -> int:
    """Write the samples of an LMDB folder as images and a label file; return their number.

    Args:
        source: The LMDB folder.
        output: The label file; images go into ``images`` beside it, as they are stored.

    Raises:
        DataError: If *source* cannot be read, or a record is missing or wrong.
    """
    with open_environment(source).begin() as records:
        count = (records.get(b"num-samples") or b"").decode("ascii", "replace")
        if not count.isdigit() or not int(count):
            raise DataError(f"{source}: the key num-samples must hold a number. Received: {count!r}")
        rows = []
        for index in range(1, int(count) + 1):
            image, label = records.get(b"image-%09d" % index), records.get(b"label-%09d" % index)
            if image is None or label is None:
                raise DataError(f"{source}: record {index:09d} has no {'image' if image is None else 'label'}.")
            name = f"images/{(index - 1) // PER_FOLDER:04d}/{index:09d}{_suffix(bytes(image))}"
            rows.append(f"{name}\t{_one_line(bytes(label), source, index)}")
            path = output.parent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_bytes(path, bytes(image))
    files.write_text(output, "".join(f"{row}\n" for row in rows))
    return len(rows)


def _row(source: Path, number: int, line: str, folder: Path) -> tuple[Path, str]:
    name, tab, label = line.partition("\t")
    if not tab or not (folder / name).is_file():
        fault = f"cannot read {folder / name}: there is no such file" if tab else "a line must be path<TAB>label"
        raise DataError(f"{source}:{number}: {fault}. Received: {line[:80]!r}")
    return folder / name, label


def _one_line(label: bytes, source: Path, index: int) -> str:
    try:
        text = label.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: label-{index:09d} is not UTF-8: {error}") from error
    if "\n" in text or "\r" in text:
        raise DataError(f"{source}: label-{index:09d} has a line break, which a label file cannot hold: {text[:80]!r}")
    return text


def _suffix(image: bytes) -> str:
    return _SUFFIXES.get(image[:2], ".png")
