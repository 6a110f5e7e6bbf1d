"""Pages of clean text, set where a test wants it, for the released networks to read."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from numpy.typing import NDArray

LINES = (
    "The harbour office opens at seven",
    "and closes at noon on Saturdays",
    "Visitors should bring a ticket",
    "and sign the green register",
    "Hot soup is sold in the cabin",
    "Bicycles are free in summer",
)


def typeset(
    texts: Iterable[tuple[tuple[float, float], str]],
    size: tuple[int, int],
    height: int = 22,
    ground: int = 255,
) -> NDArray[np.uint8]:
    """Return a BGR page (H, W, 3) with black texts, or white ones on a dark ground.

    Args:
        texts: Left and top of each, pixels, and its characters.
        size: (height, width) of the page.
        height: Size of the font, pixels.
        ground: Gray level of the paper.
    """
    page = PIL.Image.new("L", (size[1], size[0]), ground)
    draw = PIL.ImageDraw.Draw(page)
    font = PIL.ImageFont.load_default(height)
    for place, text in texts:
        draw.text(place, text, fill=0 if ground > 127 else 255, font=font)
    return np.repeat(np.asarray(page)[:, :, None], 3, axis=2)


def column(
    lines: Iterable[str], left: float = 40, top: float = 30, step: float = 48
) -> list[tuple[tuple[float, float], str]]:
    """Return lines below each other, as :func:`typeset` takes them."""
    return [((left, top + step * index), line) for index, line in enumerate(lines)]
