"""How well pages are read from image to text."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Mapping
from typing import Any

from ppocr_lite.install import optional
from ppocr_lite.metrics.base import Counter
from ppocr_lite.metrics.detection import match_regions

Levenshtein = optional("rapidfuzz.distance.Levenshtein")


class EndToEndMetric(Counter):
    """Share of the text regions found *and* read without a fault, and the character error rate of whole pages.

    A found region is right if it covers a true one (intersection over union at least *iou_thresh*) and its text is
    equal.  Regions inside ignored ones take no part in any figure.  Words are also compared without their places, as
    sets that may hold a word several times, so that readers can be compared that divide a page otherwise.

    It takes what whole chains of networks read, so no config of one network can name it.

    Args:
        iou_thresh: Least intersection over union of a match.
        ignore_case: Compare in lower case.
        ignore_space: Leave spaces out before comparing.

    Source:
        Karatzas et al., ICDAR 2015 Competition on Robust Reading, task 4.4 (end to end).
    """

    def __init__(self, iou_thresh: float = 0.5, ignore_case: bool = False, ignore_space: bool = False) -> None:
        super().__init__("right", "found", "true", "edits", "characters", "words_right", "words_found", "words_true")
        self.iou_thresh, self.ignore_case, self.ignore_space = iou_thresh, ignore_case, ignore_space

    def update(self, result: Mapping[str, Any], truth: Mapping[str, Any]) -> None:
        """Count one page; both sides in reading order.

        Args:
            result: ``polygons``, each (P, 2), and ``texts``.
            truth: ``polys`` and ``texts``, in the same frame, and ``ignore_tags``, (N,) bool.
        """
        pairs, left_out, ignore = match_regions(result, truth, self.iou_thresh, ignore_thresh=0.5)
        read = [self._plain(text) for text in result["texts"]]
        written = [self._plain(text) for text in truth["texts"]]
        page = "\n".join(text for text, out in zip(read, left_out, strict=True) if not out)
        wanted = "\n".join(text for text, out in zip(written, ignore, strict=True) if not out)
        self.add(
            right=sum(read[i] == written[j] for i, j in pairs),
            found=int((~left_out).sum()),
            true=int((~ignore).sum()),
            edits=Levenshtein.distance(page, wanted),
            characters=len(wanted),
            words_right=(Counts(page.split()) & Counts(wanted.split())).total(),
            words_found=len(page.split()),
            words_true=len(wanted.split()),
        )

    def compute(self) -> dict[str, float]:
        """Return the figures of all pages.

        Returns:
            ``f1``, ``precision`` and ``recall`` of regions and ``word_f1`` of words, in [0, 1]; ``cer``, edits per true
            character (0 is best).
        """
        precision, recall = self.mean("right", "found"), self.mean("right", "true")
        words = _harmonic(self.mean("words_right", "words_found"), self.mean("words_right", "words_true"))
        return {
            "f1": _harmonic(precision, recall),
            "precision": precision,
            "recall": recall,
            "word_f1": words,
            "cer": self.mean("edits", "characters"),
        }

    def _plain(self, text: str) -> str:
        text = text.lower() if self.ignore_case else text
        return text.replace(" ", "") if self.ignore_space else text


def _harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
