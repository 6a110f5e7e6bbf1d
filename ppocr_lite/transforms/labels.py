"""Label files: their lines, and the label of a line → arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from ppocr_lite import geometry
from ppocr_lite.charset import Charset
from ppocr_lite.errors import DataError, shown
from ppocr_lite.transforms.base import TRANSFORMS, Sample

# Transcriptions of regions that nobody could read; the last, "to be recognised", is what PPOCRLabel writes into a new
# box.
TO_BE_READ = "待识别"
IGNORED_TEXTS = frozenset({"###", "*", "", TO_BE_READ})
# Classes of a guiding head; its characters follow, where those of CTC follow the blank.
_START, _END = 2, 3
_MIN_POINTS = 4
_MIN_AREA_PX = 1.0
_FARTHEST_PX = 1e6  # no image is as large; far beyond, what computes with polygons overflows


def read_lines(file: Path) -> list[tuple[int, str]]:
    """Return number, counted from 1, and text of each line that is not blank.

    A line ends at a line feed, or a carriage return and a line feed, and nowhere else: form feeds, U+0085 or U+2028,
    at which ``str.splitlines`` splits too, may be part of a text.

    Args:
        file: UTF-8, with or without a byte-order mark.

    Raises:
        DataError: If the file cannot be read.
    """
    if file.exists() and not file.is_file():  # a pipe would be waited for, a device never ends
        raise DataError(f"{file}: the label file cannot be read: it is no file.")
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: the label file cannot be read: {error}") from error
    lines = ((number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), 1))
    return [(number, line) for number, line in lines if line.strip()]


@TRANSFORMS.register
class DetLabelEncode:
    """Parse ``[{"transcription": "text", "points": [[x, y], …]}, …]``.

    Polygons of one image may have different numbers of points. A quad whose edges cross, as when its corners are
    listed row by row, is put in order. A polygon without an area, or with more corners and crossing edges, is kept
    as an ignored region: its convex hull is masked, and it is neither trained on nor scored. So is an entry with
    ``"difficult": true``.

    Raises:
        DataError: When called, if the label is not such a list, or a point lies a million pixels away. Names the
            entry, and ``sample["path"]`` if any.
    """

    requires: ClassVar[tuple[str, ...]] = ("label",)
    provides: ClassVar[tuple[str, ...]] = ("polys", "texts", "ignore_tags")

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``polys``, a list of float32 (P, 2), ``texts`` and ``ignore_tags``, bool (N,)."""
        where = _where(sample)
        polys: list[geometry.Array] = []
        texts: list[str] = []
        ignore: list[bool] = []
        for index, entry in enumerate(_read_entries(sample["label"], where)):
            text, polygon = _read_entry(entry, f"{where}entry {index}")
            polygon, usable = _repair(polygon)
            polys.append(polygon)
            texts.append(text)
            ignore.append(not usable or text in IGNORED_TEXTS or entry.get("difficult") is True)
        return sample | {"polys": polys, "texts": texts, "ignore_tags": np.array(ignore, dtype=bool)}


