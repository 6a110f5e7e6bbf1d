"""One face of a font file: which characters it can draw, and what kind of letters they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

SAME_GLYPH = 16.0  # mean difference in grey levels below which two drawings are one
BIG_PROBE = 160
PROBE_SIZE = 24  # pixels; large enough that no outline glyph vanishes
SLANTED = re.compile(r"[Ii]tal|[Oo]bli|[Ss]lant|(?<=[a-zRB])I$")
THIN = re.compile("thin|hairline|extralight|ultralight", re.I)
CASE_PROBE = "aegr"  # letters whose capital has another shape


@dataclass(frozen=True)
class FontFace:
    """One face of a font file.

    Attributes:
        path: The file.
        index: The face inside a collection, else 0.
        family: Name shared by the weights and slants of a design; the unit of the split.
        chars: The wanted characters that the cmap maps to a glyph.
        script: ``"cjk"`` if the cmap holds a good part of the ideographs, else ``"latin"``.
    """

    path: str
    index: int
    family: str
    chars: frozenset[str] = field(repr=False)
    script: Literal["latin", "cjk"] = "latin"

    @property
    def name(self) -> str:
        """File stem, with the face index for collections."""
        stem = Path(self.path).stem
        return f"{stem}#{self.index}" if self.path.lower().endswith(".ttc") else stem

    def font(self, size: int) -> ImageFont.FreeTypeFont:
        """Return the face at *size* pixels per em, cached for the process."""
        return _load(self.path, self.index, size)

    def supports(self, char: str) -> bool:
        """Tell whether *char* has a glyph with ink (a space: an advance) that is not the missing-glyph box."""
        return char in self.chars and _has_glyph(self.path, self.index, char)

    def missing(self, text: str) -> str:
        """Return the characters of *text* that the face cannot draw, in order, each once."""
        return "".join(dict.fromkeys(char for char in text if not self.supports(char)))

    @property
    def slanted(self) -> bool:
        """True for italic and oblique faces, judged by the file's name."""
        return _named(SLANTED, self.path)

    @property
    def thin(self) -> bool:
        """True for weights too light to be read at small sizes, judged by the file's name."""
        return _named(THIN, self.path)

    @property
    def monospaced(self) -> bool:
        """True if narrow and wide letters advance alike."""
        return _monospaced(self.path, self.index)

    @property
    def capitals_only(self) -> bool:
        """True if lower-case letters look like capitals, so that only upper-case text may be labelled."""
        return _capitals_only(self.path, self.index)


@lru_cache(maxsize=4096)
def _named(pattern: re.Pattern[str], path: str) -> bool:
    return bool(pattern.search(Path(path).stem))


@lru_cache(maxsize=1024)
def _load(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.BASIC)


def _glyph(path: str, index: int, char: str, size: int = PROBE_SIZE) -> tuple[tuple[int, int], bytes]:
    """Size and pixels of one glyph, cropped to its ink; an empty one has size (0, 0)."""
    mask = _load(path, index, size).getmask(char)
    box = mask.getbbox()
    if box is None:
        return (0, 0), b""
    cropped = mask.crop(box)
    return cropped.size, bytes(cropped)


@lru_cache(maxsize=512)
def _notdef(path: str, index: int, size: int) -> tuple[tuple[int, int], bytes]:
    return _glyph(path, index, "\U0010fffd", size)


@lru_cache(maxsize=400_000)
def _has_glyph(path: str, index: int, char: str) -> bool:
    if char.isspace():
        return _load(path, index, PROBE_SIZE).getlength(char) > 0
    try:
        glyph = _glyph(path, index, char)
    except OSError:  # FreeType refuses a broken outline
        return False
    return glyph[0] != (0, 0) and not _is_box(path, index, char, glyph[0])


def _is_box(path: str, index: int, char: str, size: tuple[int, int]) -> bool:
    """Tell whether a glyph is the missing-glyph box again.

    Hinting may treat the two differently by a pixel, so glyphs of about the same size are compared large.
    """
    box = _notdef(path, index, PROBE_SIZE)[0]
    if box == (0, 0) or max(abs(size[0] - box[0]), abs(size[1] - box[1])) > 1:
        return False
    pictures = []
    for (width, height), pixels in (_glyph(path, index, char, BIG_PROBE), _notdef(path, index, BIG_PROBE)):
        pictures.append(np.frombuffer(pixels, np.uint8).reshape(height, width).astype(np.int16))
    height, width = (min(each) for each in zip(*(picture.shape for picture in pictures), strict=True))
    one, two = (picture[:height, :width] for picture in pictures)
    return float(np.abs(one - two).mean()) < SAME_GLYPH


@lru_cache(maxsize=1024)
def _monospaced(path: str, index: int) -> bool:
    font = _load(path, index, PROBE_SIZE)
    return bool(font.getlength("i") == font.getlength("W"))


@lru_cache(maxsize=1024)
def _capitals_only(path: str, index: int) -> bool:
    same = 0
    for char in CASE_PROBE:
        small, big = (_outline(path, index, each) for each in (char, char.upper()))
        same += small is not None and big is not None and float(np.abs(small - big).mean()) < 0.09
    return same > len(CASE_PROBE) // 2


def _outline(path: str, index: int, char: str) -> NDArray[np.float32] | None:
    """A glyph's ink box scaled to 16×16, values in [0, 1]; None if it is empty."""
    (width, height), pixels = _glyph(path, index, char, 64)
    if not width:
        return None
    array = np.frombuffer(pixels, np.uint8).reshape(height, width)
    rows = (np.arange(16) + 0.5) * height / 16
    columns = (np.arange(16) + 0.5) * width / 16
    return np.asarray(array[rows.astype(int)][:, columns.astype(int)] / np.float32(255), np.float32)
