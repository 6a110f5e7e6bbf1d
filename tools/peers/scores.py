"""What came of a reader: its times, what it read right, and its row of the table."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from peers.child import Found

from ppocr_lite.metrics import EndToEndMetric

IDEOGRAPHS = "\u3000-\u30ff\u3400-\u9fff\uff00-\uffef"  # with kana, and the signs that stand among them
TOKEN = re.compile(f"[{IDEOGRAPHS}]|[^\\s{IDEOGRAPHS}]+")
TIMES = ["first page, ms", "ms a page", "times", "CPU ms a page", "times", "spread"]
SCORES = ["token F1", "spaces", "words F1", "lines F1", "CER"]


@dataclass
class Tokens:
    """Words and ideographs that were read right, and spaces.

    Attributes:
        right: Tokens read that are in the truth, each as often as there.
        read: All tokens read.
        true: All tokens of the truth.
        spaces_read: Spaces within lines that were read.
        spaces_true: Spaces within the lines of the truth.
    """

    right: int = 0
    read: int = 0
    true: int = 0
    spaces_read: int = 0
    spaces_true: int = 0

    def update(self, texts: Sequence[str], truth: Sequence[str]) -> None:
        """Count one page."""
        read, true = (Counter(TOKEN.findall("\n".join(lines))) for lines in (texts, truth))
        self.right += (read & true).total()
        self.read += read.total()
        self.true += true.total()
        self.spaces_read += sum(line.count(" ") for line in texts)
        self.spaces_true += sum(line.count(" ") for line in truth)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / max(1, self.read + self.true)


@dataclass
class Times:
    """Of one clock, the readings of every page.

    Attributes:
        pages: For each page, the seconds of each reading.
    """

    pages: list[list[float]] = field(default_factory=list)

    @property
    def medians(self) -> list[float]:
        """The median of each page."""
        return [statistics.median(readings) for readings in self.pages]

    @property
    def spread(self) -> float:
        """How far the readings of a page lie apart, as a share of their median; the median of all pages."""
        return statistics.median(
            (max(readings) - min(readings)) / statistics.median(readings) if any(readings) else 0.0
            for readings in self.pages
        )

    def summary(self) -> str:
        """The median of the pages in milliseconds, and their quartiles if there are several."""
        medians = [1000 * seconds for seconds in self.medians]
        middle = f"{statistics.median(medians):.0f}"
        if len(medians) < 2:
            return middle
        low, _, high = statistics.quantiles(medians, method="inclusive")
        return f"{middle} ({low:.0f}–{high:.0f})"


@dataclass
class Reader:
    """One that reads files, and what came of it.

    Attributes:
        name: With version, and engine or models.
        read: File → seconds, processor seconds, and what it found.
        metric: What it read right.
        close: Gives back what it holds.
        first: Seconds of loading and of the first page, which are in no other figure.
        tokens: What it read right, in words and ideographs.
        wall: Seconds of every page.
        cpu: The same of processor time.
    """

    name: str
    read: Callable[[Path], tuple[float, float, Found]]
    metric: EndToEndMetric
    close: Callable[[], None]
    first: float = 0.0
    tokens: Tokens = field(default_factory=Tokens)
    wall: Times = field(default_factory=Times)
    cpu: Times = field(default_factory=Times)


def judge(reader: Reader, found: Found, truth: dict[str, Any], ignore_case: bool) -> None:
    """Count what is right of one page; what was read inside a region to be ignored counts for nothing."""
    outlines, texts = found
    reader.metric.update({"polygons": outlines, "texts": texts}, truth)
    ignored = [np.float32(p) for p, out in zip(truth["polys"], truth["ignore_tags"], strict=True) if out]
    centers = [tuple(map(float, np.mean(outline, axis=0))) for outline in outlines]
    outside = [not any(cv2.pointPolygonTest(region, center, False) >= 0 for region in ignored) for center in centers]
    read = [text for text, counts in zip(texts, outside, strict=True) if counts]
    true = [text for text, out in zip(truth["texts"], truth["ignore_tags"], strict=True) if not out]
    if ignore_case:
        read, true = ([text.lower() for text in lines] for lines in (read, true))
    reader.tokens.update(read, true)


def head(named: bool, judged: bool) -> list[list[str]]:
    """Return the first two rows of the table; *named* if lists have names, *judged* if any page has a truth."""
    titles = ["pages"] * named + ["reader", *TIMES] + SCORES * judged
    return [titles, ["---"] * len(titles)]


def row(reader: Reader, first: Reader, names: Sequence[str], judged: bool, scored: bool) -> list[str]:
    """Return the row of *reader*.

    Args:
        reader: Whose row.
        first: The reader of the first row; *times* is how often longer this one takes for all pages.
        names: What stands before the reader: the name of the list, if it has one.
        judged: Whether the table has accuracy.
        scored: Whether these pages have a truth.
    """
    cells = [*names, reader.name, f"{1000 * reader.first:.0f}"]
    for times, others in ((reader.wall, first.wall), (reader.cpu, first.cpu)):
        cells += [times.summary(), f"{sum(times.medians) / max(1e-9, sum(others.medians)):.2f}"]
    cells.append(f"{reader.wall.spread:.0%}")
    if judged and scored:
        values, tokens = reader.metric.compute(), reader.tokens
        cells += [f"{tokens.f1:.3f}", f"{tokens.spaces_read} of {tokens.spaces_true}"]
        cells += [f"{values['word_f1']:.3f}", f"{values['f1']:.3f}", f"{values['cer']:.3f}"]
    elif judged:
        cells += ["–"] * len(SCORES)
    return cells


def markdown(cells: Sequence[str]) -> str:
    """Return one row in Markdown."""
    return f"| {' | '.join(cells)} |"
