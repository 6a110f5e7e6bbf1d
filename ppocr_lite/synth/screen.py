"""The layouts of screens: program text and terminals in fixed-width type, and windows with menus, lists and dialogs."""

from __future__ import annotations

import cv2
import numpy as np

from ppocr_lite.synth import ink, phrases
from ppocr_lite.synth.background import Backgrounds
from ppocr_lite.synth.draws import chance, integer, pick, uniform
from ppocr_lite.synth.face import FontFace
from ppocr_lite.synth.layouts import BODY, Colour, dark, phrase, tuned
from ppocr_lite.synth.sheet import Sheet
from ppocr_lite.synth.wordlists import FIELDS

CODE = (
    "{} = {}({}, {})", "def {}({}: {}) -> {}:", "if {} and not {}:", "return {}.{}[{}]", "for {} in {}({}):",
    "import {}", "{}.{} += {}", "int {} = {};", "# {} {} {}", "// {} {}: {}", "}}", "else {{", "self.{} = {} or {}",
    "const {} = {}.{}();", '{}: "{}",', "<{}>{}</{}>", "SELECT {} FROM {} WHERE {} = {};", "{} {} {} {}",
)  # fmt: skip
PROMPTS = ("$ ", "# ", "> ", ">>> ", "~/src$ ", "C:\\> ", "[1] ", "")
APART = 3  # columns of a listing that stand at least so many characters apart are runs of their own


def terminal(sheet: Sheet, backgrounds: Backgrounds) -> None:
    """Fill the window with indented lines of fixed width: program text, commands and what they print, listings."""
    rng = sheet.rng
    size = pick(rng, BODY[:7])
    face, on_dark = sheet.fonts.pick(rng, 0.9), float(sheet.canvas.mean()) < 128
    y = _chrome(sheet, size) + size * 1.6
    tints = [_tint(sheet, on_dark) for _ in range(integer(rng, 1, 4))]
    numbered = integer(rng, 1, 400) if chance(rng, 0.35) else None
    left = size * uniform(rng, 0.4, 1.5)
    leading, advance = size * uniform(rng, 1.1, 1.6), ink.mean_advance(face, size)
    if numbered is not None:
        left += 5 * advance
    depth = 0
    while y < sheet.height - size * 0.5:
        if numbered is not None:
            sheet.write(face, size, str(numbered), left - advance * 1.5, y, tints[-1], 1.0)
            numbered += 1
        kind = rng.random()
        if kind < 0.12:
            y = _listing(sheet, face, size, left, y, (tints[0], leading))
        elif kind < 0.88:
            depth = min(max(0, depth + integer(rng, -1, 1)), 4)
            x = left + depth * pick(rng, (2, 4, 4)) * advance
            text = _prompt(sheet) if chance(rng, 0.2) else _code(sheet)
            sheet.write(face, size, text, x, y, pick(rng, tints), room=sheet.width - x - size)
        y += leading


def window(sheet: Sheet, backgrounds: Backgrounds) -> None:
    """Write a program's window: title, menus, a list at the side, named fields, buttons, a line of status."""
    rng = sheet.rng
    face, size = sheet.fonts.pick(rng), pick(rng, BODY[:6])
    fill = _tint(sheet, float(sheet.canvas.mean()) < 128)
    pitch = size * uniform(rng, 1.5, 2.4)
    y = _menus(sheet, face, size, _chrome(sheet, size) + size * 1.8, fill) + pitch
    side = _side(sheet, face, size, (y, pitch), fill) if chance(rng, 0.6) else 0.0
    left, width = side + size * 1.2, sheet.width - side - size * 2.4
    while y < sheet.height - 2 * pitch:
        kind = rng.random()
        if kind < 0.35:
            y = sheet.paragraph(face, size, left, y, width, integer(rng, 1, 4), fill, uniform(rng, 1.2, 1.7))
        elif kind < 0.65:
            y = _field(sheet, face, size, (left, y, width), fill)
        elif kind < 0.8:
            y = _listing(sheet, face, size, left, y, (fill, pitch))
        elif kind < 0.9:
            tall = int(size * uniform(rng, 2, 6))
            if y + tall < sheet.height - pitch:
                sheet.picture(int(left), int(y), int(width * 0.5), tall, backgrounds.scene(rng, tall, int(width * 0.5)))
            y += tall + pitch
        y += pitch * uniform(rng, 0.2, 1.0)
    if chance(rng, 0.5):
        sheet.write(face, tuned(size * 0.9), _short(sheet), left, sheet.height - size * 0.5, fill, room=width)


def _menus(sheet: Sheet, face: FontFace, size: int, y: float, fill: Colour) -> float:
    """Write a row of menus, each a run of its own; return its baseline."""
    x = size * 0.8
    for _ in range(integer(sheet.rng, 0, 7)):
        box = sheet.write(face, size, _short(sheet), x, y, fill)
        x = (box[2] if box else x) + size * uniform(sheet.rng, 1.0, 2.0)
    return y


def _side(sheet: Sheet, face: FontFace, size: int, rows: tuple[float, float], fill: Colour) -> float:
    """Write a list down the left side, *rows* are first baseline and pitch; return where the side ends."""
    (y, pitch), end = rows, sheet.width * uniform(sheet.rng, 0.18, 0.35)
    sheet.rule(end, y - pitch * 0.6, end, sheet.height, fill)
    while y < sheet.height:
        if chance(sheet.rng, 0.8):
            sheet.write(face, size, _short(sheet), size * 0.8, y, fill, room=end - size)
        y += pitch
    return end


