"""What other programs write about pages → images with their regions, for :func:`ppocr_lite.data.convert.write_pages`.

=============  ===============================================================================================
PPOCRLabel     the folder of images that it opened, with ``Label.txt``; ``rec_gt.txt`` with ``crop_img`` for lines
VOC            a folder of XML files, one an image, with boxes
COCO           one JSON file, with boxes or outlines
=============  ===============================================================================================

A region that nobody could read has the text ``###``: what is marked difficult, illegible or a crowd, or is still to be
read. Where a format has no texts, regions have the text ``text``, which is enough to train a detector.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ppocr_lite.data.convert import Page
from ppocr_lite.errors import DataError
from ppocr_lite.transforms.labels import IGNORED_TEXTS, TO_BE_READ, read_lines

ILLEGIBLE, UNKNOWN = "###", "text"
LABELS, CROPS = "Label.txt", "rec_gt.txt"
_COCO_TEXTS = ("transcription", "utf8_string", "text", "caption")  # where COCO-Text and others put it
_ENTITY = b"<!ENTITY"  # can grow without end, and nothing that writes VOC uses it


def read_ppocrlabel(source: Path) -> Iterator[Page]:
    """Yield the pages of a folder that PPOCRLabel has labelled.

    Args:
        source: The folder, or its ``Label.txt``. Images are called ``folder/name`` in it, wherever the folder is now.

    Raises:
        DataError: If there is no such file, or a line of it is wrong.
    """
    file = source / LABELS if source.is_dir() else source
    for number, line in read_lines(file):
        name, tab, label = line.partition("\t")
        where = f"{file}:{number}"
        try:
            entries = json.loads(label) if tab else None
        except ValueError as error:
            raise DataError(f"{where}: the label is not JSON: {error}. Received: {label[:80]!r}") from error
        if not isinstance(entries, list) or not all(isinstance(e, dict) and "points" in e for e in entries):
            raise DataError(f"{where}: a line must be path<TAB>[{{regions}}]. Received: {line[:80]!r}")
        yield _image_of(file.parent, name), [_region(e.get("transcription"), e["points"], e) for e in entries]


def read_ppocrlabel_lines(source: Path) -> Iterator[tuple[Path, str]]:
    """Yield (image, text) of the lines that PPOCRLabel has cut out; those still to be read are left out.

    Args:
        source: The folder, or its ``rec_gt.txt``.

    Raises:
        DataError: If there is no such file, or a line of it is wrong.
    """
    file = source / CROPS if source.is_dir() else source
    for number, line in read_lines(file):
        name, tab, text = line.partition("\t")
        if not tab:
            raise DataError(f"{file}:{number}: a line must be path<TAB>text. Received: {line[:80]!r}")
        if text.strip() not in IGNORED_TEXTS:
            yield _image_of(file.parent, name), text


def read_voc(source: Path, images: Path | None = None) -> Iterator[Page]:
    """Yield the pages of a folder of VOC annotations.

    Args:
        source: The folder of XML files.
        images: Folder of the images; by default ``JPEGImages`` beside *source* if that is there, else *source*.

    Raises:
        DataError: If there is none, or one is wrong.
    """
    files = sorted(source.glob("*.xml"))
    if not files:
        raise DataError(f"{source}: there are no XML files.")
    beside = source.parent / "JPEGImages"
    folder = images or (beside if beside.is_dir() else source)
    for file in files:
        data = file.read_bytes()
        try:
            if _ENTITY in data:
                raise DataError(f"{file}: declares entities, which are not read.")
            root = ElementTree.fromstring(data)
            name = root.findtext("filename") or file.with_suffix(".jpg").name
            yield folder / Path(name).name, [_voc_region(node) for node in root.iter("object")]
        except (ElementTree.ParseError, TypeError, ValueError) as error:
            raise DataError(f"{file}: not a VOC annotation: {error}") from error


def read_coco(source: Path, images: Path | None = None) -> Iterator[Page]:
    """Yield the pages of a COCO file.

    Args:
        source: The JSON file.
        images: Folder of the images; by default that of *source*.

    Raises:
        DataError: If it is no such file.
    """
    try:
        data = json.loads(source.read_bytes())
        pages: dict[Any, Page] = {
            entry["id"]: ((images or source.parent) / str(entry["file_name"]), []) for entry in data["images"]
        }
        for entry in data["annotations"]:
            pages[entry["image_id"]][1].append(_region(_coco_text(entry), _coco_points(entry), entry))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"{source}: not a COCO file: {type(error).__name__}: {error}") from error
    yield from pages.values()


def _region(text: Any, points: Any, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a region as a label file has it; *entry* may say that nobody could read it."""
    hidden = entry.get("difficult") in (True, 1, "1") or entry.get("iscrowd") == 1 or entry.get("ignore") == 1
    hidden = hidden or entry.get("legibility") == "illegible" or text in (*IGNORED_TEXTS, TO_BE_READ)
    return {"transcription": ILLEGIBLE if hidden else str(UNKNOWN if text is None else text), "points": points}


def _image_of(folder: Path, name: str) -> Path:
    """Return the image that a file in *folder* calls *name*: ``folder/a.jpg``, or ``a.jpg``."""
    parts = Path(name).parts
    here = folder.joinpath(*parts[1:])
    return here if len(parts) > 1 and (parts[0] == folder.resolve().name or here.exists()) else folder / name


def _box(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def _voc_region(node: ElementTree.Element) -> dict[str, Any]:
    box = node.find("bndbox")
    if box is None:
        raise ValueError("an object has no bndbox")
    sides = [float(box.findtext(name) or "none") for name in ("xmin", "ymin", "xmax", "ymax")]
    text = node.findtext("transcription") or node.findtext("text")
    return _region(text, _box(*sides), {"difficult": (node.findtext("difficult") or "").strip()})


def _coco_text(entry: Mapping[str, Any]) -> str | None:
    places = (entry, entry.get("attributes") or {})
    return next((str(place[key]) for place in places for key in _COCO_TEXTS if place.get(key)), None)


def _coco_points(entry: Mapping[str, Any]) -> list[list[float]]:
    outline = entry.get("segmentation")
    if isinstance(outline, list) and outline and isinstance(outline[0], list) and len(outline[0]) >= 8:
        numbers = [float(number) for number in outline[0]]
        return [[x, y] for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    left, top, width, height = (float(number) for number in entry["bbox"])
    return _box(left, top, left + width, top + height)
