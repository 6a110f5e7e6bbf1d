"""What stands where on documents and magazine pages, and what all layouts share.

Every layout writes onto a ``Sheet`` in one pass from top to bottom and gives each run of text its own box; cells of a
table are separate runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.synth import phrases
from ppocr_lite.synth.background import Backgrounds
from ppocr_lite.synth.draws import chance, integer, pick, uniform, weighted
from ppocr_lite.synth.face import FontFace
from ppocr_lite.synth.sheet import Sheet
from ppocr_lite.synth.wordlists import FIELDS

Colour = NDArray[np.float32]
BODY = (11, 12, 13, 14, 16, 18, 20, 24, 28)  # pixels per em
WHITE = np.array([250, 250, 250], np.float32)
BIG = (22, 26, 32, 40, 50, 64)


def tuned(size: float, sizes: tuple[int, ...] = BODY + BIG) -> int:
    """Return the nearest size that is kept in the font cache."""
    return min(sizes, key=lambda each: abs(each - size))


def phrase(sheet: Sheet, kind: phrases.Maker) -> str:
    """Return a string of one kind with words of the sheet's corpus; Chinese text has its own."""
    if not sheet.corpus.latin:
        return sheet.corpus.phrase(sheet.rng, 1, 16)
    if sheet.corpus.ideographs and chance(sheet.rng, 0.7):
        return sheet.corpus.phrase(sheet.rng, 1, 16)
    return kind(sheet.rng, lambda: sheet.corpus.word(sheet.rng))


def dark(rng: np.random.Generator) -> Colour:
    """Return a colour for print on white."""
    level = uniform(rng, 0, 110)
    return np.clip(level + (rng.random(3) - 0.5) * (90 if chance(rng, 0.2) else 10), 0, 170).astype(np.float32)


def table(sheet: Sheet, face: FontFace, size: int, box: tuple[float, float, float], rows: int, fill: Any) -> float:
    """Write a table with or without rules; *box* is left, first baseline, width.  Returns the next baseline."""
    rng, (x, y, width) = sheet.rng, box
    columns = integer(rng, 2, 6)
    shares = np.cumsum([uniform(rng, 1.6, 3.0)] + [uniform(rng, 0.7, 1.5) for _ in range(columns - 1)])
    edges = [x, *(float(edge) for edge in x + width * shares / shares[-1])]
    pitch = size * uniform(rng, 1.3, 2.2)
    top = y - pitch * uniform(rng, 0.64, 0.85)
    numeric = [column > 0 and chance(rng, 0.7) for column in range(columns)]
    done = 0
    while done <= rows and y + pitch <= sheet.height - 4:
        for column, right in enumerate(numeric):
            room = edges[column + 1] - edges[column] - 0.6 * size
            if room < size or chance(rng, 0.06):
                continue
            text = pick(rng, FIELDS) if done == 0 else _cell(sheet, right)
            start = edges[column + 1] - 0.3 * size if right else edges[column] + 0.3 * size
            sheet.write(face, size, text, start, y, fill, 1.0 if right else 0.0, room=room)
        y += pitch
        done += 1
    style = rng.random()
    if style < 0.6:
        for row in range(done + 1):
            sheet.rule(x, top + row * pitch, x + width, top + row * pitch, fill)
    if style < 0.35:
        for edge in edges:
            sheet.rule(edge, top, edge, top + done * pitch, fill)
    return y + pitch * 0.5


def _cell(sheet: Sheet, numeric: bool) -> str:
    """Return the text of one cell."""
    if numeric:
        return phrase(sheet, pick(sheet.rng, (phrases.price, phrases.number, phrases.date)))
    if chance(sheet.rng, 0.4):
        return sheet.corpus.prose(sheet.rng, 24)
    return phrase(sheet, pick(sheet.rng, (phrases.item, phrases.name, phrases.code)))


