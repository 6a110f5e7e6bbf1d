"""Lines with their places become Markdown that says what a reader sees."""

from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.io.markdown import markdown
from ppocr_lite.textline import TextLine


def line(text: str, x: float, y: float, height: float = 20, turn: float = 0.0) -> TextLine:
    """A line at (x, y) as wide as its text, on a page that stands turned clockwise by *turn* degrees."""
    width = 10 * len(text)
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    angle = np.radians(turn)
    return TextLine(corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]), text)


def table(turn: float = 0.0) -> list[TextLine]:
    cells = [["Item", "Price"], ["Bread", "3.20"], ["Milk", "1|10"]]
    return [line(text, 300 * j, 40 * i, turn=turn) for i, row in enumerate(cells) for j, text in enumerate(row)]


def test_no_text_is_nothing() -> None:
    assert markdown([]) == markdown([line("  ", 0, 0)]) == ""


def test_blocks_are_paragraphs_and_large_lines_headings() -> None:
    body = [line(f"The text of this page, line {number}", 0, 120 + 30 * number) for number in range(4)]
    lines = [line("Title", 0, 0, 40), line("Part", 0, 60, 28), *body]
    assert markdown(lines, [1, 1, 2, 2]) == (
        "# Title\n\n## Part\n\nThe text of this page, line 0\nThe text of this page, line 1\n\n"
        "The text of this page, line 2\nThe text of this page, line 3\n"
    )
    assert markdown(lines, [3, 3]).startswith("# Title\n\n## Part\n\nThe text")  # in the block of what follows


def test_a_long_large_text_is_no_heading() -> None:
    large = [line("Large words", 0, 50 * number, 40) for number in range(3)]
    small = [line("Small words that are many more than the large", 0, 200 + 30 * number) for number in range(3)]
    assert "#" not in markdown([*large, *small], [3, 3])


@pytest.mark.parametrize("turn", [0, 8, 90, 180])
def test_cells_in_rows_and_columns_are_a_table(turn: float) -> None:
    expected = "| Item | Price |\n| --- | --- |\n| Bread | 3.20 |\n| Milk | 1\\|10 |\n"
    assert markdown(table(turn)) == expected


def test_prose_around_a_table_stays_prose() -> None:
    prose = [line("A list of what was bought that day", 0, -60), line("And what came of it afterwards", 0, 140)]
    text = markdown([prose[0], *table(), prose[1]], [1, 6, 1])
    assert text.startswith("A list of what was bought that day\n\n| Item | Price |")
    assert text.endswith("| Milk | 1\\|10 |\n\nAnd what came of it afterwards\n")


def test_a_line_with_a_gap_is_no_table() -> None:
    broken = [line("A line of prose", 0, 0), line("with a gap", 200, 0), line("and the next", 0, 30)]
    assert markdown(broken) == "A line of prose with a gap\nand the next\n"
    ragged = [line("one", 0, 0), line("two", 100, 0), line("three words", 0, 40), line("x", 300, 40)]
    assert "|" not in markdown(ragged)
    close = [
        line(word, 0 if j == 0 else 128, 40 * i) for i in range(4) for j, word in enumerate(("twelve words", "more"))
    ]
    assert "|" not in markdown(close)  # a word space apart


@pytest.mark.parametrize(
    "text, shown",
    [("# no heading", "\\# no heading"), ("- no item", "\\- no item"), ("1. no item", "1\\. no item"), ("1.5", "1.5")]
    + [("a*b*_c_ [d](e) <f> `g` \\", "a\\*b\\*\\_c\\_ \\[d\\](e) \\<f\\> \\`g\\` \\\\"), ("===", "\\===")],
)
def test_what_markdown_would_take_for_its_own_is_escaped(text: str, shown: str) -> None:
    assert markdown([line(text, 0, 0)]) == shown + "\n"
