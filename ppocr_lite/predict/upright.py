"""Which way up the lines of a page stand.

Nearly all lines of a page stand alike, so the classifier looks at a few long ones, which it is surest of.  Where those
agree, it looks at others only if they read badly, as a line on its head does.
"""

from __future__ import annotations

from collections.abc import Sequence

from ppocr_lite.io.images import Image
from ppocr_lite.predict.classifier import TextClassifier
from ppocr_lite.predict.crop import turn
from ppocr_lite.predict.timing import NO_TIMER, Timer

FIRST = 6  # lines that are looked at first
ALIKE = 0.75  # share of them that must stand alike, for the rest to be taken to stand so, too
SURE = 0.95  # a line that reads as surely as this stands as it is taken to


class LineTurner:
    """Turns lines upright, as a classifier says.

    Args:
        classifier: Tells which lines stand on their head.
        turn_score: A line is turned only if the classifier is surer than this.
    """

    def __init__(self, classifier: TextClassifier, turn_score: float) -> None:
        self.classifier, self.turn_score = classifier, turn_score

    def angles(self, crops: Sequence[Image], timer: Timer = NO_TIMER) -> list[int]:
        """Return by how much each line is turned, 0 or 180."""
        found = self.classifier.classify(crops, timer)
        return [angle if score > self.turn_score else 0 for angle, score in found]

    def turn(self, crops: list[Image], only_some: bool, timer: Timer = NO_TIMER) -> tuple[list[int], set[int]]:
        """Turn the lines of a page upright, in place.

        Args:
            crops: The lines, each BGR (h, w, 3).
            only_some: Whether a few will do if they agree.
            timer: Told how long each step takes.

        Returns:
            By how much each line was turned, and the indices of those that were turned as the others are, unseen.
        """
        indices = range(len(crops))
        first = sorted(indices, key=lambda index: -crops[index].shape[1])[:FIRST] if only_some else list(indices)
        seen = dict(zip(first, self.angles([crops[index] for index in first], timer), strict=True))
        most = max((0, 180), key=list(seen.values()).count)
        rest = [index for index in indices if index not in seen]
        unseen = set(rest) if list(seen.values()).count(most) >= ALIKE * len(seen) else set()
        if rest and not unseen:
            seen |= zip(rest, self.angles([crops[index] for index in rest], timer), strict=True)
        angles = [seen.get(index, most) for index in indices]
        crops[:] = [turn(crop, angle) for crop, angle in zip(crops, angles, strict=True)]
        return angles, unseen
