"""The layouts of forms, slips, labels and cards, and of slides, posters and program windows."""

from __future__ import annotations

import cv2
import numpy as np

from ppocr_lite.synth import phrases
from ppocr_lite.synth.background import Backgrounds
from ppocr_lite.synth.draws import chance, integer, pick, uniform, weighted
from ppocr_lite.synth.face import FontFace
from ppocr_lite.synth.layouts import BIG, BODY, WHITE, Colour, dark, phrase, table, tuned
from ppocr_lite.synth.sheet import Sheet
from ppocr_lite.synth.wordlists import FIELDS

VALUES = (
    phrases.name, phrases.date, phrases.code, phrases.address, phrases.number, phrases.phone, phrases.price,
    phrases.web,
)  # fmt: skip


def form(sheet: Sheet, backgrounds: Backgrounds) -> None:
    """Write named fields with their values, in boxes or free, beside a photograph or not."""
    rng = sheet.rng
    accent = dark(rng)
    if chance(rng, 0.4):  # guilloche of cards and tickets
        for i in range(0, sheet.width, integer(rng, 8, 30)):
            ends = (i, 0), (i + integer(rng, -80, 80), sheet.height)
            cv2.line(sheet.canvas, *ends, (215.0, 220.0, 210.0), 1, cv2.LINE_AA)
    size = pick(rng, BODY[2:])
    y = _heading(sheet, sheet.fonts.pick(rng), size, accent)
    left = sheet.width * uniform(rng, 0.03, 0.08)
    if chance(rng, 0.4):
        side = int(sheet.width * uniform(rng, 0.15, 0.28))
        photo = backgrounds.scene(rng, int(side * 1.25), side)
        sheet.picture(int(left), int(y - size), side, int(side * 1.25), photo)
        left += side + size
    _fields(sheet, size, left, y, accent)
    if chance(rng, 0.25):
        pitch = int(size * 2.2)
        sheet.barcode(int(left), sheet.height - int(1.6 * pitch), int(sheet.width * 0.4), pitch)
    if chance(rng, 0.2):
        sheet.scribble()


def _heading(sheet: Sheet, face: FontFace, size: int, accent: Colour) -> float:
    """Write the form's name, on a coloured band or plain, and return the first baseline below."""
    rng = sheet.rng
    if chance(rng, 0.4):
        return size * 2.2
    big = tuned(size * uniform(rng, 1.2, 2.2))
    if chance(rng, 0.5):
        cv2.rectangle(sheet.canvas, (0, 0), (sheet.width, big * 2), tuple(map(float, accent)), -1)
        text = phrase(sheet, phrases.company)
        sheet.write(face, big, text, sheet.width / 2, big * 1.35, WHITE, 0.5, room=sheet.width * 0.95)
    else:
        sheet.write(face, big, sheet.line_of(face, big, sheet.width * 0.7), sheet.width / 2, big * 1.35, accent, 0.5)
    return big * 2 + size * 1.6


def _fields(sheet: Sheet, size: int, left: float, y: float, accent: Colour) -> None:
    """Write rows of fields from *y* to the end of the sheet."""
    rng = sheet.rng
    face, other, fill = sheet.fonts.pick(rng), sheet.fonts.pick(rng, 0.3), dark(rng)
    boxed, stacked = chance(rng, 0.35), chance(rng, 0.4)
    columns = weighted(rng, ((1, 3.0), (2, 2.0)))
    width = (sheet.width * 0.96 - left) / columns
    pitch = size * uniform(rng, 1.6, 2.8)
    while y < sheet.height - 2 * pitch:
        for x in (left + column * width for column in range(columns)):
            known = pick(rng, FIELDS)
            text = known if sheet.corpus.latin else phrase(sheet, phrases.labelled)
            box = sheet.write(face, tuned(size * 0.8), text, x, y, accent, room=width * 0.45)
            if box is None or chance(rng, 0.1):
                continue
            start, row = (x, y + pitch * 0.75) if stacked else (max(box[2] + size, x + width * 0.35), y)
            sheet.write(other, size, phrase(sheet, pick(rng, VALUES)), start, row, fill, room=x + width - start - size)
            if boxed:
                corner = int(start - size * 0.4), int(row - size * 1.1)
                opposite = int(x + width - size * 0.4), int(row + size * 0.45)
                cv2.rectangle(sheet.canvas, corner, opposite, tuple(map(float, accent)), 1)
        y += pitch * (1.9 if stacked else 1.15)


def slide(sheet: Sheet, backgrounds: Backgrounds) -> None:
    """Write large text, bullets, buttons, tables and pictures, light on dark if the canvas is dark."""
    rng = sheet.rng
    face, head = sheet.fonts.pick(rng, 0.15), sheet.fonts.pick(rng)
    fill = np.array([235, 235, 235], np.float32) if float(sheet.canvas.mean()) < 128 else dark(rng)
    size = pick(rng, BODY[3:] + BIG[:2])
    big = tuned(size * uniform(rng, 1.4, 2.6))
    left = sheet.width * uniform(rng, 0.04, 0.12)
    width = sheet.width - 2 * left
    y = big * uniform(rng, 1.3, 2.5)
    title = fill
    if chance(rng, 0.35):
        cv2.rectangle(sheet.canvas, (0, 0), (sheet.width, int(y + big * 0.5)), tuple(map(float, dark(rng))), -1)
        title = WHITE
    sheet.write(head, big, sheet.line_of(head, big, sheet.width * 0.8), left, y, title)
    y += big + size
    while y < sheet.height - 2 * size:
        kind = rng.random()
        if kind < 0.45:
            _bullet(sheet, face, size, left, y, fill)
        elif kind < 0.6:
            _buttons(sheet, face, size, left, y)
            y += size * 0.8
        elif kind < 0.75:
            y = sheet.paragraph(face, size, left, y, width, integer(rng, 1, 4), fill)
        elif kind < 0.85:
            y = table(sheet, face, size, (left, y, width), integer(rng, 1, 5), fill)
        else:
            tall, wide = int(size * uniform(rng, 2, 6)), int(sheet.width * uniform(rng, 0.2, 0.6))
            if y + tall < sheet.height:
                sheet.picture(int(left), int(y - size), wide, tall, backgrounds.scene(rng, tall, wide))
            y += tall
        y += size * uniform(rng, 1.3, 2.2)


def _bullet(sheet: Sheet, face: FontFace, size: int, left: float, y: float, fill: Colour) -> None:
    """Write one point of a list, at one of three depths."""
    indent = left + size * pick(sheet.rng, (0.0, 0.0, 1.5, 3.0))
    spot = int(indent - size * 0.5), int(y - size * 0.3)
    cv2.circle(sheet.canvas, spot, max(1, size // 8), tuple(map(float, fill)), -1)
    text = sheet.line_of(face, size, (sheet.width - indent) * uniform(sheet.rng, 0.3, 0.9))
    sheet.write(face, size, text, indent, y, fill)


def _buttons(sheet: Sheet, face: FontFace, size: int, x: float, y: float) -> None:
    """Write a row of short texts on coloured plates."""
    for _ in range(integer(sheet.rng, 1, 4)):
        text = phrase(sheet, phrases.labelled)[:14]
        wide = face.font(size).getlength(text) + 1.4 * size
        if x + wide > sheet.width:
            break
        plate = (int(x), int(y - size)), (int(x + wide), int(y + size * 0.5))
        cv2.rectangle(sheet.canvas, *plate, tuple(map(float, dark(sheet.rng))), -1)
        sheet.write(face, size, text, x + 0.7 * size, y, WHITE)
        x += wide + size
