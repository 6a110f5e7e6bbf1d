"""The layout of till receipts: shop, address, particulars, rows of articles, totals, greeting."""

from __future__ import annotations

import numpy as np

from ppocr_lite.synth import ink, phrases
from ppocr_lite.synth.background import Backgrounds
from ppocr_lite.synth.draws import chance, integer, pick, uniform
from ppocr_lite.synth.face import FontFace
from ppocr_lite.synth.layouts import BODY, phrase, tuned
from ppocr_lite.synth.sheet import Look, Sheet
from ppocr_lite.synth.wordlists import FIELDS

TAX_CODES = (("S",), ("SR", "ZRL"), ("SR",), ("T", "Z"), ("*",), ("A", "B"))  # those of one shop
ALL_CODES = {code for codes in TAX_CODES for code in codes}


def receipt(sheet: Sheet, backgrounds: Backgrounds) -> None:
    """Write a till receipt from top to bottom; the two ends of a row are separate runs."""
    paper = _Receipt(sheet)
    paper.shop(backgrounds)
    paper.particulars()
    paper.articles()
    paper.totals()
    paper.farewell()


def printer(rng: np.random.Generator) -> Look | None:
    """Return how a till printer changes the letters of one receipt, or None for clean print."""
    form = rng.random()
    wear = chance(rng, 0.25)
    if form < 0.35 and not wear:
        return None

    def look(mask: ink.Mask, cap: int) -> ink.Mask:
        if form < 0.7:
            mask = ink.thermal(mask, rng)
        elif form < 0.8 and cap >= 12:
            mask = ink.dot_matrix(mask, cap, rng)
        return ink.worn(mask, rng) if wear else mask

    return look


