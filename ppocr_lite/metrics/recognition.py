"""How well lines are read."""

from __future__ import annotations

import re
from typing import Literal

from ppocr_lite.install import optional
from ppocr_lite.metrics.base import METRICS, Counter, main_first

Levenshtein = optional("rapidfuzz.distance.Levenshtein")
NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]")
PUNCTUATION_OR_SPACE = re.compile(r"[^\w]|_")

Indicator = Literal[
    "acc", "norm_edit_dis", "acc_with_space", "norm_edit_dis_with_space", "acc_ignore_case", "acc_ignore_case_punct"
]


@METRICS.register
class RecMetric(Counter):
    """Share of lines read without a fault, and similarity of what was read.

    The result always holds every comparison in use: ``acc`` and ``norm_edit_dis`` follow the options;
    ``acc_with_space`` and ``norm_edit_dis_with_space`` compare every character; ``acc_ignore_case`` also
    ignores spaces and case, ``acc_ignore_case_punct`` spaces, case and everything but letters and digits.

    Args:
        main_indicator: Entry that decides which checkpoint is best.
        ignore_space: Leave spaces out before comparing.
        ignore_case: Compare in lower case.
        alnum_only: Compare ASCII letters and digits only.
    """

    def __init__(
        self,
        main_indicator: Indicator = "acc",
        ignore_space: bool = True,
        ignore_case: bool = False,
        alnum_only: bool = False,
    ) -> None:
        super().__init__("right", "similar", "right_space", "similar_space", "right_case", "right_punct", "total")
        self.main_indicator = main_indicator
        self.ignore_space = ignore_space
        self.ignore_case = ignore_case
        self.alnum_only = alnum_only

    def update(self, result: str, truth: str) -> None:
        """Count one line: what was read and what is written."""
        read, written = self._normalise(result), self._normalise(truth)
        read_case, written_case = _without_space(result).lower(), _without_space(truth).lower()
        self.add(
            right=read == written,
            similar=Levenshtein.normalized_similarity(read, written),
            right_space=result == truth,
            similar_space=Levenshtein.normalized_similarity(result, truth),
            right_case=read_case == written_case,
            right_punct=_letters(read_case) == _letters(written_case),
            total=1,
        )

    def compute(self) -> dict[str, float]:
        """Return shares in [0, 1]; ``norm_edit_dis`` is the mean of 1 - edit distance / longer length."""
        values = {
            "acc": self.mean("right", "total"),
            "norm_edit_dis": self.mean("similar", "total"),
            "acc_with_space": self.mean("right_space", "total"),
            "norm_edit_dis_with_space": self.mean("similar_space", "total"),
            "acc_ignore_case": self.mean("right_case", "total"),
            "acc_ignore_case_punct": self.mean("right_punct", "total"),
        }
        return main_first(values, self.main_indicator)

    def _normalise(self, text: str) -> str:
        if self.ignore_space:
            text = _without_space(text)
        if self.ignore_case:
            text = text.lower()
        return NOT_ALPHANUMERIC.sub("", text) if self.alnum_only else text


def _without_space(text: str) -> str:
    return "".join(text.split())


def _letters(text: str) -> str:
    return PUNCTUATION_OR_SPACE.sub("", text)
