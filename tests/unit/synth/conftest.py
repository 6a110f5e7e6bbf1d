"""A font built at test time, so that most tests need none installed, and the installed fonts, if there are any."""

from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from ppocr_lite.errors import DataError
from ppocr_lite.synth import Backgrounds, Corpus, FontBook, LineMaker, PageMaker

ASCII = "".join(map(chr, range(32, 127)))
TINY = "ABCDEFGHabcdefgh0123456789.-"


def _box(left: int, bottom: int, right: int, top: int):
    pen = TTGlyphPen(None)
    pen.moveTo((left, bottom))
    for point in ((left, top), (right, top), (right, bottom)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


def build_font(path: Path, family: str, chars: str, boxes: str = "", empty: str = "") -> Path:
    """Write a font whose letters are rectangles of different widths.

    Args:
        path: File to write.
        family: Family name.
        chars: Characters with a proper glyph; the space is added.
        boxes: Characters mapped to a copy of the missing-glyph box.
        empty: Characters mapped to a glyph without ink.
    """
    missing = _box(50, 0, 450, 600)
    glyphs = {".notdef": missing, "space": TTGlyphPen(None).glyph()}
    advances = {".notdef": (500, 50), "space": (300, 0)}
    cmap = {32: "space"}
    for i, char in enumerate(chars):
        name = f"c{ord(char)}"
        glyphs[name], advances[name], cmap[ord(char)] = _box(40, 0, 160 + 12 * i, 700), (220 + 12 * i, 40), name
    for char in boxes:
        name = f"b{ord(char)}"
        glyphs[name], advances[name], cmap[ord(char)] = missing, (500, 50), name
    for char in empty:
        name = f"e{ord(char)}"
        glyphs[name], advances[name], cmap[ord(char)] = TTGlyphPen(None).glyph(), (300, 0), name
    builder = FontBuilder(1000)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(advances)
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


@pytest.fixture
def tiny_font(tmp_path: Path) -> Path:
    """A folder with one font that draws ``TINY``."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    build_font(folder / "Tiny.ttf", "Tiny", TINY)
    return folder


@pytest.fixture(scope="session")
def fonts() -> FontBook:
    """The installed fonts that draw ASCII."""
    try:
        return FontBook.discover(ASCII)
    except DataError as error:
        pytest.skip(f"no usable font is installed: {error}")


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    return Corpus(ASCII)


@pytest.fixture(scope="session")
def backgrounds() -> Backgrounds:
    return Backgrounds()


@pytest.fixture
def lines(fonts: FontBook, corpus: Corpus) -> LineMaker:
    return LineMaker(ASCII, fonts, corpus)


@pytest.fixture
def pages(fonts: FontBook, corpus: Corpus) -> PageMaker:
    return PageMaker((480, 480), fonts, corpus)