class _Receipt:
    """The pen of one receipt: its font, its margins, and the next baseline."""

    def __init__(self, sheet: Sheet) -> None:
        rng = sheet.rng
        self.sheet, self.rng = sheet, rng
        self.face = sheet.fonts.pick(rng, 0.6)
        self.head = sheet.fonts.pick(rng, 0.2) if chance(rng, 0.5) else self.face
        level = uniform(rng, 0, 90) if chance(rng, 0.7) else uniform(rng, 90, 150)
        self.fill = np.clip(level + (rng.random(3) - 0.5) * 16, 0, 255).astype(np.float32)
        self.left, self.right = sheet.width * uniform(rng, 0.02, 0.1), sheet.width * uniform(rng, 0.9, 0.98)
        self.width, self.middle = self.right - self.left, (self.left + self.right) / 2
        characters = integer(rng, 26, 46)
        self.size = tuned(self.width / characters / (ink.mean_advance(self.face, 20) / 20), BODY)
        self.big = tuned(self.size * uniform(rng, 1.0, 1.8))
        self.pitch = self.size * uniform(rng, 1.05, 1.6)
        self.upper = chance(rng, 0.5)
        self.codes = pick(rng, TAX_CODES) if chance(rng, 0.4) else ()
        self.y = self.pitch * uniform(rng, 1.0, 4.0)

    def put(self, text: str, align: float, font: FontFace | None = None, size: int = 0) -> None:
        """Write one run at the left, middle or right, and go to the next line."""
        x = self.left + align * self.width
        text = text.upper() if self.upper else text
        self.sheet.write(font or self.face, size or self.size, text, x, self.y, self.fill, align, room=self.width)
        self.y += max(self.pitch, size * 1.3)

    def pair(self, one: str, two: str, code: str = "") -> None:
        """Write a run at the left and one at the right end of the same line, there before a tax code if it has one."""
        sheet, text = self.sheet, one.upper() if self.upper else one
        amount, _, last = two.rpartition(" ")
        if amount and last in ALL_CODES:
            two, code = amount, last
        box = sheet.write(self.face, self.size, text, self.left, self.y, self.fill, room=self.width * 0.66)
        end, right = box[2] if box else self.left, self.right
        if code and (written := sheet.write(self.face, self.size, code, right, self.y, self.fill, 1.0)):
            right = written[0] - self.size * uniform(self.rng, 0.45, 1.2)
        if box is None or code or chance(self.rng, 0.85):
            room = right - end - self.size * 0.8
            sheet.write(self.face, self.size, two, right, self.y, self.fill, 1.0, room=room)
        else:
            start = end + self.size * 2
            sheet.write(self.face, self.size, two, start, self.y, self.fill, room=self.right - start)
        self.y += self.pitch

    def separate(self) -> None:
        """Leave space, mostly with a row of dashes."""
        if chance(self.rng, 0.75):
            self.sheet.dashes(int(self.left), int(self.right), int(self.y - self.size * 0.35), self.fill)
        self.y += self.pitch

    def shop(self, backgrounds: Backgrounds) -> None:
        """Logo, name, address, numbers."""
        rng = self.rng
        if chance(rng, 0.3):
            tall, wide = integer(rng, 30, 80), integer(rng, 40, 140)
            place = (int(self.middle - wide / 2), int(self.y - self.size))
            self.sheet.picture(*place, wide, tall, backgrounds.scene(rng, tall, wide))
            self.y += tall + self.pitch
        self.put(phrase(self.sheet, phrases.company), 0.5, self.head, self.big)
        align = 0.5 if chance(rng, 0.75) else 0.0
        for kind in (phrases.code, phrases.address, phrases.address, phrases.address, phrases.phone, phrases.labelled):
            if chance(rng, 0.7):
                self.put(phrase(self.sheet, kind), align)
        self.separate()

    def particulars(self) -> None:
        """Title, date, numbers, cashier."""
        rng = self.rng
        if chance(rng, 0.6):
            self.put(phrase(self.sheet, phrases.courtesy), 0.5, self.head, self.big)
        for _ in range(integer(rng, 1, 5)):
            kind = pick(rng, (phrases.date, phrases.code, phrases.name, phrases.time))
            self.pair(phrase(self.sheet, phrases.labelled), phrase(self.sheet, kind))
        self.separate()

    def articles(self) -> None:
        """Rows of articles, some with a second line of quantity and unit price."""
        rng, sheet = self.rng, self.sheet
        for _ in range(integer(rng, 1, 12)):
            if chance(rng, 0.4):
                self.put(phrase(sheet, phrases.item), 0.0)
            else:
                code = pick(rng, self.codes) if self.codes and sheet.corpus.latin else ""
                self.pair(phrase(sheet, phrases.item), phrase(sheet, phrases.price), code)
            if chance(rng, 0.35):
                places = (self.left + self.size * uniform(rng, 0, 3), self.middle, self.right)
                for x, align in zip(places, (0.0, 0.5, 1.0), strict=True):
                    text = phrase(sheet, pick(rng, (phrases.price, phrases.number, phrases.code)))
                    if chance(rng, 0.75):
                        room = self.width * 0.27
                        sheet.write(self.face, self.size, text, x, self.y, self.fill, align, room=room)
                self.y += self.pitch
        self.separate()

    def totals(self) -> None:
        """Names of amounts at the left, amounts at the right."""
        for _ in range(integer(self.rng, 1, 7)):
            known = pick(self.rng, FIELDS)
            name = known if self.sheet.corpus.latin else phrase(self.sheet, phrases.labelled)
            self.pair(name, phrase(self.sheet, phrases.price))
            self.y += self.pitch * 0.6 * chance(self.rng, 0.2)
        self.separate()

    def farewell(self) -> None:
        """Barcode, greetings, conditions, and what pens and stamps leave."""
        rng, sheet = self.rng, self.sheet
        if chance(rng, 0.3):
            top = int(self.y - self.size * 0.7)
            sheet.barcode(int(self.left + self.size), top, int(self.width * 0.7), int(self.pitch * 2.5))
            self.y += self.pitch * 3.3
        for _ in range(integer(rng, 0, 6)):
            greeting = chance(rng, 0.6)
            text = (
                phrase(sheet, phrases.courtesy) if greeting else sheet.line_of(self.face, self.size, self.width * 0.9)
            )
            self.put(text, 0.5)
        for _ in range(integer(rng, 0, 2) if chance(rng, 0.3) else 0):
            sheet.scribble()