def document(sheet: Sheet, backgrounds: Backgrounds) -> None:
    """Write a letter, report or paper: headings, columns of paragraphs, lists, tables, figures."""
    rng = sheet.rng
    face, head = sheet.fonts.pick(rng, 0.05), sheet.fonts.pick(rng)
    fill, size, leading = dark(rng), pick(rng, BODY), uniform(rng, 1.15, 1.9)
    margin = sheet.width * uniform(rng, 0.04, 0.12)
    inner = sheet.width - 2 * margin
    small = tuned(size * 0.9)
    y = margin * 0.5 + size * 1.5
    if chance(rng, 0.4):
        sheet.write(face, small, sheet.line_of(face, size, inner * 0.35), margin, y, fill)
        today = phrase(sheet, phrases.date)
        sheet.write(face, small, today, sheet.width - margin, y, fill, 1.0, room=inner * 0.35)
        y += size * 2.2
    if chance(rng, 0.7):
        big, align = tuned(size * uniform(rng, 1.5, 2.8)), pick(rng, (0.0, 0.5))
        y += big
        sheet.write(head, big, sheet.line_of(head, big, inner * 0.95), margin + align * inner, y, fill, align)
        y += big * 0.9 + size
    columns = weighted(rng, ((1, 5.0), (2, 3.0), (3, 1.0))) if size < 20 else 1
    gutter = size * uniform(rng, 1.5, 3)
    width = (inner - gutter * (columns - 1)) / columns
    for column in range(columns):
        box = (margin + column * (width + gutter), y, width)
        _column(sheet, backgrounds, (face, head), size, box, (fill, leading))
    if chance(rng, 0.5):
        page = pick(rng, ("{}", "- {} -", "Page {}", "{} / 20")).format(integer(rng, 1, 400))
        sheet.write(face, small, page, sheet.width / 2, sheet.height - size * 0.6, fill, 0.5)


def _column(
    sheet: Sheet,
    backgrounds: Backgrounds,
    faces: tuple[FontFace, FontFace],
    size: int,
    box: tuple[float, float, float],
    style: tuple[Colour, float],
) -> None:
    """Fill one column, *box* is left, first baseline, width, from top to bottom."""
    rng, (face, head), (fill, leading) = sheet.rng, faces, style
    x, y, width = box
    end = sheet.height - size * 3
    while y < end:
        form = rng.random()
        if form < 0.6:
            y = sheet.paragraph(
                face, size, x, y, width, min(integer(rng, 1, 9), int((end - y) / size / leading) + 1), fill, leading
            )
        elif form < 0.72:
            big = tuned(size * uniform(rng, 1.1, 1.6))
            y += 0.4 * big
            sheet.write(head, big, sheet.line_of(head, big, width * uniform(rng, 0.3, 0.9)), x, y, fill)
            y += big * 1.3
        elif form < 0.82:
            for i in range(integer(rng, 2, 5)):
                if y > end:
                    break
                bullet = pick(rng, (f"{i + 1}. ", "- ", "* ", f"({chr(97 + i)}) "))
                sheet.write(
                    face, size, bullet + sheet.line_of(face, size, width * uniform(rng, 0.3, 0.85)), x + size, y, fill
                )
                y += leading * size
        elif form < 0.92:
            y = table(sheet, face, size, (x, y, width), integer(rng, 2, 8), fill)
        else:
            tall = int(uniform(rng, 3, 9) * size)
            if y + tall < end:
                sheet.picture(int(x), int(y - size * 0.6), int(width), tall, backgrounds.scene(rng, tall, int(width)))
            y += tall + size
        y += size * uniform(rng, 0.2, 1.6)


def magazine(sheet: Sheet, backgrounds: Backgrounds) -> None:
    """Magazine page: a picture with a headline over it, then narrow columns."""
    rng = sheet.rng
    face, head = sheet.fonts.pick(rng), sheet.fonts.pick(rng)
    tall = int(sheet.height * uniform(rng, 0.2, 0.5))
    photo = backgrounds.scene(rng, tall, sheet.width)
    photo = (photo * uniform(rng, 0.4, 0.8)).astype(np.uint8)
    sheet.picture(0, 0, sheet.width, tall, photo)
    big = pick(rng, BIG[1:])
    y = float(tall - big * pick(rng, (0.6, 1.8, 3.0)))
    white = np.array([pick(rng, (255, 255, 120, 60)), 255, 255], np.float32)
    if luma_of(photo) < 120 and y > big:
        sheet.write(head, big, sheet.line_of(head, big, sheet.width * 0.9), sheet.width * 0.05, y, white)
    y = tall + 30.0
    size, columns = pick(rng, BODY[:6]), integer(rng, 2, 4)
    gutter = size * 1.6
    width = (sheet.width * 0.92 - gutter * (columns - 1)) / columns
    style = (dark(rng), uniform(rng, 1.15, 1.5))
    for column in range(columns):
        _column(
            sheet, backgrounds, (face, head), size, (sheet.width * 0.04 + column * (width + gutter), y, width), style
        )


def luma_of(image: NDArray[np.uint8]) -> float:
    """Return the mean brightness of a picture, 0 … 255."""
    return float(image[::8, ::8].mean())
