"""The order in which a person reads the lines of a page, and the blocks that they form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.textline import Points

SAME_ROW = 0.5  # centres closer than this share of the lower line's height stand in one row
MOST_SKEW_DEGREES = 30.0  # a page turned further than this is not a page photographed askew
# A page askew is turned by what brings most of its lines into rows, so much beside the median direction, degrees.
ASKEW_DEGREES, BESIDE = 1.0, np.arange(-1.5, 1.51, 0.25)
BETTER = 1.15  # by this factor, for beside that lines of different rows may fall into one
MOST_PAIRED = 200  # lines that are tried for rows
GUTTER = 0.3  # columns are at least so far apart, as a share of the height of a line
PROSE = 8.0  # a line of prose is so many times as wide as high; what is shorter is a cell, a label or an end
LEAST_LINES = 4  # of prose, in a column
MOSTLY = 0.6  # a column is prose by so much of its length
FILLED = 0.35  # and lines of it are at least so wide as what is at their side of the gutter: up to two more columns
FLUSH = 0.5  # so much of it begins at one left edge
PARAGRAPH = 0.6  # rows further apart than usual by this share of a line's height belong to different blocks
Rows = list[list[int]]


class _Page:
    """Boxes of lines, upright: left and top, right and bottom, (N, 2) each."""

    def __init__(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
        self.low, self.high = low, high
        self.centre = (low + high) / 2

    @property
    def size(self) -> NDArray[np.float64]:
        return np.maximum(self.high - self.low, 1.0)


def reading_order(polygons: Sequence[Points]) -> list[int]:
    """Return indices of *polygons* in reading order; see :func:`reading_blocks`."""
    return [index for block in reading_blocks(polygons) for index in block]


def reading_blocks(polygons: Sequence[Points]) -> list[list[int]]:
    """Return indices of *polygons* by blocks, blocks and their lines in reading order.

    The page is first turned upright by the median direction of its lines. Then, from the top, a line joins the row
    above it if their centres, at the nearest member of that row, are closer than half the smaller height. Where a
    stretch of rows has the same clear gap, with prose at both sides of it, these are columns: the left one is read
    first. All else, tables among it, is read row by row.

    Args:
        polygons: Each (P, 2), (x, y) pixels; quads clockwise from the top left.
    """
    if not polygons:
        return []
    angle = _row_direction(polygons, skew(polygons))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    upright = [polygon @ turn for polygon in polygons]
    page = _Page(np.array([p.min(axis=0) for p in upright]), np.array([p.max(axis=0) for p in upright]))
    return [block for block in _blocks(page, np.arange(len(polygons))) if block]


def skew(polygons: Sequence[Points]) -> float:
    """Return how far the page is turned clockwise, radians: the median direction of its quads, weighted by length.

    Zero where there are no quads, or they are turned by more than 30 degrees.
    """
    tops = np.array([polygon[1] - polygon[0] for polygon in polygons if len(polygon) == 4], np.float64).reshape(-1, 2)
    angles, lengths = np.arctan2(tops[:, 1], tops[:, 0]), np.hypot(tops[:, 0], tops[:, 1])
    order = np.argsort(angles)
    if not lengths.sum() > 0:
        return 0.0
    middle = order[np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)]
    angle = float(angles[middle])
    return angle if abs(angle) <= np.radians(MOST_SKEW_DEGREES) else 0.0


def _row_direction(polygons: Sequence[Points], angle: float) -> float:
    """Return *angle*, or what is near it and brings more lines into rows, if the page is askew."""
    if abs(angle) < np.radians(ASKEW_DEGREES):
        return angle
    quads = [polygon for polygon in polygons if len(polygon) == 4][:MOST_PAIRED]
    centres = np.array([quad.mean(axis=0) for quad in quads])
    height = float(np.median([np.hypot(*(quad[3] - quad[0])) for quad in quads])) or 1.0
    beside = np.abs(centres[:, :1] - centres[:, 0]) > 2 * height
    tried = angle + np.radians(BESIDE)
    gains = []
    for one in tried:
        down = centres @ (-np.sin(one), np.cos(one))
        apart = np.abs(down[:, None] - down[None])
        gains.append(float(np.maximum(0.0, 1 - apart / (SAME_ROW * height))[beside].sum()))
    best = max(range(len(tried)), key=lambda index: (round(gains[index], 6), -abs(BESIDE[index])))
    return float(tried[best]) if gains[best] > BETTER * gains[len(gains) // 2] else angle


def _rows(page: _Page, lines: NDArray[np.intp]) -> Rows:
    """Return rows from top to bottom, each from left to right."""
    centre, height = page.centre, page.size[:, 1]
    rows: Rows = []
    for index in lines[np.lexsort((centre[lines, 0], centre[lines, 1]))].tolist():
        if rows:
            near = min(rows[-1], key=lambda other: abs(float(centre[other, 0] - centre[index, 0])))
            if abs(centre[index, 1] - centre[near, 1]) < SAME_ROW * min(height[index], height[near]):
                rows[-1].append(index)
                continue
        rows.append([index])
    return [sorted(row, key=lambda i: (float(centre[i, 0]), float(centre[i, 1]))) for row in rows]


def _blocks(page: _Page, lines: NDArray[np.intp]) -> Iterator[list[int]]:
    """Yield the blocks of some lines: what stands above columns, each column, and what stands below them."""
    rows = _rows(page, lines)
    columns = _columns(page, rows) if len(lines) >= 2 * LEAST_LINES else None
    if columns is None:
        yield from _paragraphs(page, rows)
        return
    first, last, at = columns
    inside = np.array([index for row in rows[first:last] for index in row])
    left = page.centre[inside, 0] < at
    above, below = rows[:first], rows[last:]
    for part in (above, None, below):
        if part is None:
            yield from _blocks(page, inside[left])
            yield from _blocks(page, inside[~left])
        elif part:
            yield from _blocks(page, np.array([index for row in part for index in row]))


def _columns(page: _Page, rows: Rows) -> tuple[int, int, float] | None:
    """Return the longest stretch of rows with columns: first row, row after the last, and where the gutter is."""
    is_prose = page.size[:, 0] >= PROSE * page.size[:, 1]
    if np.count_nonzero(is_prose[[index for row in rows for index in row]]) < 2 * LEAST_LINES:
        return None
    least = GUTTER * float(np.median(page.size[[index for row in rows for index in row], 1]))
    best, most, seen = None, 0, set()
    for start in range(len(rows)):
        for gap in _gaps(page, [*rows[start], *(rows[start + 1] if start + 1 < len(rows) else [])], least):
            stretch = _stretch(page, rows, start, gap, least)
            if stretch is None or stretch in seen:
                continue
            seen.add(stretch)
            first, last, at = stretch
            inside = np.array([index for row in rows[first:last] for index in row])
            if len(inside) > most and _are_columns(page, inside, at, is_prose):
                best, most = stretch, len(inside)
    return best


def _gaps(page: _Page, lines: Sequence[int], least: float) -> list[tuple[float, float]]:
    """Return the clear spaces between lines, seen from above."""
    order = sorted(lines, key=lambda index: float(page.low[index, 0]))
    gaps, end = [], float(page.high[order[0], 0])
    for index in order[1:]:
        if page.low[index, 0] - end >= least:
            gaps.append((end, float(page.low[index, 0])))
        end = max(end, float(page.high[index, 0]))
    return gaps


def _stretch(
    page: _Page, rows: Rows, start: int, gap: tuple[float, float], least: float
) -> tuple[int, int, float] | None:
    """Return as many rows around *start* as leave clear enough of a gap, and the middle of what is clear in all."""
    left, right = gap

    def narrowed(row: list[int]) -> tuple[float, float]:
        low, high = left, right
        for index in row:
            if page.centre[index, 0] < (low + high) / 2:
                low = max(low, float(page.high[index, 0]))
            else:
                high = min(high, float(page.low[index, 0]))
        return low, high

    ends = []
    for step, place in ((-1, start - 1), (1, start)):
        while 0 <= place < len(rows):
            low, high = narrowed(rows[place])
            if high - low < least:
                break
            left, right, place = low, high, place + step
        ends.append(place)
    first, last = ends[0] + 1, ends[1]
    return (first, last, round((left + right) / 2, 1)) if last - first >= LEAST_LINES else None


def _are_columns(page: _Page, lines: NDArray[np.intp], at: float, is_prose: NDArray[np.bool_]) -> bool:
    """Say whether there is prose at both sides of a gutter, beside each other."""
    width, spans = page.size[:, 0], []
    left = page.centre[lines, 0] < at
    for side in (lines[left], lines[~left]):
        prose = side[is_prose[side]]
        if len(prose) < LEAST_LINES or width[prose].sum() < MOSTLY * width[side].sum():
            return False
        filling = width[prose] >= FILLED * (page.high[side, 0].max() - page.low[side, 0].min())
        if np.count_nonzero(filling) < LEAST_LINES:
            return False
        edges = page.low[prose, 0]
        flush = np.abs(edges[:, None] - edges) <= page.size[prose, 1]
        if (flush @ width[prose]).max() < FLUSH * width[prose].sum():
            return False
        spans.append((page.low[prose, 1].min(), page.high[prose, 1].max()))
    (top, bottom), (other_top, other_bottom) = spans
    shorter = min(bottom - top, other_bottom - other_top)
    return bool(min(bottom, other_bottom) - max(top, other_top) > 0.5 * shorter)


def _paragraphs(page: _Page, rows: Rows) -> Iterator[list[int]]:
    """Yield rows as blocks, parted where they stand further apart than is usual there."""
    tops = [min(float(page.low[index, 1]) for index in row) for row in rows]
    bottoms = [max(float(page.high[index, 1]) for index in row) for row in rows]
    heights = [float(np.median(page.size[row, 1])) for row in rows]
    gaps = [top - bottom for top, bottom in zip(tops[1:], bottoms[:-1], strict=True)]
    usual = float(np.median(gaps)) if gaps else 0.0
    block = list(rows[0])
    for index, gap in enumerate(gaps):
        if gap > usual + PARAGRAPH * max(heights[index], heights[index + 1]):
            yield block
            block = []
        block += rows[index + 1]
    yield block
