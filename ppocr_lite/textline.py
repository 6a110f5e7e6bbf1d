"""A line of text on an image, and the words in it."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import shown
from ppocr_lite.geometry import min_area_quad, runs_downwards

Points = NDArray[np.float32]
Corners = tuple[tuple[float, float], ...]
# A word begins and ends this far from the middles of its outer characters: a share of the way to the space's middle,
# but at most so many distances between its characters, for the space may be wide.
TO_SPACE, TO_SELF = 0.6, 0.7
_WORD = re.compile(r"\S+")
_NO_LINE = re.compile("[\n\r\ud800-\udfff]")


class Word(NamedTuple):
    """A word of a line.

    Attributes:
        text: Its characters, no space among them.
        polygon: Four (x, y) corners, pixels of the input image, clockwise from the top left as it is read.
    """

    text: str
    polygon: Corners

    def to_dict(self) -> dict[str, Any]:
        """Return plain types."""
        return {"text": self.text, "polygon": [list(point) for point in self.polygon]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Word:
        """Return the word that :meth:`to_dict` described."""
        return cls(str(data["text"]), tuple((float(x), float(y)) for x, y in data["polygon"]))


@dataclass(frozen=True, eq=False)
class TextLine:
    """One line of text.

    Attributes:
        polygon: (P, 2) float32, read-only, P = 4 for quads, (x, y) pixels of the input image; clockwise from the
            reading-order top left.
        text: Recognised text, may be empty.
        score: Recognition confidence in [0, 1].
        det_score: Detection confidence in [0, 1].
        angle: 0 or 180, degrees the crop was turned before reading.
        words: What stands between the spaces of *text*, in its order, each with its place.

    Raises:
        ValueError: If *polygon* is not (P, 2).
    """

    polygon: Points
    text: str = ""
    score: float = 0.0
    det_score: float = 0.0
    angle: int = 0
    words: tuple[Word, ...] = ()

    def __post_init__(self) -> None:
        polygon = np.array(self.polygon, np.float32)  # a copy, so that nobody else can change it
        if polygon.ndim != 2 or polygon.shape[1] != 2:
            raise ValueError(f"TextLine.polygon must have shape (P, 2). Received: {polygon.shape}")
        polygon.flags.writeable = False
        object.__setattr__(self, "polygon", polygon)
        object.__setattr__(self, "words", tuple(self.words))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextLine) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        place = self.polygon.shape, self.polygon.tobytes()
        return *place, self.text, self.score, self.det_score, self.angle, self.words

    def placed_words(self) -> tuple[Word, ...]:
        """Return the words as *text* has them now; where their places are not known, the whole line as one."""
        texts = _WORD.findall(self.text)
        if self.words and len(texts) == len(self.words):
            return tuple(Word(text, word.polygon) for text, word in zip(texts, self.words, strict=True))
        return (Word(self.text, reading_corners(self.polygon, self.angle)),)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types."""
        return {
            "polygon": self.polygon.tolist(),
            "text": self.text,
            "score": self.score,
            "det_score": self.det_score,
            "angle": self.angle,
            "words": [word.to_dict() for word in self.words],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TextLine:
        """Return the line that :meth:`to_dict` described; one that has no words is fine.

        Raises:
            KeyError, TypeError, ValueError, OverflowError: If something is missing, unknown or of the wrong type, a
                number is not finite, or a text has more than one line or holds half a character.
        """
        line = cls(**{**data, "words": tuple(Word.from_dict(word) for word in data.get("words", ()))})
        corners = [number for word in line.words for point in word.polygon for number in point]
        if not (np.isfinite(line.polygon).all() and np.isfinite([line.score, line.det_score, *corners]).all()):
            raise ValueError("a number is not finite")
        for text in (line.text, *(word.text for word in line.words)):
            if not isinstance(text, str) or _NO_LINE.search(text):
                raise ValueError(f"no text of one line: {shown(text)}")
        return line


def split_blocks(lines: Sequence[TextLine], sizes: Sequence[int]) -> list[tuple[TextLine, ...]]:
    """Return lines by blocks.

    Args:
        lines: In reading order.
        sizes: How many lines each block has. All lines are one block if these do not add up to them.
    """
    if sum(sizes) != len(lines) or min(sizes, default=1) < 1:
        sizes = [len(lines)] if lines else []
    ends = list(itertools.accumulate(sizes))
    return [tuple(lines[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def find_words(
    text: str, positions: Sequence[float], polygon: Points, angle: int = 0, margin: float = 0.0
) -> tuple[Word, ...]:
    """Return the words of a line, what stands between its spaces, each with its place.

    Args:
        text: What was read.
        positions: Where each character has its middle, from 0 at the beginning of the line to 1 at its end. If there
            are not as many as characters, these count as equally wide.
        polygon: (P, 2), pixels; of more than four points, the smallest rectangle around them was read.
        angle: 0 or 180, degrees the line was turned before it was read.
        margin: How far beyond both ends of the polygon the line was read, as a share of its height.
    """
    spans = [match.span() for match in _WORD.finditer(text)]
    if not spans:
        return ()
    corners = reading_corners(polygon, angle)
    if len(positions) != len(text):
        positions = [(index + 0.5) / len(text) for index in range(len(text))]
    elif margin:
        length, height = math.dist(corners[0], corners[1]), math.dist(corners[0], corners[3])
        beyond = margin * height / max(length, 1.0)
        positions = [min(max(at * (1 + 2 * beyond) - beyond, 0.0), 1.0) for at in positions]
    words = []
    for start, end in spans:
        left, right = _edges(positions, start, end)
        words.append(Word(text[start:end], _between(corners, left, right)))
    return tuple(words)


def reading_corners(polygon: Points, angle: int = 0) -> Corners:
    """Return the corners of a line, clockwise from the top left as it is read; arguments as for :func:`find_words`."""
    quad = polygon if len(polygon) == 4 else min_area_quad(polygon)
    first = (1 if runs_downwards(quad) else 0) + (2 if angle == 180 else 0)
    corners = [(x, y) for x, y in quad.tolist()]
    return tuple(corners[first:] + corners[:first])


def _between(corners: Corners, left: float, right: float) -> Corners:
    """Return the part of a quad between two places along it, 0 at its left side and 1 at its right."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    return (
        (round(ax + (bx - ax) * left, 1), round(ay + (by - ay) * left, 1)),
        (round(ax + (bx - ax) * right, 1), round(ay + (by - ay) * right, 1)),
        (round(dx + (cx - dx) * right, 1), round(dy + (cy - dy) * right, 1)),
        (round(dx + (cx - dx) * left, 1), round(dy + (cy - dy) * left, 1)),
    )


def _edges(at: Sequence[float], start: int, end: int) -> tuple[float, float]:
    """Return where the word of the characters *start* to *end* begins and ends along a line."""
    last = end - 1
    # How wide its characters are; of a single one, how wide those of the line are.
    width = (at[last] - at[start]) / (last - start) if last > start else (at[-1] - at[0] or 1.0) / max(len(at) - 1, 1)
    before = TO_SELF * width if start == 0 else min(TO_SELF * width, TO_SPACE * (at[start] - at[start - 1]))
    after = TO_SELF * width if end == len(at) else min(TO_SELF * width, TO_SPACE * (at[end] - at[last]))
    return max(0.0, at[start] - before), min(1.0, at[last] + after)
