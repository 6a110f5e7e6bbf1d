"""The layout of spreadsheets, statements and price lists: all of the page is cells, close together."""

from __future__ import annotations

import cv2
import numpy as np

from ppocr_lite.synth import phrases
from ppocr_lite.synth.background import Backgrounds, colour
from ppocr_lite.synth.draws import chance, integer, pick, uniform, weighted
from ppocr_lite.synth.face import FontFace
from ppocr_lite.synth.layouts import BODY, Colour, dark, phrase, tuned
from ppocr_lite.synth.sheet import Sheet, cut

WRAPPED = 0.25  # of the rows, those of two lines
EMPTY = 0.07  # of the cells
FIGURES = (phrases.number, phrases.price, phrases.date, phrases.measure)


def spreadsheet(sheet: Sheet, backgrounds: Backgrounds) -> None:
    """Fill the sheet with rows of words and figures, with all rules, some or none."""
    rng = sheet.rng
    on_dark = float(sheet.canvas.mean()) < 128
    fill = np.array([225, 225, 225], np.float32) if on_dark else dark(rng)
    face, size = sheet.fonts.pick(rng, 0.15), pick(rng, BODY[:7])
    left = sheet.width * uniform(rng, 0.005, 0.06)
    top = float(_title(sheet, size, fill) if chance(rng, 0.4) else size * uniform(rng, 0.2, 1.5))
    shares = np.cumsum([uniform(rng, 0.6, 2.2) for _ in range(integer(rng, 3, 8))])
    edges = [left, *(left + (sheet.width - 2 * left) * shares / shares[-1])]
    aligns = [weighted(rng, ((0.0, 4.0), (0.5, 3.0), (1.0, 3.0))) for _ in edges[1:]]
    figures = [align > 0 and chance(rng, 0.75) for align in aligns]
    pitch, pad = size * uniform(rng, 1.15, 1.7), size * uniform(rng, 0.12, 0.5)
    bands = chance(rng, 0.3)
    ends = [top]
    while ends[-1] + pitch < sheet.height - 4:
        lines = 2 if chance(rng, WRAPPED) and ends[-1] + 2 * pitch < sheet.height - 4 else 1
        bottom = ends[-1] + lines * pitch
        if bands and (len(ends) == 1 or len(ends) % 2 == 0):
            _shade(sheet, (edges[0], ends[-1], edges[-1], bottom), on_dark)
        for x0, x1, align, is_figure in zip(edges, edges[1:], aligns, figures, strict=False):
            if not chance(rng, EMPTY):
                box = (x0 + pad, ends[-1], x1 - pad, bottom)
                _cell(sheet, face, size, box, align, (fill, is_figure and len(ends) > 1, lines))
        ends.append(bottom)
    _rules(sheet, edges, ends, on_dark)


def _title(sheet: Sheet, size: int, fill: Colour) -> float:
    """Write a heading and return where the cells begin."""
    big = tuned(size * uniform(sheet.rng, 1.0, 1.8))
    text = sheet.line_of(sheet.fonts.pick(sheet.rng), big, sheet.width * 0.7)
    sheet.write(sheet.fonts.pick(sheet.rng), big, text, sheet.width / 2, big * 1.4, fill, 0.5, room=sheet.width * 0.9)
    return big * uniform(sheet.rng, 1.8, 2.5)


def _cell(
    sheet: Sheet,
    face: FontFace,
    size: int,
    box: tuple[float, float, float, float],
    align: float,
    content: tuple[Colour, bool, int],
) -> None:
    """Write one cell, *box* is left, top, right, bottom; *content*: its colour, whether a figure, lines of the row."""
    (x0, top, x1, bottom), (fill, is_figure, lines) = box, content
    room = x1 - x0
    if room < size:
        return
    if is_figure:
        texts = [phrase(sheet, pick(sheet.rng, FIGURES))]
    else:
        first = sheet.line_of(face, size, room * uniform(sheet.rng, 0.3, 1.0))
        texts = [first] if lines == 1 or chance(sheet.rng, 0.4) else [sheet.line_of(face, size, room), first]
    step = (bottom - top) / lines
    y = top + (bottom - top - step * len(texts)) / 2 + 0.5 * step + 0.36 * size
    for text in texts:
        sheet.write(face, size, cut(face, size, text, room), x0 + align * room, y, fill, align)
        y += step


def _shade(sheet: Sheet, box: tuple[float, float, float, float], on_dark: bool) -> None:
    """Tint a row."""
    tint = colour(sheet.rng) * np.float32(0.2) + np.float32(10 if on_dark else 195)
    x0, y0, x1, y1 = map(int, box)
    cv2.rectangle(sheet.canvas, (x0, y0), (x1, y1), tuple(map(float, tint)), -1)


def _rules(sheet: Sheet, edges: list[float], ends: list[float], on_dark: bool) -> None:
    """Draw the lines between cells: all, only those between rows, or none."""
    rng = sheet.rng
    form, level = rng.random(), uniform(rng, 60, 120) if on_dark else uniform(rng, 0, 205)
    fill = np.full(3, level, np.float32)
    if form < 0.75:
        for y in ends:
            sheet.rule(edges[0], y, edges[-1], y, fill)
    if form < 0.55:
        for x in edges:
            sheet.rule(x, ends[0], x, ends[-1], fill)