def _tint(sheet: Sheet, light: bool) -> Colour:
    """Return a colour for type, light on a dark window or dark on a light one."""
    if not light:
        return dark(sheet.rng)
    level, hue = uniform(sheet.rng, 150, 245), (sheet.rng.random(3) - 0.5) * (110 if chance(sheet.rng, 0.4) else 10)
    return np.clip(level + hue, 90, 255).astype(np.float32)


def _chrome(sheet: Sheet, size: int) -> float:
    """Draw the frame's upper edge with title and buttons, or nothing; return where the window's inside begins."""
    rng = sheet.rng
    if chance(rng, 0.4):
        return size * uniform(rng, 0.2, 1.0)
    tall = int(size * 2)
    bar = float(sheet.canvas.mean()) + uniform(rng, -60, 60)
    cv2.rectangle(sheet.canvas, (0, 0), (sheet.width, tall), (float(np.clip(bar, 0, 255)),) * 3, -1)
    for place in range(3):
        centre = sheet.width - int((place + 1) * size * 1.4), tall // 2
        cv2.circle(sheet.canvas, centre, max(2, size // 3), tuple(map(float, dark(rng))), pick(rng, (-1, 1)))
    fill = np.full(3, 240.0 if bar < 128 else 30.0, np.float32)
    align = pick(rng, (0.0, 0.5))
    x = size if align == 0.0 else sheet.width / 2
    sheet.write(sheet.fonts.pick(rng), size, _short(sheet), x, tall * 0.68, fill, align, room=sheet.width * 0.6)
    return float(tall)


def _short(sheet: Sheet) -> str:
    """Return a name as menus, lists and titles have."""
    kind = pick(sheet.rng, (phrases.name, phrases.item, phrases.code, phrases.labelled, phrases.web))
    return pick(sheet.rng, FIELDS) if sheet.corpus.latin and chance(sheet.rng, 0.5) else phrase(sheet, kind)


def _word(sheet: Sheet) -> str:
    """Return a name, number or string as program text has."""
    rng = sheet.rng
    if chance(rng, 0.2):
        return phrases.number(rng, lambda: sheet.corpus.word(rng))
    one = sheet.corpus.word(rng)
    return f"{one}_{sheet.corpus.word(rng)}" if chance(rng, 0.3) else one


def _code(sheet: Sheet) -> str:
    """Return a line of program text."""
    form = pick(sheet.rng, CODE)
    return form.format(*(_word(sheet) for _ in range(form.count("{}"))))


def _prompt(sheet: Sheet) -> str:
    """Return a command, or a line that one prints."""
    return pick(sheet.rng, PROMPTS) + sheet.corpus.prose(sheet.rng, integer(sheet.rng, 8, 60))


def _listing(sheet: Sheet, face: FontFace, size: int, x: float, y: float, style: tuple[Colour, float]) -> float:
    """Write rows of columns on a grid of characters, each cell a run of its own; return the last baseline."""
    rng, (fill, leading) = sheet.rng, style
    advance = ink.mean_advance(face, size)
    widths = [integer(rng, 5, 16) for _ in range(integer(rng, 2, 5))]
    kinds = [pick(rng, (phrases.number, phrases.date, phrases.code, phrases.item, phrases.time)) for _ in widths]
    for row in range(integer(rng, 2, 7)):
        if y > sheet.height - size * 0.5:
            break
        left = x
        for width, kind in zip(widths, kinds, strict=True):
            room = min(width * advance, sheet.width - left - size)
            if room > advance and not chance(rng, 0.05):
                sheet.write(face, size, phrase(sheet, kind), left, y, fill, room=room)
            left += (width + APART) * advance
        y += leading if row else leading * pick(rng, (1.0, 1.0, 1.5))
    return y


def _field(sheet: Sheet, face: FontFace, size: int, box: tuple[float, float, float], fill: Colour) -> float:
    """Write a label and a framed value, sometimes with a button behind; *box* is left, baseline, width."""
    rng, (x, y, width) = sheet.rng, box
    written = sheet.write(face, size, _short(sheet), x, y, fill, room=width * 0.4)
    start = max(x + width * 0.35, (written[2] if written else x) + size)
    end = start + width * uniform(rng, 0.25, 0.5)
    edge = tuple(map(float, fill))
    cv2.rectangle(sheet.canvas, (int(start), int(y - size * 1.1)), (int(end), int(y + size * 0.5)), edge, 1)
    sheet.write(face, size, _short(sheet), start + size * 0.4, y, fill, room=end - start - size * 0.8)
    if chance(rng, 0.4):
        plate = (int(end + size), int(y - size * 1.1)), (int(end + size * 6), int(y + size * 0.5))
        cv2.rectangle(sheet.canvas, *plate, tuple(map(float, dark(rng))), -1)
        text = _short(sheet).split()[0]
        middle = (plate[0][0] + plate[1][0]) / 2
        sheet.write(face, size, text, middle, y, np.full(3, 245, np.float32), 0.5, room=size * 4.5)
    return y + size * uniform(rng, 1.2, 1.8)
