"""Text as a grey mask: drawing it with a font, and the ways print departs from the font's outline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ppocr_lite.synth.draws import chance, integer, pick, uniform
from ppocr_lite.synth.face import FontFace

Mask = NDArray[np.uint8]
Box = tuple[int, int, int, int]
CAP_PROBE = "H"
FULL = 230  # least greatest coverage of a drawn line


@dataclass(frozen=True)
class Ink:
    """A drawn line of text.

    Attributes:
        mask: (H, W) uint8, 255 where ink covers the pixel; cropped to the ink.
        left: x of the mask's first column, from the pen's start.
        top: y of the mask's first row, from the baseline, negative above.
        cap: Height of a capital in pixels, > 0.
    """

    mask: Mask
    left: int
    top: int
    cap: int

    @property
    def bottom(self) -> int:
        """Row after the last one, from the baseline."""
        return int(self.top + self.mask.shape[0])


@lru_cache(maxsize=4096)
def cap_height(face: FontFace, size: int) -> int:
    """Return the height of a capital (an ideograph where there are none), in pixels, at least 1."""
    probe = CAP_PROBE if CAP_PROBE in face.chars else next(iter(sorted(face.chars - {" "})))
    box = face.font(size).getbbox(probe, anchor="ls")
    return max(1, int(-box[1]))


@lru_cache(maxsize=4096)
def mean_advance(face: FontFace, size: int) -> float:
    """Return the usual advance of a character in pixels, to guess how much text fits."""
    probe = "the quick brown fox jumps over it 0123" if "e" in face.chars else "".join(sorted(face.chars))[-20:]
    return float(face.font(size).getlength(probe)) / len(probe)


def draw(
    face: FontFace, size: int, text: str, spacing: float = 0.0, gap: float = 1.0, smooth: bool = True
) -> Ink | None:
    """Draw one line of text.

    Args:
        face: Must support every character of *text*.
        size: Pixels per em, ≥ 6.
        text: What to draw; spaces may be doubled.
        spacing: Extra space after each character, in em; may be slightly negative.
        gap: Factor on the width of spaces.
        smooth: Whether pixels may be partly covered; otherwise each is ink or not, as on screens that do not smooth.

    Returns:
        The ink, or None if nothing became visible.
    """
    font = face.font(size)
    pad = size // 2 + 2
    ascent, descent = font.getmetrics()
    height = max(ascent + descent, size) + 2 * pad
    base = pad + max(ascent, size * 3 // 4)
    pieces = _pieces(text, spacing, gap)
    places, x = [], 0.0
    for piece in pieces:
        places.append(x)
        x += font.getlength(piece) * (gap if piece == " " else 1.0) + spacing * size
    image = Image.new("L", (max(int(x) + 2 * pad, 1), height))
    pen = ImageDraw.Draw(image)
    pen.fontmode = "L" if smooth else "1"
    for piece, x in zip(pieces, places, strict=True):
        if piece != " ":
            pen.text((pad + round(x), base), piece, fill=255, font=font, anchor="ls")
    mask = np.asarray(image)
    x0, y0, w, h = cv2.boundingRect(mask)
    if not w or not h:
        return None
    mask = mask[y0 : y0 + h, x0 : x0 + w]
    peak = int(mask.max())
    if peak < FULL:  # hairlines at small sizes come out grey; print them with enough ink
        mask = np.minimum(mask.astype(np.uint16) * FULL // peak, 255).astype(np.uint8)
    return Ink(mask, x0 - pad, y0 - base, cap_height(face, size))


def word_boxes(line: Ink, face: FontFace, size: int, text: str, spacing: float = 0.0) -> list[tuple[str, Box]]:
    """Return each word of a line that *draw* drew, with the box of its ink in the mask: x0, y0, x1, y1.

    A word that left no ink is left out.
    """
    font = face.font(size)
    slack = max(1, round(0.3 * (font.getlength(" ") + spacing * size)))  # letters lean over their advance
    found = []
    for match in re.finditer(r"\S+", text):
        begin, end = (font.getlength(text[:at]) + spacing * size * at - line.left for at in match.span())
        left = max(0, round(begin) - slack)
        x, y, width, height = cv2.boundingRect(line.mask[:, left : max(left, round(end) + slack)])
        if width and height:
            found.append((match.group(), (left + x, y, left + x + width, y + height)))
    return found


def _pieces(text: str, spacing: float, gap: float) -> list[str]:
    """Return what can be drawn in one go: the line, its words and spaces, or its characters."""
    if spacing:
        return list(text)
    return [text] if gap == 1.0 else [piece for piece in re.split("( )", text) if piece]


def dot_matrix(mask: Mask, cap: int, rng: np.random.Generator) -> Mask:
    """Redraw a mask with the separate round dots of a needle printer, at about the same size."""
    rows = uniform(rng, 8.5, 12.0)  # dots per capital; needle printers have 7 to 9, two passes give more
    pitch = max(2.0, cap / rows)
    size = (max(3, round(mask.shape[1] / pitch)), max(3, round(mask.shape[0] / pitch)))
    coarse = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    coarse = np.where(coarse > uniform(rng, 70, 110), np.uint8(255), np.uint8(0))
    cell = 5
    dots = cv2.resize(coarse, None, fx=cell, fy=cell, interpolation=cv2.INTER_NEAREST)
    kernel = _dot(cell, round(uniform(rng, 1.9, 2.9), 1))
    dots = (dots * np.tile(kernel, coarse.shape)).astype(np.uint8)
    return np.asarray(cv2.resize(dots, (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_AREA))


@lru_cache(maxsize=64)
def _dot(cell: int, radius: float) -> NDArray[np.float32]:
    axis = np.arange(cell) - (cell - 1) / 2
    return np.asarray(np.clip(radius + 0.5 - np.hypot(axis[:, None], axis[None]), 0, 1).astype(np.float32))


def thermal(mask: Mask, rng: np.random.Generator) -> Mask:
    """Snap a mask to a coarse grid of fully black cells, as a till's thermal head prints."""
    factor = uniform(rng, 1.0, 2.2) if mask.shape[0] > 16 else 1.0
    size = (max(2, round(mask.shape[1] / factor)), max(2, round(mask.shape[0] / factor)))
    coarse = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    coarse = np.where(coarse > uniform(rng, 60, 150), np.uint8(255), np.uint8(0))
    flags = cv2.INTER_NEAREST if chance(rng, 0.3) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(coarse, (mask.shape[1], mask.shape[0]), interpolation=flags))


