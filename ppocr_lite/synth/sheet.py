"""A flat page under composition: a canvas on which text is written and remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.synth import ink
from ppocr_lite.synth.background import colour
from ppocr_lite.synth.corpus import Corpus
from ppocr_lite.synth.draws import chance, integer, pick, uniform
from ppocr_lite.synth.face import FontFace
from ppocr_lite.synth.fonts import FontBook

WIDEST_SPACE = 4.0  # of a line set to the full width, in usual spaces
Look = Callable[[ink.Mask, int], ink.Mask]


@dataclass(frozen=True)
class Mark:
    """A line of text on a sheet.

    Attributes:
        polygon: (P, 2) float32, (x, y) pixels of the sheet, clockwise from the text's top left; P is even, the first
            half runs along the top.
        text: What it says.
    """

    polygon: NDArray[np.float32]
    text: str


def box_around(x0: float, y0: float, x1: float, y1: float, cap: int) -> NDArray[np.float32]:
    """Return the four corners of an ink box, grown by the margin that annotators leave, (4, 2) float32.

    A lone hyphen gets a box of readable height, half that of a capital, *cap*.
    """
    lack = max(0.0, 0.5 * cap - (y1 - y0)) / 2
    y0, y1 = y0 - lack, y1 + lack
    margin = 1.0 + 0.03 * (y1 - y0)
    x0, y0, x1, y1 = x0 - margin, y0 - margin, x1 + margin, y1 + margin
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


class Sheet:
    """A canvas and the text on it.

    Args:
        canvas: (H, W, 3) uint8 BGR, drawn on in place.
        rng: Where all draws of this page come from.
        fonts: Faces to write with.
        corpus: Words to write.
        look: Changes each line's mask as the printer of this page does.
    """

    def __init__(
        self,
        canvas: NDArray[np.uint8],
        rng: np.random.Generator,
        fonts: FontBook,
        corpus: Corpus,
        look: Look | None = None,
    ) -> None:
        self.canvas, self.rng, self.fonts, self.corpus, self.look = canvas, rng, fonts, corpus, look
        self.height, self.width = canvas.shape[:2]
        self.marks: list[Mark] = []

    def write(
        self,
        face: FontFace,
        size: int,
        text: str,
        x: float,
        y: float,
        fill: Any,
        align: float = 0.0,
        labelled: bool = True,
        room: float | None = None,
        gap: float = 1.0,
    ) -> tuple[int, int, int, int] | None:
        """Write one line if it fits on the canvas.

        Args:
            face: Font; characters it lacks are left out.
            size: Pixels per em.
            text: The line.
            x: Pen position at *align*: 0 the line's left, 0.5 its middle, 1 its right end.
            y: The baseline's row.
            fill: BGR colour.
            align: See *x*.
            labelled: False draws without remembering, for separators.
            room: Greatest width in pixels; a longer line is cut at a word.
            gap: Factor on the width of spaces.

        Returns:
            The ink's box x0, y0, x1, y1 on the canvas, or None if nothing was written.
        """
        if face.capitals_only:
            text = text.upper()
        lacking = face.missing(text)
        text = "".join(char for char in self.corpus.clean(text) if char not in lacking).strip()
        if room is not None:
            text = cut(face, size, text, room)
        drawn = ink.draw(face, size, text, gap=gap) if text else None
        if drawn is None:
            return None
        mask = drawn.mask if self.look is None else self.look(drawn.mask, drawn.cap)
        height, width = mask.shape
        left = round(x - align * width + (drawn.left if align == 0.0 else 0))
        top = round(y) + drawn.top
        if left < 1 or top < 1 or left + width > self.width - 1 or top + height > self.height - 1:
            return None
        ink.paint(self.canvas[top : top + height, left : left + width], mask * np.float32(1 / 255), fill)
        if labelled:
            polygon = box_around(left, top, left + width, top + height, drawn.cap)
            self.marks.append(Mark(polygon, " ".join(text.split())))
        return left, top, left + width, top + height

    def trim(self, margin: int) -> None:
        """Cut the canvas off *margin* pixels below the last line of text."""
        end = max(float(mark.polygon[:, 1].max()) for mark in self.marks)
        self.height = min(self.height, int(end) + margin)
        self.canvas = self.canvas[: self.height]

    def rule(self, x0: float, y0: float, x1: float, y1: float, fill: Any, thickness: int = 1) -> None:
        """Draw a straight line, sometimes dashed or dotted as the dice of this page say."""
        cv2.line(self.canvas, (int(x0), int(y0)), (int(x1), int(y1)), tuple(map(float, fill)), thickness)

    def dashes(self, x0: int, x1: int, y: int, fill: Any) -> None:
        """Draw a row of dashes, dots, stars or waves across a receipt; it carries no label."""
        step = integer(self.rng, 4, 14)
        length = max(1, int(step * uniform(self.rng, 0.2, 0.8)))
        double = chance(self.rng, 0.25)
        for x in range(x0, x1 - length, step):
            self.rule(x, y, x + length, y, fill, 1 + (length > 4 and step > 9))
            if double:
                self.rule(x, y + 4, x + length, y + 4, fill)

    def picture(self, x: int, y: int, width: int, height: int, source: NDArray[np.uint8]) -> None:
        """Paste a text-free picture, clipped to the canvas."""
        part = self.canvas[max(0, y) : y + height, max(0, x) : x + width]
        if part.size:
            part[...] = cv2.resize(source, (part.shape[1], part.shape[0]))

    def barcode(self, x: int, y: int, width: int, height: int) -> None:
        """Draw the bars of a barcode or the cells of a matrix code."""
        rng = self.rng
        if chance(rng, 0.3):
            side = min(width, height)
            cells = (rng.random((21, 21)) > 0.5).astype(np.uint8) * 255
            code = cv2.resize(cells, (side, side), interpolation=cv2.INTER_NEAREST)
            self.picture(x, y, side, side, cv2.cvtColor(code, cv2.COLOR_GRAY2BGR))
            return
        bars = (rng.random((1, max(8, width // integer(rng, 2, 3)))) > 0.5).astype(np.uint8) * 255
        code = cv2.resize(bars, (width, height), interpolation=cv2.INTER_NEAREST)
        self.picture(x, y, width, height, cv2.cvtColor(code, cv2.COLOR_GRAY2BGR))

    def scribble(self) -> None:
        """Draw a pen's stroke, a tick, a signature or a stamp's ring somewhere; none of them is text."""
        rng = self.rng
        x, y = integer(rng, 0, self.width), integer(rng, 0, self.height)
        tint = tuple(float(value) for value in np.minimum(colour(rng), 150))
        if chance(rng, 0.3):
            axes = (integer(rng, 25, 70), integer(rng, 20, 60))
            for grow in (0, integer(rng, 3, 12)):
                cv2.ellipse(self.canvas, (x, y), (axes[0] + grow, axes[1] + grow), 0, 0, 360, tint, 1, cv2.LINE_AA)
            return
        steps = rng.standard_normal((integer(rng, 3, 9), 2)) * np.array([uniform(rng, 5, 30), uniform(rng, 4, 25)])
        curve = np.cumsum(np.repeat(steps, 6, 0) / 3, 0)
        kernel = np.ones(5) / 5
        smooth = np.stack([np.convolve(curve[:, i], kernel, "valid") for i in (0, 1)], 1) + (x, y)
        cv2.polylines(self.canvas, [smooth.astype(np.int32)], False, tint, integer(rng, 1, 3), cv2.LINE_AA)

    def line_of(self, face: FontFace, size: int, width: float) -> str:
        """Return running text that fills about *width* pixels."""
        return cut(face, size, self.corpus.prose(self.rng, max(2, int(width / ink.mean_advance(face, size)))), width)

    def paragraph(
        self, face: FontFace, size: int, x: float, y: float, width: float, lines: int, fill: Any, leading: float = 1.4
    ) -> float:
        """Write running text into a column and return the next free baseline.

        Args:
            face: Font.
            size: Pixels per em.
            x: Left edge of the column.
            y: First baseline.
            width: Of the column, pixels.
            lines: How many; writing stops at the canvas's end.
            fill: BGR colour.
            leading: Distance of baselines in em.
        """
        align = pick(self.rng, (0.0, 0.0, 0.0, 0.0, 0.5)) if lines < 4 else 0.0
        justified = chance(self.rng, 0.4)
        for i in range(lines):
            if y > self.height - size * 0.4:
                break
            last = i == lines - 1
            reach = width * uniform(self.rng, 0.2, 1.0) if last else width
            text = self.line_of(face, size, reach)
            gap = spread(face, size, text, width) if justified and not last else 1.0
            self.write(face, size, text, x + align * width, y, fill, align, gap=gap)
            y += leading * size
        return y


def spread(face: FontFace, size: int, text: str, width: float) -> float:
    """Return the factor on its spaces that makes a line *width* pixels wide, as books are set, from 1 to 4."""
    spaces = text.count(" ")
    if not spaces:
        return 1.0
    font = face.font(size)
    lacking = width - font.getlength(text)
    return float(np.clip(1 + lacking / (spaces * max(1.0, font.getlength(" "))), 1.0, WIDEST_SPACE))


def cut(face: FontFace, size: int, text: str, room: float) -> str:
    """Shorten *text* until it is at most *room* pixels wide, at spaces where there are any near."""
    font = face.font(size)
    for _ in range(6):
        length = font.getlength(text)
        if length <= room or not text:
            return text
        keep = max(0, min(len(text) - 1, int(len(text) * room / length)))
        piece = text[:keep]
        space = piece.rfind(" ")
        text = piece[:space] if space > 0.6 * keep else piece
    return text if font.getlength(text) <= room else ""
