"""Other label formats → label files of this package; what :mod:`ppocr_lite.data.foreign` reads is written here, too.

========================  =====================================================================================
ICDAR pages               a folder with one text file an image (``gt_img_1.txt`` or ``img_1.txt`` for ``img_1.jpg``);
                          each line ``x1,y1,x2,y2,…,xn,yn[,transcription]``, n ≥ 4
ICDAR 2017                the same, each line with a field between points and transcription (RCTW, MLT)
ICDAR lines               one text file, each line ``image.png, "text"``
========================  =====================================================================================

Files may start with a byte-order mark.  A transcription may hold commas.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ppocr_lite import files
from ppocr_lite.errors import DataError
from ppocr_lite.transforms.labels import read_lines

Page = tuple[Path, list[dict[str, Any]]]  # image, regions
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".gif", ".webp")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_LINE17 = re.compile(
    r"(?P<points>(?:\s*[-+]?\d+(?:\.\d+)?\s*,){7}\s*[-+]?\d+(?:\.\d+)?)\s*,(?P<tag>[01]|[A-Za-z]+),(?P<text>.*)"
)
_LEAST = 8  # numbers of a quad
_LINE = re.compile(r'(?P<name>[^,\t]+?)\s*[,\t]\s*"?(?P<text>.*?)"?\s*')


def read_icdar_page(path: Path, *, transcribed: bool | None = None, points: int | None = None) -> list[dict[str, Any]]:
    """Return the regions of one text file, ``[{"transcription": …, "points": [[x, y], …]}, …]``.

    Args:
        path: The text file.
        transcribed: Whether each line ends in a transcription; None to see: a line of an even number of numbers,
            at least eight, and nothing else has none.  A transcription that is itself a number is told apart by
            the odd count; where two could be meant (``…, 12,34``) say which.
        points: Number of points of every region, at least four; None to take as many as the line has numbers.  With
            it a transcription may begin with numbers (``…, 1,2,3 Go``).

    Raises:
        DataError: Names file and line of what cannot be read.
    """
    return [_region(line, f"{path}:{number}", transcribed, points) for number, line in read_lines(path)]


def convert_icdar_pages(
    images: Path,
    labels: Path,
    output: Path,
    *,
    transcribed: bool | None = None,
    points: int | None = None,
    data_dir: Path | None = None,
) -> int:
    """Write a detection label file for a folder of images and a folder of text files; return the number of lines.

    Args:
        images: Folder of the images, at any depth.
        labels: Folder of the text files.
        output: The label file to write.
        transcribed: As for :func:`read_icdar_page`.
        points: Likewise.
        data_dir: Folder that the paths start from; by default *images*.

    Raises:
        DataError: If an image has no text file, or a text file is wrong.
    """
    pages: list[Page] = []
    for image in sorted(path for path in images.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES):
        pages.append((image, read_icdar_page(_label_file(image, labels), transcribed=transcribed, points=points)))
    return write_pages(output, pages, data_dir or images)


def _label_file(image: Path, labels: Path) -> Path:
    """Return the text file of an image.

    Raises:
        DataError: If there is none.
    """
    candidates = [labels / f"{prefix}{image.stem}.txt" for prefix in ("gt_", "", "poly_gt_")]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise DataError(f"{image} has no label file. Looked for: {', '.join(map(str, candidates))}")
    return found


def read_icdar17(labels: Path, images: Path | None = None) -> Iterator[Page]:
    """Yield the pages of ICDAR 2017: RCTW, and MLT.

    Args:
        labels: Folder of the text files. Each line is ``x1,y1,…,x4,y4,difficult,"transcription"`` (RCTW), or
            ``x1,y1,…,x4,y4,script,transcription`` (MLT). What is difficult (1) becomes ``###``.
        images: Folder of the images, at any depth; by default that of the text files.

    Raises:
        DataError: If an image has no text file, there is none, or a line is wrong.
    """
    folder = images or labels
    pages = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    for image in pages:
        file = _label_file(image, labels)
        yield image, [_region17(line, f"{file}:{number}") for number, line in read_lines(file)]


def _region17(line: str, where: str) -> dict[str, Any]:
    match = _LINE17.fullmatch(line)
    if match is None:
        raise DataError(
            f'{where}: expected x1,y1,…,x4,y4,difficult,"transcription" or x1,y1,…,x4,y4,script,transcription. '
            f"Received: {line[:80]!r}"
        )
    values = [_plain(float(value)) for value in match["points"].split(",")]
    text = match["text"].strip()
    if match["tag"].isdigit() and len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    hidden = match["tag"] == "1" or not text
    points = [list(point) for point in zip(values[::2], values[1::2], strict=True)]
    return {"transcription": "###" if hidden else text, "points": points}


def write_pages(output: Path, pages: Iterable[Page], data_dir: Path | None = None) -> int:
    """Write a detection label file; return the number of lines.

    Args:
        output: The label file.
        pages: Images with their regions, ``[{"transcription": …, "points": [[x, y], …]}, …]``.
        data_dir: Folder that the paths start from; by default that of *output*.

    Raises:
        DataError: If there is none.
    """
    rows = [f"{_name(image, data_dir or output.parent)}\t{json.dumps(r, ensure_ascii=False)}" for image, r in pages]
    return _write(output, rows)


def write_lines(output: Path, lines: Iterable[tuple[Path, str]], data_dir: Path | None = None) -> int:
    """Write a recognition label file of (image, text); otherwise as :func:`write_pages`."""
    return _write(output, [f"{_name(image, data_dir or output.parent)}\t{text}" for image, text in lines])


def read_icdar_lines(source: Path) -> Iterator[tuple[Path, str]]:
    """Yield (image, text) of a file of ``image.png, "text"`` lines, whose images lie beside it.

    Raises:
        DataError: Names the line that cannot be read.
    """
    for row in _recognition_rows(source):
        name, _, text = row.partition("\t")
        yield source.parent / name, text


def _name(image: Path, folder: Path) -> str:
    return os.path.relpath(image, folder).replace(os.sep, "/")


def convert_icdar_lines(source: Path, output: Path) -> int:
    """Write a recognition label file from ``image.png, "text"`` lines; return the number of lines.

    Raises:
        DataError: Names the line that cannot be read.
    """
    return _write(output, list(_recognition_rows(source)))


def _recognition_rows(source: Path) -> Iterator[str]:
    for number, line in read_lines(source):
        match = _LINE.fullmatch(line)
        if match is None or not match["text"]:
            raise DataError(f'{source}:{number}: a line must be image, "text". Received: {line[:80]!r}')
        label = match["text"].replace('\\"', '"').replace("\\\\", "\\")
        yield f"{match['name'].strip()}\t{label}"


def _region(line: str, where: str, transcribed: bool | None, points: int | None) -> dict[str, Any]:
    fields = line.split(",")
    most = len(fields) if points is None else min(2 * points, len(fields))
    numbers = 0
    while numbers < most and _NUMBER.fullmatch(fields[numbers].strip()):
        numbers += 1
    if transcribed is None:
        transcribed = not (numbers == len(fields) and numbers % 2 == 0)
    if transcribed:
        numbers = min(numbers, len(fields) - 1)  # the last field is text, whatever it looks like
        numbers -= numbers % 2
    too_few = numbers < (_LEAST if points is None else 2 * points)
    if too_few or numbers % 2 or (not transcribed and numbers != len(fields)):
        expected = "x1,y1,…,x4,y4 or more" if points is None else f"x1,y1,…,x{points},y{points}"
        raise DataError(f"{where}: expected {expected}[,transcription]. Received: {line[:80]!r}")
    values = [float(field) for field in fields[:numbers]]
    polygon = [[_plain(x), _plain(y)] for x, y in zip(values[::2], values[1::2], strict=True)]
    text = ",".join(fields[numbers:]).strip() if transcribed else "text"
    return {"transcription": text or "###", "points": polygon}


def _plain(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _write(output: Path, rows: list[str]) -> int:
    if not rows:
        raise DataError(f"Nothing to write to {output}: no samples were found.")
    output.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(output, "".join(f"{row}\n" for row in rows))
    return len(rows)