def weight(mask: Mask, rng: np.random.Generator, cap: int) -> Mask:
    """Make strokes a little bolder or thinner; never so thin that they vanish."""
    if chance(rng, 0.65) or cap < 16:
        shape = pick(rng, ((2, 2), (3, 2), (2, 1), (1, 2)))
        return np.asarray(cv2.dilate(mask, np.ones(shape, np.uint8)))
    thin = cv2.erode(mask, np.ones((2, 2), np.uint8))
    return thin if int(np.count_nonzero(thin > 100)) > 0.5 * int(np.count_nonzero(mask > 100)) else mask


def worn(mask: Mask, rng: np.random.Generator) -> Mask:
    """Let ink fade: in blotches, in rows as under a dirty print head, or in columns."""
    height, width = mask.shape
    form = rng.random()
    if form < 0.5:
        grid = rng.random((max(2, height // 6), max(2, width // 6)), dtype=np.float32)
        fade = cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
        fade = np.clip(fade * uniform(rng, 1.2, 2.4) + 0.35, 0, 1)
    elif form < 0.75:
        fade = np.ones((height, 1), np.float32)
        for _ in range(integer(rng, 1, 2)):
            fade[integer(rng, 0, height - 1)] = uniform(rng, 0.0, 0.6)
    else:
        fade = np.clip(rng.random((height, width), dtype=np.float32) * uniform(rng, 1.5, 3) + 0.2, 0, 1)
    return np.asarray((mask * fade).astype(np.uint8))


def arc(mask: Mask, bend: float) -> tuple[Mask, NDArray[np.float32]]:
    """Bend a mask along a parabola.

    Args:
        mask: (H, W) uint8.
        bend: Height of the bow in mask heights, positive: the middle is higher.

    Returns:
        The bent mask, (H + bow, W), and the y shift of each column, (W,) float32, that took place.
    """
    height, width = mask.shape
    bow = abs(bend) * height
    t = np.linspace(-1, 1, width, dtype=np.float32)
    shift = bow * t * t if bend > 0 else bow * (1 - t * t)
    rows = np.arange(height + int(np.ceil(bow)), dtype=np.float32)
    map_y = rows[:, None] - shift[None]
    map_x = np.broadcast_to(np.arange(width, dtype=np.float32), map_y.shape)
    bent = cv2.remap(mask, np.ascontiguousarray(map_x), map_y, cv2.INTER_LINEAR, borderValue=0)
    return bent, shift.astype(np.float32)


def paint(image: Any, alpha: NDArray[np.float32], colour: Any) -> None:
    """Blend a colour, or an image of the same size, into *image* where *alpha* says so.

    Args:
        image: (H, W, 3) uint8, changed in place; may be a view of a larger one.
        alpha: (H, W) float32 in [0, 1].
        colour: Three numbers in [0, 255], or (H, W, 3).
    """
    base = image.astype(np.float32)
    base += (np.asarray(colour, np.float32) - base) * alpha[..., None]
    image[...] = np.clip(base, 0, 255).astype(np.uint8)
