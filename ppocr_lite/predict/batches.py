"""Which width a line is padded to, and which lines are run together."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence

from ppocr_lite.config.reading import DEFAULT_POLICY
from ppocr_lite.errors import ConfigError

# Four widths to an octave: a line is padded by an eighth on average, and a page of text needs about ten.
WIDTHS = (64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280)
# For networks that take as long for two lines together as for one after the other: padded by little, seldom alike.
FINE_WIDTHS = (*range(32, 640, 16), *range(640, 2561, 32))


class WidthBuckets:
    """Pads a line to the first of a few widths that leaves some space clear.

    The width depends on the line alone, so what is read on it does not depend on its neighbours, and an engine has to
    prepare for few shapes.

    Args:
        widths: Pixels at the height of the recogniser, increasing. A wider line is padded to a multiple of a quarter
            of the last.
        clear_space: Least space to the right, as a share of the height.

    Raises:
        ConfigError: If *widths* is empty or does not increase from a positive number, or *clear_space* is negative.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS, clear_space: float = DEFAULT_POLICY.clear_space) -> None:
        increasing = all(low < high for low, high in zip((0, *widths), widths, strict=False))
        if not widths or not increasing or clear_space < 0:
            raise ConfigError(
                "Bucket widths must increase from above 0, with a clear space of 0 or more. "
                f"Received: {widths}, {clear_space}"
            )
        self.widths, self.clear_space = tuple(widths), clear_space

    def width(self, line: int, height: int) -> int:
        """Return what a *line* of that many pixels at *height* is padded to."""
        wanted = line + round(self.clear_space * height)
        place = bisect.bisect_left(self.widths, wanted)
        if place < len(self.widths):
            return self.widths[place]
        step = max(self.widths[-1] // 4, 1)
        return -(-wanted // step) * step


def batches(padded: Sequence[int], batch_size: int) -> Iterator[tuple[int, list[int]]]:
    """Yield a width and the indices of at most *batch_size* lines of that width, narrow ones first.

    Args:
        padded: What each line is padded to.
        batch_size: Most lines of a batch. The lines of one width are dealt out evenly: five are run as three and two,
            not as four and one.
    """
    alike: dict[int, list[int]] = {}
    for index, width in enumerate(padded):
        alike.setdefault(width, []).append(index)
    for width in sorted(alike):
        lines = alike[width]
        count = -(-len(lines) // batch_size)
        size = -(-len(lines) // count)
        for start in range(0, len(lines), size):
            yield width, lines[start : start + size]
