"""An export of Label Studio → images with their regions, for :func:`ppocr_lite.data.convert.write_pages`.

Source:
    https://labelstud.io/guide/task_format and https://labelstud.io/guide/export, format JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from ppocr_lite.data.convert import IMAGE_SUFFIXES, Page
from ppocr_lite.data.foreign import ILLEGIBLE
from ppocr_lite.errors import DataError, shown
from ppocr_lite.geometry import min_area_quad

RECTANGLES, POLYGONS = ("rectangle", "rectanglelabels"), ("polygon", "polygonlabels")
LOCAL_FILES = "/data/local-files"
WHOLE = 100.0  # per cent


def read_label_studio(export: Path, images: Path | None = None, key: str | None = None) -> Iterator[Page]:
    """Yield the pages of an export of Label Studio in JSON.

    Of several annotations of a task the ground truth counts, else the one that was changed last. Tasks that nobody
    has annotated are left out. A region without a text is ``###``; line breaks within a text become spaces.

    Args:
        export: The file.
        images: Folder of the images, by default that of *export*: the media folder of Label Studio, with ``upload`` in
            it, or its root of local files. Nothing outside is named.
        key: Under which key the data of a task have their image; None to take the only one that looks like one.

    Raises:
        DataError: If it is not such a file, or an image is not there; names the task.
    """
    try:
        tasks = json.loads(export.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{export}: not an export of Label Studio in JSON: {error}") from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and "data" in task for task in tasks):
        raise DataError(f"{export}: an export is a list of tasks with their data. JSON-MIN has none: export JSON.")
    root = images or export.parent
    for task in tasks:
        done = [one for one in task.get("annotations", ()) if not one.get("was_cancelled")]
        if not done:
            continue
        where = f"{export}: task {task.get('id')}"
        best = max(done, key=lambda one: (bool(one.get("ground_truth")), str(one.get("updated_at") or "")))
        address = image_address(task["data"], where, key)
        image = file_below(root, address)
        if image is None:
            raise DataError(f"{where}: its image is not below {root}. Received: {shown(address)}")
        yield image, regions(best["result"], where)


def file_below(root: Path, address: str) -> Path | None:
    """Return the file that an address of Label Studio means, None if it is not there.

    Args:
        root: The only folder that it may be in.
        address: ``/data/upload/1/a.png``, ``/data/local-files/?d=scans/a.png`` or the like.

    Raises:
        DataError: If it leads out of the folder.
    """
    parts = urlsplit(address)
    if parts.scheme:
        return None
    local = parts.path.startswith(LOCAL_FILES)
    name = parse_qs(parts.query).get("d", [""])[-1] if local else unquote(parts.path).lstrip("/").removeprefix("data/")
    try:
        top = root.resolve()
        path = (top / name.lstrip("/")).resolve()
        inside, there = path.is_relative_to(top), path.is_file()
    except (OSError, ValueError) as error:  # no name that a file may have
        raise DataError(f"{shown(address)}: no file below {root}: {error}") from error
    if not inside:
        raise DataError(f"{shown(address)}: lies outside {root}, and nothing outside is read.")
    return path if there else None


def regions(results: Sequence[Mapping[str, Any]], where: str) -> list[dict[str, Any]]:
    """Return the regions of an annotation as label files have them, ``[{"transcription": …, "points": …}, …]``.

    A region without a text is ``###``; line breaks within a text become spaces.

    Args:
        results: The list ``result`` of the annotation.
        where: What it is of, for messages.

    Raises:
        DataError: If a region is not one of an image.
    """
    shapes: dict[str, list[list[float]]] = {}
    texts: dict[str, str] = {}
    for item in results:
        kind, name = item.get("type"), str(item.get("id"))
        try:
            if kind in RECTANGLES or kind in POLYGONS:
                shapes[name] = _points(item)
            elif kind == "textarea":
                given = item["value"]["text"]
                texts[name] = " ".join(" ".join([given] if isinstance(given, str) else given).split())
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{where}: not a region of an image: {error!r}. Received: {shown(item)}") from error
    return [{"transcription": texts.get(name) or ILLEGIBLE, "points": points} for name, points in shapes.items()]


def _points(item: Mapping[str, Any]) -> list[list[float]]:
    """Return the corners of a region, pixels."""
    value, sides = item["value"], (float(item["original_width"]), float(item["original_height"]))
    if item["type"] in POLYGONS:
        corners = [(x * sides[0] / WHOLE, y * sides[1] / WHOLE) for x, y in value["points"]]
        if len(corners) < 4:  # a label file has four or more
            corners = min_area_quad(np.array(corners, np.float32)).tolist()
    else:
        x, y = value["x"] * sides[0] / WHOLE, value["y"] * sides[1] / WHOLE
        across, down = value["width"] * sides[0] / WHOLE, value["height"] * sides[1] / WHOLE
        turned = math.radians(value.get("rotation") or 0.0)
        cos, sin = math.cos(turned), math.sin(turned)
        box = ((0.0, 0.0), (across, 0.0), (across, down), (0.0, down))
        corners = [(x + cos * right - sin * under, y + sin * right + cos * under) for right, under in box]
    return [[round(x, 1), round(y, 1)] for x, y in corners]


def image_address(data: Mapping[str, Any], where: str, key: str | None = None) -> str:
    """Return the address of the image among the data of a task.

    Args:
        data: As Label Studio has them.
        where: Of which task, for messages.
        key: Under which key it stands; None, or one that is not there, to take the only one that looks like an image.

    Raises:
        DataError: If there is none, or more than one.
    """
    texts = {name: value for name, value in data.items() if isinstance(value, str)}
    found = [name for name, value in texts.items() if value.partition("?")[0].lower().endswith(IMAGE_SUFFIXES)]
    found = found or [name for name, value in texts.items() if LOCAL_FILES in value or value.startswith("data:image")]
    if key not in texts and len(found) == 1:  # a task of an uploaded file may call it $undefined$
        key = found[0]
    if key not in texts:
        raise DataError(f"{where}: which of its data is the image? Give key=. Received: {', '.join(data) or 'none'}")
    return texts[key]
