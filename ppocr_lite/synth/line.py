"""Made text lines, as a detector would crop them: for recognition and for telling upright from upside down."""

from __future__ import annotations

import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import DataError
from ppocr_lite.io.images import Image
from ppocr_lite.synth import effects, ink
from ppocr_lite.synth.background import Backgrounds, colour
from ppocr_lite.synth.corpus import Corpus
from ppocr_lite.synth.draws import chance, integer, pick, uniform, weighted
from ppocr_lite.synth.face import FontFace
from ppocr_lite.synth.fonts import FontBook

SIZES = (14, 17, 20, 24, 28, 32, 38, 46)  # pixels per em; few, so that the fonts stay cached
SCREEN_SIZES = (11, 12, 13, 14, 15, 16, 20)
STYLES = (("print", 0.34), ("receipt", 0.31), ("scene", 0.21), ("screen", 0.14))
TRIES = 12
READABLE = 14.0  # grey levels between the means of ink and paper; less is guessing
BITMAP = 0.5  # of the lines on screens, as where fonts are not smoothed
CUT_TAILS = 0.15  # of lines with ink below the baseline, as where a detector frames letters without their tails
STEP = 4  # pixels of a 32-high line that become one step of the recogniser


class LineMaker:
    """Makes images of single text lines.

    Args:
        charset_text: The characters that labels may hold.
        fonts: Faces to draw with.
        corpus: Where the text comes from.
        height: Least and greatest height of an image in pixels.
        max_chars: Longest label.
        min_chars: Shortest label.
        max_width: Greatest width at height 32, in pixels; longer texts are cut.  None leaves them.
        backgrounds: Backgrounds; by default procedural ones.
        strength: How often effects are applied; 0 gives clean print, 1 is usual.

    Raises:
        DataError: If a limit makes no sense.
    """

    def __init__(
        self,
        charset_text: str,
        fonts: FontBook,
        corpus: Corpus,
        height: tuple[int, int] = (32, 48),
        max_chars: int = 25,
        min_chars: int = 1,
        max_width: int | None = None,
        backgrounds: Backgrounds | None = None,
        strength: float = 1.0,
    ) -> None:
        if not 8 <= height[0] <= height[1] or not 1 <= min_chars <= max_chars:
            raise DataError(
                f"LineMaker: height must be 8 ≤ low ≤ high and 1 ≤ min_chars ≤ max_chars. Received: height={height}, "
                f"min_chars={min_chars}, max_chars={max_chars}."
            )
        self.charset = frozenset(charset_text)
        self.fonts, self.corpus = fonts, corpus
        self.height, self.max_width = height, max_width
        self.max_chars, self.min_chars = max_chars, min_chars
        self.backgrounds = backgrounds or Backgrounds()
        self.strength = strength

    def make(self, rng: np.random.Generator) -> tuple[Image, str]:
        """Return an image, (H, W, 3) uint8 BGR, and its text, never empty and always inside the charset."""
        style = weighted(rng, STYLES)
        drawn, text = self._draw(rng, style)
        mask = self._print(drawn, rng, style)
        alpha, height = self._place(mask, drawn, text, rng, style)
        image = self._colour(alpha, rng, style, height)
        worn = effects.degrade_line(image, rng, self.strength)
        return (worn if _readable(worn, alpha) else image), text

    def _draw(self, rng: np.random.Generator, style: str) -> tuple[ink.Ink, str]:
        """Choose text and face until the one can be drawn with the other."""
        for _ in range(TRIES):
            face = self.fonts.pick(rng, 0.7 if style == "receipt" else 0.05)
            text = self.corpus.phrase(rng, self.min_chars, self.max_chars)
            if face.capitals_only:
                text = text.upper()
            drawn = self._try(face, text, rng, style)
            if drawn is not None:
                return drawn
        raise DataError(
            f"No text could be drawn in {TRIES} tries. Check with FontBook.report that the fonts support the corpus's "
            "characters."
        )

    def _try(self, face: FontFace, text: str, rng: np.random.Generator, style: str) -> tuple[ink.Ink, str] | None:
        lacking = face.missing(text)
        if lacking:
            text = "".join(char for char in text if char not in lacking).strip()
        if not self.charset.issuperset(text):
            text = "".join(char for char in text if char in self.charset).strip()
        size = pick(rng, SCREEN_SIZES if style == "screen" else SIZES)
        if self.max_width:
            advance = ink.mean_advance(face, size)
            room = int(self.max_width / 32 * ink.cap_height(face, size) * 1.25 / max(advance, 1.0))
            if len(text) > max(room, 1):
                text = text[: max(room, 1)].rsplit(" ", 1)[0].strip()
        if len(text) < self.min_chars or not text:
            return None
        spacing, gap = 0.0, 1.0
        if chance(rng, 0.12):
            spacing = uniform(rng, -0.04, 0.22) if style != "receipt" else uniform(rng, -0.03, 0.12)
        if chance(rng, 0.12):
            gap = uniform(rng, 0.7, 2.2)
        smooth = not (style == "screen" and chance(rng, BITMAP))
        drawn = ink.draw(face, size, text, spacing, gap, smooth)
        return None if drawn is None else (drawn, re.sub(" +", " ", text))

    def _print(self, drawn: ink.Ink, rng: np.random.Generator, style: str) -> ink.Mask:
        """Change the mask as the style's printing does; its shape stays."""
        mask = drawn.mask
        if chance(rng, 0.12):
            mask = ink.weight(mask, rng, drawn.cap)
        if style == "receipt":
            form = rng.random()
            if form < 0.12 and drawn.cap >= 13:
                mask = ink.dot_matrix(mask, drawn.cap, rng)
            elif form < 0.55:
                mask = ink.thermal(mask, rng)
        if chance(rng, 0.22 if style == "receipt" else 0.03):
            mask = ink.worn(mask, rng)
        if int(mask.sum()) < 0.45 * int(drawn.mask.sum()):  # thin strokes fell through the grid
            mask = drawn.mask
        if style == "scene" and chance(rng, 0.22) and mask.shape[1] > mask.shape[0]:
            mask, _ = ink.arc(mask, uniform(rng, -0.35, 0.35))
        return mask

    def _place(
        self, mask: ink.Mask, drawn: ink.Ink, text: str, rng: np.random.Generator, style: str
    ) -> tuple[NDArray[np.float32], int]:
        """Put the mask into a crop of the final size, with margins, slant and perspective.

        Returns:
            Coverage (H, W) float32 in [0, 1], and the height in pixels.
        """
        height = integer(rng, *self.height)
        ink_height, ink_width = mask.shape
        extent = float(max(ink_height, drawn.cap * 0.8))  # a full stop is not blown up to the height of the line
        above = (extent - ink_height) * (1.0 if drawn.bottom < 0.25 * drawn.cap else 0.2)
        if drawn.bottom < -0.3 * drawn.cap:  # hyphens, quotes: keep their place above the baseline
            above = min(extent - ink_height, drawn.cap + drawn.top if drawn.top > -drawn.cap else 0)
        top, bottom, left, right = (self._margin(rng) for _ in range(4))
        left, right = max(left, 0.0), max(right, 0.0)
        if drawn.bottom > 0.1 * drawn.cap and chance(rng, CUT_TAILS):
            bottom = -uniform(rng, 0.0, 0.6) * drawn.bottom / extent
        scale = height / (extent * (1 + top + bottom))
        if style == "receipt":
            stretch = uniform(rng, 0.58, 1.1) if chance(rng, 0.7) else 1.0  # till printers have narrow letters
        else:
            stretch = uniform(rng, 0.75, 1.25) if chance(rng, 0.45) else 1.0
        least = STEP * height / 32 * (len(text) + sum(a == b for a, b in zip(text, text[1:], strict=False)) + 1)
        width_scale = max(scale * stretch, least / (ink_width + extent * (left + right)))
        width = max(8, round((ink_width + extent * (left + right)) * width_scale))
        if self.max_width and width > self.max_width * height / 32:
            width_scale *= self.max_width * height / 32 / width
            width = int(self.max_width * height / 32)
        x0, y0 = extent * left * width_scale, (extent * top + above) * scale
        x1, y1 = x0 + ink_width * width_scale, y0 + ink_height * scale
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
        if chance(rng, 0.3 * min(1.0, self.strength)):
            tilt = uniform(rng, -0.07, 0.07) * height
            corners[:, 1] += np.array([-tilt, tilt, tilt, -tilt], np.float32)
            corners += (rng.random((4, 2)).astype(np.float32) - 0.5) * np.float32(0.1 * height)
        if chance(rng, 0.12):
            lean = uniform(rng, -0.25, 0.35) * (y1 - y0)
            corners[:2, 0] += np.float32(lean)
        source = np.array([[0, 0], [ink_width, 0], [ink_width, ink_height], [0, ink_height]], np.float32)
        matrix = cv2.getPerspectiveTransform(source, corners)
        if scale < 0.6:
            mask = cv2.GaussianBlur(mask, (0, 0), 0.35 / scale)
        alpha = cv2.warpPerspective(mask, matrix, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32)
        alpha *= np.float32(1 / 255)
        self._company(alpha, mask, rng, (y0, y1))
        return alpha, height

    def _margin(self, rng: np.random.Generator) -> float:
        """Space beside the ink, in line heights: tight, usual or loose."""
        form = rng.random()
        if form < 0.35:
            return uniform(rng, -0.03, 0.05)
        return uniform(rng, 0.05, 0.18) if form < 0.85 else uniform(rng, 0.18, 0.4)

    def _company(
        self, alpha: NDArray[np.float32], mask: ink.Mask, rng: np.random.Generator, rows: tuple[float, float]
    ) -> None:
        """Add what stands around a line: underline, table rules, the neighbouring lines' edges; in place."""
        height, width = alpha.shape
        thick = max(1, height // integer(rng, 14, 40))
        if chance(rng, 0.045 * self.strength):
            y = min(height - 1, round(rows[1] + uniform(rng, -0.02, 0.06) * height))
            alpha[y : y + thick, :] = np.maximum(alpha[y : y + thick, :], uniform(rng, 0.5, 1))
        if chance(rng, 0.05 * self.strength):
            for edge in pick(rng, ((0,), (height - thick,), (0, height - thick))):
                alpha[edge : edge + thick, :] = uniform(rng, 0.4, 1)
        if chance(rng, 0.04 * self.strength):
            for edge in pick(rng, ((0,), (width - thick,), (0, width - thick))):
                alpha[:, edge : edge + thick] = uniform(rng, 0.4, 1)
        if chance(rng, 0.07 * self.strength):  # the edge of the line above or below, cut off by the crop
            cut = max(1, round(height * uniform(rng, 0.03, 0.09)))
            below = chance(rng, 0.5)
            strip = mask[: max(1, mask.shape[0] // 6)] if below else mask[-max(1, mask.shape[0] // 6) :]
            strip = cv2.resize(strip[:, ::-1], (width, cut), interpolation=cv2.INTER_LINEAR) / np.float32(255)
            target = alpha[-cut:] if below else alpha[:cut]
            np.maximum(target, strip, out=target)

    def _colour(self, alpha: NDArray[np.float32], rng: np.random.Generator, style: str, height: int) -> Image:
        """Lay the ink in a colour on a background it stands out from."""
        width = alpha.shape[1]
        paper, fill = _colours(rng, style)
        if style == "scene" and chance(rng, 0.4):
            image = self.backgrounds.scene(rng, height, width)
            flatness = np.float32(uniform(rng, 0.25, 0.9))  # calm the texture so that the text stays readable
            image = (image * (1 - flatness) + paper * flatness).astype(np.uint8)
            mean = image.reshape(-1, 3).mean(0)
            fill = stand_out(mean, fill, rng)
        else:
            image = self.backgrounds.paper(rng, height, width, paper)
        if style in ("scene", "screen") and chance(rng, 0.22):
            _ornament(image, alpha, fill, rng)
        if chance(rng, 0.06):  # ink that changes along the line
            ramp = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
            fill = fill + (stand_out(paper, colour(rng), rng) - fill) * ramp * 0.7
        ink.paint(image, alpha, fill)
        if not _readable(image, alpha):
            ink.paint(image, alpha, stand_out(image.reshape(-1, 3).mean(0), fill.reshape(-1, 3).mean(0), rng))
        return image


def _readable(image: Image, alpha: NDArray[np.float32]) -> bool:
    """Tell whether ink and paper differ in mean brightness by enough to be seen."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    ink_sum, paper = float(alpha.sum()), 1 - alpha
    if ink_sum < 1.0:
        return True
    difference = float((grey * alpha).sum()) / ink_sum - float((grey * paper).sum()) / max(1.0, float(paper.sum()))
    return abs(difference) >= READABLE


def luma(value: Any) -> float:
    """Return the brightness of a BGR colour, 0 … 255 (ITU-R BT.601 weights)."""
    return float(0.114 * value[0] + 0.587 * value[1] + 0.299 * value[2])


def stand_out(paper: Any, fill: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return *fill* moved in brightness until it stands out from *paper*."""
    wanted = uniform(rng, 45, 90) if chance(rng, 0.2) else uniform(rng, 90, 200)
    base = luma(paper)
    up = base + wanted <= 255 and (base - wanted < 0 or luma(fill) > base)
    target = min(255.0, base + wanted) if up else max(0.0, base - wanted)
    return np.asarray(np.clip(fill + np.float32(target - luma(fill)), 0, 255).astype(np.float32))


def _colours(rng: np.random.Generator, style: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the colours of paper and ink, (3,) float32 BGR each, for a style."""
    if style in ("print", "receipt"):
        white = uniform(rng, 175, 255) if chance(rng, 0.7) else 255.0
        paper = np.clip(white + (rng.random(3) - 0.5) * (24 if chance(rng, 0.4) else 4), 0, 255).astype(np.float32)
        faint = chance(rng, 0.3 if style == "receipt" else 0.12)
        dark = white - uniform(rng, 55, 120) if faint else uniform(rng, 0, 90)
        fill = np.clip(dark + (rng.random(3) - 0.5) * (50 if chance(rng, 0.25) else 6), 0, 255).astype(np.float32)
        if chance(rng, 0.06):
            paper, fill = fill, paper
        return paper, fill
    paper = colour(rng)
    if style == "screen":
        if chance(rng, 0.4):  # most of what screens show
            return np.full(3, pick(rng, (255, 250, 240)), np.float32), np.full(3, uniform(rng, 0, 60), np.float32)
        paper = np.full(3, pick(rng, (255, 245, 30, 18, 60, 230)), np.float32) if chance(rng, 0.6) else paper
    return paper, stand_out(paper, colour(rng), rng)


def _ornament(image: Image, alpha: NDArray[np.float32], fill: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Draw a shadow or an outline below the text, in place."""
    height = alpha.shape[0]
    other = np.clip(fill + np.float32(pick(rng, (-1, 1)) * uniform(rng, 90, 220)), 0, 255)
    if chance(rng, 0.55):
        shift = max(1, round(height * uniform(rng, 0.02, 0.06)))
        moved = np.zeros_like(alpha)
        moved[shift:, shift:] = alpha[:-shift, :-shift]
        ink.paint(image, moved * np.float32(uniform(rng, 0.3, 0.9)), other)
    else:
        side = max(2, round(height * uniform(rng, 0.04, 0.09)))
        ink.paint(image, cv2.dilate(alpha, np.ones((side, side), np.uint8)), other)
