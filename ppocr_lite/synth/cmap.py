"""Which of the wanted characters a font file maps to a glyph, read straight from its cmap table.

fontTools would name every glyph of the font first, which takes a hundred times as long for a collection of ideographs.

Source:
    OpenType specification 1.9, "cmap: character to glyph index mapping table", formats 4 and 12.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

# (platform, encoding) of Unicode subtables, the fuller ones first
PREFERRED = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0))


def mapped(table: bytes, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which code points have a glyph other than ``.notdef``.

    Args:
        table: The raw cmap table.
        codes: (N,) code points.

    Returns:
        (N,) bool; all False if the table has no Unicode subtable of format 4 or 12.

    Raises:
        struct.error: If the table is cut short.
        ValueError: Likewise.
    """
    (count,) = struct.unpack_from(">H", table, 2)
    offsets = {}
    for i in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", table, 4 + 8 * i)
        offsets[platform, encoding] = offset
    for key in PREFERRED:
        if key in offsets:
            (form,) = struct.unpack_from(">H", table, offsets[key])
            if form == 12:
                return _groups(table, offsets[key], codes)
            if form == 4:
                return _segments(table, offsets[key], codes)
    return np.zeros(len(codes), bool)


def _groups(table: bytes, offset: int, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Format 12: ranges of first code, last code, first glyph."""
    (count,) = struct.unpack_from(">I", table, offset + 12)
    groups = np.frombuffer(table, ">u4", 3 * count, offset + 16).reshape(-1, 3).astype(np.int64)
    index = np.minimum(np.searchsorted(groups[:, 1], codes), count - 1)
    first, last, glyph = groups[index].T
    inside = (first <= codes) & (codes <= last)
    return np.asarray(inside & (glyph + codes - first != 0))


def _segments(table: bytes, offset: int, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Format 4: segments with a glyph offset, or with an index into a list of glyphs."""
    (double,) = struct.unpack_from(">H", table, offset + 6)
    count = double // 2
    start = offset + 14
    words = np.frombuffer(table[start : start + (len(table) - start) // 2 * 2], ">u2").astype(np.int64)
    ends, starts = words[:count], words[count + 1 : 2 * count + 1]
    deltas, ranges = words[2 * count + 1 : 3 * count + 1], words[3 * count + 1 : 4 * count + 1]
    index = np.minimum(np.searchsorted(ends, codes), count - 1)
    inside = (starts[index] <= codes) & (codes <= ends[index])
    place = 3 * count + 1 + index + ranges[index] // 2 + codes - starts[index]
    listed = words[np.clip(place, 0, len(words) - 1)]
    glyph = np.where(ranges[index] == 0, codes + deltas[index], np.where(listed == 0, 0, listed + deltas[index]))
    return np.asarray(inside & (glyph % 65536 != 0))
