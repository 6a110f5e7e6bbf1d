"""Made pages with the polygon of every line, and scenes with that of every word, for detection."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import DataError
from ppocr_lite.io.images import Image
from ppocr_lite.synth import effects, scene
from ppocr_lite.synth.background import Backgrounds, colour
from ppocr_lite.synth.corpus import Corpus
from ppocr_lite.synth.draws import chance, integer, uniform, weighted
from ppocr_lite.synth.fonts import FontBook
from ppocr_lite.synth.forms import form, slide
from ppocr_lite.synth.layouts import document, magazine
from ppocr_lite.synth.receipt import printer, receipt
from ppocr_lite.synth.screen import terminal, window
from ppocr_lite.synth.sheet import Mark, Sheet
from ppocr_lite.synth.spreadsheet import spreadsheet

LAYOUTS = {
    "document": document, "receipt": receipt, "form": form, "slide": slide, "magazine": magazine,
    "terminal": terminal, "window": window, "spreadsheet": spreadsheet,
}  # fmt: skip
SCREENS = {"slide": 0.6, "terminal": 0.6, "window": 0.6, "spreadsheet": 0.15}  # kind → share not on paper's colours
KINDS = (*LAYOUTS, "scene", "empty")
WEIGHTS = (0.14, 0.20, 0.09, 0.06, 0.05, 0.07, 0.05, 0.09, 0.22, 0.03)
FLAT_SHARE = {"receipt": 0.55, "terminal": 0.65, "window": 0.65}  # scans and screenshots; of other kinds 0.4
ILLEGIBLE_PX = 6.0  # lines lower than this in the image are marked as ignored
KEPT_SHARE = 0.7  # of a line's area that must be inside the image for its text to count
IGNORED = "###"


class PageMaker:
    """Makes images of pages and scenes.

    Args:
        size: (height, width) of an image in pixels.
        fonts: Faces to write with.
        corpus: Where the text comes from.
        backgrounds: Backgrounds; by default procedural ones.
        weights: How often each of ``KINDS`` comes, in that order, as so many numbers ≥ 0.
        strength: How often effects are applied; 0 gives clean pages, 1 is usual.

    Raises:
        DataError: If the size is below 64 pixels or the weights do not fit.
    """

    def __init__(
        self,
        size: tuple[int, int],
        fonts: FontBook,
        corpus: Corpus,
        backgrounds: Backgrounds | None = None,
        weights: tuple[float, ...] = WEIGHTS,
        strength: float = 1.0,
    ) -> None:
        if min(size) < 64 or len(weights) != len(KINDS) or min(weights) < 0 or sum(weights) <= 0:
            raise DataError(
                f"PageMaker: size must be at least 64 × 64 and weights {len(KINDS)} numbers for {', '.join(KINDS)}, "
                "not all 0. "
                f"Received: size={size}, weights={weights}."
            )
        self.size, self.fonts, self.corpus = size, fonts, corpus
        self.backgrounds = backgrounds or Backgrounds()
        self.weights, self.strength = weights, strength

    def make(self, rng: np.random.Generator) -> tuple[Image, list[dict[str, Any]]]:
        """Return an image, (H, W, 3) uint8 BGR, and its lines, in scenes its words, as label dicts.

        Each dict has ``transcription`` (``###`` for a line too small or too far outside to be read) and ``points``:
        four or more [x, y] inside the image, clockwise from the text's top left.  An image without text has an empty
        list.
        """
        kind = weighted(rng, tuple(zip(KINDS, self.weights, strict=True)))
        image, marks = self._scene(rng, kind) if kind in ("scene", "empty") else self._flat(rng, kind)
        if chance(rng, 0.04):
            image, marks = _quarter_turns(image, marks, integer(rng, 1, 3))
        image = effects.degrade_page(image, rng, self.strength)
        return image, self._labels(marks, image.shape[:2])

    def _scene(self, rng: np.random.Generator, kind: str) -> tuple[Image, list[Mark]]:
        """Signs in a scene, or a picture with nothing to read."""
        height, width = self.size
        if kind == "empty" and chance(rng, 0.4):
            canvas = self.backgrounds.paper(rng, height, width, _paper_colour(rng))
            sheet = Sheet(canvas, rng, self.fonts, self.corpus)
            for _ in range(integer(rng, 0, 5)):
                sheet.scribble()
                sheet.dashes(
                    integer(rng, 0, width // 2), integer(rng, width // 2, width), integer(rng, 0, height), (80, 80, 80)
                )
            return canvas, []
        image = self.backgrounds.scene(rng, height, width)
        marks: list[Mark] = []
        taken: list[tuple[float, float, float, float]] = []
        for _ in range(integer(rng, 1, 14) if kind == "scene" else 0):
            item = scene.sign(rng, self.fonts, self.corpus)
            if item is not None:
                marks += scene.place(image, item, taken, rng)
        return image, marks

    def _flat(self, rng: np.random.Generator, kind: str) -> tuple[Image, list[Mark]]:
        """Compose a sheet, then lay it before a background with one warp."""
        height, width = self._sheet_size(rng, kind)
        canvas = self.backgrounds.paper(rng, height, width, _paper_colour(rng, kind))
        sheet = Sheet(canvas, rng, self.fonts, self.corpus, printer(rng) if kind == "receipt" else None)
        LAYOUTS[kind](sheet, self.backgrounds)
        if kind in ("receipt", "form") and sheet.marks and chance(rng, 0.8):
            sheet.trim(integer(rng, 8, 60))
        return self._lay(sheet, rng, kind)

    def _sheet_size(self, rng: np.random.Generator, kind: str) -> tuple[int, int]:
        """Height and width of a sheet so that text keeps about its size in the final image."""
        height, width = self.size
        if kind == "receipt":
            return int(height * uniform(rng, 0.75, 1.15)), int(width * uniform(rng, 0.33, 0.66))
        if kind == "form":
            return int(height * uniform(rng, 0.4, 0.95)), int(width * uniform(rng, 0.7, 1.0))
        if kind in SCREENS:
            return int(height * uniform(rng, 0.55, 1.0)), width
        return height, int(width * uniform(rng, 0.68, 1.0))

    def _lay(self, sheet: Sheet, rng: np.random.Generator, kind: str) -> tuple[Image, list[Mark]]:
        """Warp a sheet into an image of the final size."""
        height, width = self.size
        scanned = chance(rng, FLAT_SHARE.get(kind, 0.4))
        reach = weighted(rng, ((5.0, 6.0), (20.0, 2.0), (45.0, 0.5)))
        if scanned:
            reach = 0.0 if kind in SCREENS else 1.2  # a screenshot is not turned at all
        turn = math.radians(uniform(rng, -reach, reach))
        x, y = sheet.width / 2, sheet.height / 2
        half = np.array([[-x, -y], [x, -y], [x, y], [-x, y]], np.float32)
        if not scanned and chance(rng, 0.6):
            half += (rng.random((4, 2)).astype(np.float32) - 0.5) * np.float32(0.12 * min(sheet.width, sheet.height))
        rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]], np.float32)
        corners = half @ rotation
        span = corners.max(0) - corners.min(0)
        fit = float(min(width / span[0], height / span[1]))
        scale = fit if scanned else min(fit * uniform(rng, 0.72, 1.12), 1.25)
        corners = corners * np.float32(min(scale, 1.4))
        slack = (np.array([width, height]) - (corners.max(0) - corners.min(0))) / 2
        shift = np.array([uniform(rng, -1, 1) * max(0.0, float(each)) for each in slack], np.float32)
        corners += np.array([width / 2, height / 2], np.float32) + shift - (corners.max(0) + corners.min(0)) / 2
        source = np.array([[0, 0], [sheet.width, 0], [sheet.width, sheet.height], [0, sheet.height]], np.float32)
        matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
        if scanned:
            image = np.empty((height, width, 3), np.uint8)
            image[:] = 255 if chance(rng, 0.4) else colour(rng)
        else:
            image = self.backgrounds.scene(rng, height, width)
        canvas = sheet.canvas
        if scale < 0.7:
            canvas = cv2.GaussianBlur(canvas, (0, 0), 0.3 / scale)
        cv2.warpPerspective(
            canvas, matrix, (width, height), dst=image, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
        )
        curl = (
            (uniform(rng, 4, 16), uniform(rng, 0.5, 1.4) * math.pi / width, uniform(rng, 0, 2 * math.pi))
            if chance(rng, 0.13)
            else None
        )
        marks = [Mark(_project(mark.polygon, matrix, curl), mark.text) for mark in sheet.marks]
        return (image if curl is None else _curl(image, curl)), marks

    def _labels(self, marks: list[Mark], size: tuple[int, int]) -> list[dict[str, Any]]:
        """Clip polygons to the image; mark what cannot be read."""
        limit = np.array([size[1], size[0]], np.float32)
        labels = []
        for mark in marks:
            whole = abs(cv2.contourArea(mark.polygon))
            clipped = np.clip(mark.polygon, 0, limit)
            inside = abs(cv2.contourArea(clipped))
            if inside < 4 or inside < 0.05 * whole:
                continue
            half = len(clipped) // 2
            lowest = float(np.linalg.norm(mark.polygon[:half] - mark.polygon[: half - 1 : -1], axis=1).max())
            readable = inside >= KEPT_SHARE * whole and lowest >= ILLEGIBLE_PX
            points = [[round(float(x), 1), round(float(y), 1)] for x, y in clipped]
            labels.append({"transcription": mark.text if readable else IGNORED, "points": points})
        return labels


def _paper_colour(rng: np.random.Generator, kind: str = "document") -> NDArray[np.float32]:
    """Return the colour of a sheet: near white, pale, or for screens anything flat and dark or light."""
    if kind in SCREENS and chance(rng, SCREENS[kind]):
        tint = colour(rng)
        level = uniform(rng, 10, 70) if chance(rng, 0.55) else uniform(rng, 225, 255)
        return np.asarray(np.clip(level + (tint - tint.mean()) * 0.25, 0, 255).astype(np.float32))
    level = uniform(rng, 185, 255)
    spread = 40 if kind == "form" or chance(rng, 0.25) else 8
    return np.clip(level + (rng.random(3) - 0.5) * spread, 165, 255).astype(np.float32)


def _project(
    polygon: NDArray[np.float32], matrix: NDArray[np.float64], curl: tuple[float, float, float] | None
) -> NDArray[np.float32]:
    """Carry a polygon through the warp, and through the curl with more points along its long sides."""
    if curl is not None and len(polygon) == 4:
        steps = np.linspace(0, 1, 4, dtype=np.float32)[:, None]
        top = polygon[0] + (polygon[1] - polygon[0]) * steps
        bottom = polygon[2] + (polygon[3] - polygon[2]) * steps
        polygon = np.concatenate([top, bottom]).astype(np.float32)
    moved = cv2.perspectiveTransform(polygon[None], matrix)[0]
    if curl is not None:
        height, rate, phase = curl
        moved[:, 1] += height * np.sin(moved[:, 0] * rate + phase)
    return np.asarray(moved, np.float32)


def _curl(image: Image, curl: tuple[float, float, float]) -> Image:
    """Shift every column up or down along a sine, as a page that does not lie flat."""
    amplitude, rate, phase = curl
    height, width = image.shape[:2]
    columns = np.arange(width, dtype=np.float32)
    shift = amplitude * np.sin(columns * rate + phase)
    map_y = (np.arange(height, dtype=np.float32)[:, None] - shift[None]).astype(np.float32)
    map_x = np.ascontiguousarray(np.broadcast_to(columns, map_y.shape))
    return np.asarray(cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _quarter_turns(image: Image, marks: list[Mark], turns: int) -> tuple[Image, list[Mark]]:
    """Turn an image and its marks by 90° clockwise, *turns* times."""
    for _ in range(turns):
        height = image.shape[0]
        image = np.ascontiguousarray(np.rot90(image, -1))
        marks = [
            Mark(np.stack([height - m.polygon[:, 1], m.polygon[:, 0]], 1).astype(np.float32), m.text) for m in marks
        ]
    return image, marks