@TRANSFORMS.register
class CTCLabelEncode:
    """Turn a line of text into the target of a CTC loss.

    Args:
        charset: The characters of the recogniser.
        max_text_length: Length of the target array; longer texts are refused.

    Raises:
        DataError: When called, if the text is empty, too long, or has a character outside *charset*.
    """

    requires: ClassVar[tuple[str, ...]] = ("label",)
    provides: ClassVar[tuple[str, ...]] = ("label", "length", "text")

    def __init__(self, charset: Charset, max_text_length: int = 25) -> None:
        self.charset = charset
        self.max_text_length = max_text_length

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``label`` int32 (max_text_length,), ``length`` int64 and ``text``."""
        text, where = sample["label"], _where(sample)
        if not isinstance(text, str) or not text:
            raise DataError(f"{where}a line needs a text to train on. Received: {shown(text)}")
        if len(text) > self.max_text_length:
            raise DataError(
                f"{where}the text has {len(text)} characters, but Global.max_text_length is {self.max_text_length}. "
                f"Received: {shown(text)}"
            )
        try:
            indices = self.charset.encode(text)
        except DataError as error:
            raise DataError(f"{where}{error}") from error
        label = np.zeros(self.max_text_length, dtype=np.int32)
        label[: len(indices)] = indices
        return sample | {"label": label, "length": np.int64(len(indices)), "text": text}


@TRANSFORMS.register
class MultiLabelEncode:
    """Turn a line of text into the targets of CTC and of the head that guides it.

    The guide's classes are 0 for padding, 1 for an unknown character, 2 for the start, 3 for the end, and then the
    characters; none of the texts that :class:`CTCLabelEncode` takes is too long.

    Args:
        charset: The characters of the recogniser.
        max_text_length: Length of the target array of CTC; longer texts are refused.
        gtc_encode: How the guide's target is made; there is one way.

    Raises:
        DataError: When called, if the text is empty, too long, or has a character outside *charset*.

    Source:
        Sheng et al., NRTR, ICDAR 2019, §III.
    """

    requires: ClassVar[tuple[str, ...]] = ("label",)
    provides: ClassVar[tuple[str, ...]] = ("label_ctc", "label_gtc", "length", "text")

    def __init__(
        self,
        charset: Charset,
        max_text_length: int = 25,
        gtc_encode: Literal["NRTRLabelEncode"] = "NRTRLabelEncode",
    ) -> None:
        self.ctc_encode = CTCLabelEncode(charset, max_text_length)
        self.gtc_encode = gtc_encode

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``label_ctc`` int32 (max_text_length,), ``label_gtc`` int32 (max_text_length + 2,)."""
        sample = self.ctc_encode(sample)
        label, length = sample.pop("label"), int(sample["length"])
        guide = np.zeros(len(label) + 2, dtype=np.int32)
        guide[0], guide[length + 1] = _START, _END
        guide[1 : length + 1] = label[:length] + _END
        return sample | {"label_ctc": label, "label_gtc": guide}


@TRANSFORMS.register
class ClsLabelEncode:
    """Turn the name of a class into its index.

    Args:
        label_list: Names as they stand in the label file, in the order of the classes.

    Raises:
        DataError: When called, if the label is no name of the list.
    """

    requires: ClassVar[tuple[str, ...]] = ("label",)
    provides: ClassVar[tuple[str, ...]] = ("label",)

    def __init__(self, label_list: tuple[str, ...] = ("0", "180")) -> None:
        self.label_list = tuple(label_list)

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``label`` int64, an index into the list."""
        name = str(sample["label"]).strip()
        if name not in self.label_list:
            known = list(self.label_list)
            raise DataError(f"{_where(sample)}the label must be one of {known}. Received: {shown(name)}")
        return sample | {"label": np.int64(self.label_list.index(name))}


def _where(sample: Sample) -> str:
    return f"{sample['path']}: " if sample.get("path") else ""


def _read_entries(label: Any, where: str) -> list[Any]:
    try:
        entries = json.loads(label)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{where}the label is not JSON: {error}. Received: {str(label)[:80]!r}") from error
    if not isinstance(entries, list):
        raise DataError(f"{where}the label must be a list of regions. Received: {str(label)[:80]!r}")
    return entries


def _read_entry(entry: Any, where: str) -> tuple[str, geometry.Array]:
    if not isinstance(entry, dict) or "points" not in entry:
        raise DataError(f"{where} must have 'transcription' and 'points'. Received: {shown(entry)}")
    text, points = entry.get("transcription"), entry["points"]
    if not isinstance(text, str):
        hint = "'###' marks an illegible region"
        raise DataError(f"{where}: 'transcription' must be text; {hint}. Received: {shown(text)}")
    try:
        polygon = geometry.as_polygon(points)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
    if len(polygon) < _MIN_POINTS:
        raise DataError(f"{where} has {len(polygon)} points, needs at least {_MIN_POINTS}. Received: {shown(points)}")
    if np.abs(polygon).max() > _FARTHEST_PX:
        raise DataError(f"{where}: a point lies farther than {_FARTHEST_PX:g} pixels away. Received: {shown(points)}")
    return text, polygon


def _repair(polygon: geometry.Array) -> tuple[geometry.Array, bool]:
    """Return a polygon whose edges do not cross, and whether it may be trained on."""
    if not geometry.is_simple(polygon):
        if len(polygon) > 4:
            return geometry.convex_hull(polygon), False
        polygon = geometry.order_quad(polygon)
    return polygon, geometry.area(polygon) >= _MIN_AREA_PX
