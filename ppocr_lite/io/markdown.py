"""Text as Markdown: headings by their size, paragraphs by blocks, tables by cells that stand in rows and columns.

Source:
    CommonMark 0.31, https://spec.commonmark.org/0.31.2/; tables of GitHub Flavored Markdown, https://github.github.com/gfm/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.textline import TextLine, reading_corners, split_blocks

LARGE, LARGER = 1.3, 1.7  # a heading is higher than the text of the page by this factor, one of the first level by that
HEADING_LINES = 2  # most lines of a heading
SAME_ROW = 0.5  # centres closer than this share of the lower line's height stand in one row
LEAST_CELLS = 6  # of a table: two columns of three, or three of two; less may be a line with a gap
GAP = 1.0  # of columns, as a share of the height of the text; words of prose stand closer
FILLED = 0.6  # of the rows have something in each column
_SPECIAL = re.compile(r"([\\`*_\[\]<>|])")
_AT_START = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)](?:\s|$)))")


class _Cell(NamedTuple):
    """A line on the upright page.

    Attributes:
        text: What it says.
        block: Which block it belongs to.
        left: Where it begins, and likewise the others, pixels.
    """

    text: str
    block: int
    left: float
    right: float
    middle: float
    height: float


def markdown(lines: Sequence[TextLine], block_sizes: Sequence[int] = ()) -> str:
    """Return a page as Markdown; nothing for a page without text.

    Args:
        lines: In reading order.
        block_sizes: How many lines each block has; empty for one block.
    """
    cells = _upright(lines, block_sizes)
    if not cells:
        return ""
    usual = _usual_height(cells)
    parts: list[str] = []
    prose: list[list[_Cell]] = []
    for rows in _tables(_rows(cells)):
        table = _table(rows)
        if table is None:
            prose += rows
            continue
        parts += _paragraphs(prose, usual)
        prose = []
        parts.append(table)
    return "\n\n".join([*parts, *_paragraphs(prose, usual)]) + "\n"


def _upright(lines: Sequence[TextLine], block_sizes: Sequence[int]) -> list[_Cell]:
    """Return the lines that say something, on the page turned so that most of them run to the right."""
    blocks = [number for number, block in enumerate(split_blocks(lines, block_sizes)) for _ in block]
    shown = [(line, block) for line, block in zip(lines, blocks, strict=True) if line.text.strip()]
    if not shown:
        return []
    corners = np.array([reading_corners(line.polygon, line.angle) for line, _ in shown], np.float64)  # (N, 4, 2)
    along = (corners[:, 1] - corners[:, 0]).sum(axis=0)
    cos, sin = along / max(float(np.hypot(*along)), 1e-6)
    turned: NDArray[np.float64] = corners @ np.array([[cos, -sin], [sin, cos]])
    low, high = turned.min(axis=1), turned.max(axis=1)
    heights = np.hypot(*(corners[:, 3] - corners[:, 0]).T)
    return [
        _Cell(line.text.strip(), block, low[i, 0], high[i, 0], (low[i, 1] + high[i, 1]) / 2, heights[i])
        for i, (line, block) in enumerate(shown)
    ]


def _usual_height(cells: Sequence[_Cell]) -> float:
    """Return the height of the text that there is most of."""
    return float(np.median(np.repeat([cell.height for cell in cells], [len(cell.text) for cell in cells])))


def _rows(cells: Sequence[_Cell]) -> list[list[_Cell]]:
    """Return neighbours in the reading order that stand in one row."""
    rows: list[list[_Cell]] = []
    for cell in cells:
        last = rows[-1][-1] if rows else None
        beside = last is not None and cell.left >= last.right - 0.5 * last.height
        if last and beside and abs(cell.middle - last.middle) < SAME_ROW * min(cell.height, last.height):
            rows[-1].append(cell)
        else:
            rows.append([cell])
    return rows


def _tables(rows: Sequence[list[_Cell]]) -> Iterator[list[list[_Cell]]]:
    """Yield stretches of rows: of several cells each, which may be a table, or of one each, which is none."""
    stretch: list[list[_Cell]] = []
    for row in rows:
        if stretch and (len(row) > 1) != (len(stretch[0]) > 1):
            yield stretch
            stretch = []
        stretch.append(row)
    if stretch:
        yield stretch


def _table(rows: Sequence[Sequence[_Cell]]) -> str | None:
    """Return rows as a table, None if their cells do not stand in columns."""
    if len(rows[0]) < 2 or len(rows) < 2:
        return None
    columns: list[list[float]] = []  # left and right of each, from the left
    for cell in sorted((cell for row in rows for cell in row), key=lambda cell: cell.left):
        if columns and cell.left < columns[-1][1]:
            columns[-1][1] = max(columns[-1][1], cell.right)
        else:
            columns.append([cell.left, cell.right])
    filled = [[" ".join(_inline(c.text) for c in row if low <= c.left < high) for low, high in columns] for row in rows]
    shares = [sum(bool(row[index]) for row in filled) / len(rows) for index in range(len(columns))]
    least = GAP * float(np.median([cell.height for row in rows for cell in row]))
    gaps = [after[0] - before[1] for before, after in zip(columns, columns[1:], strict=False)]
    if len(columns) * len(rows) < LEAST_CELLS or min(shares) < FILLED or min(gaps, default=0.0) < least:
        return None
    head, *body = (f"| {' | '.join(row)} |" for row in filled)
    return "\n".join([head, "|" + " --- |" * len(columns), *body])


def _paragraphs(rows: Sequence[Sequence[_Cell]], usual: float) -> Iterator[str]:
    """Yield each block as a paragraph, or as a heading what of it is short and large."""
    for (_, mark), found in groupby(rows, key=lambda row: (row[0].block, _mark(row[0].height / usual))):
        run = [_inline(" ".join(cell.text for cell in row)) for row in found]
        if mark and len(run) <= HEADING_LINES:
            yield f"{mark} {' '.join(run)}"
        else:
            yield "\n".join(_AT_START.sub(_escape_start, text) for text in run)


def _mark(size: float) -> str:
    """Return how a heading is marked whose text is so many times as high as usual; nothing for what is none."""
    return "#" if size >= LARGER else "##" if size >= LARGE else ""


def _inline(text: str) -> str:
    """Return *text* so that Markdown shows it as it is, within a line."""
    return _SPECIAL.sub(r"\\\1", text)


def _escape_start(found: re.Match[str]) -> str:
    """Return what begins a line so that it does not make it a heading or an item of a list."""
    return f"{found[1]}{found[2]}\\" if found[2].isdigit() else f"{found[1]}\\{found[2]}"
