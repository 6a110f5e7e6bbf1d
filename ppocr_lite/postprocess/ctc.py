"""Class probabilities along a line → its text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.charset import BLANK, Charset
from ppocr_lite.errors import ConfigError
from ppocr_lite.postprocess.base import POSTPROCESSES
from ppocr_lite.results import Recognition


@POSTPROCESSES.register
class CTCLabelDecode:
    """Greedy CTC decoding: the best class of every step, repetitions merged, blanks dropped.

    Args:
        charset: The characters the classes stand for; class 0 is the blank.
        drop_score: Below this a text is not worth showing, from 0 to 1. Decoding leaves none out; :class:`OCR` does.

    Raises:
        ConfigError: If *drop_score* is not from 0 to 1.

    Source:
        Graves et al., Connectionist Temporal Classification, ICML 2006, section 3.2 (best path decoding).
    """

    def __init__(self, charset: Charset, drop_score: float = 0.5) -> None:
        if not 0 <= drop_score <= 1:
            raise ConfigError(f"CTCLabelDecode: drop_score must be from 0 to 1. Received: {drop_score}")
        self.drop_score = drop_score
        self.characters = np.array(["", *charset.characters], dtype=object)

    @property
    def num_classes(self) -> int:
        """Classes the network must return, the blank among them."""
        return len(self.characters)

    def __call__(self, probabilities: NDArray[Any]) -> list[Recognition]:
        """Decode a batch.

        Args:
            probabilities: (N, T, C) softmax output, C = ``num_classes``.

        Returns:
            N texts. The score is the mean probability of the first steps of their characters, 0.0 for an empty text;
            a character has its place in the middle of its steps.

        Raises:
            ValueError: If the shape does not fit the characters.
        """
        if probabilities.ndim != 3 or probabilities.shape[2] != self.num_classes:
            raise ValueError(
                f"Expected probabilities (N, T, {self.num_classes}): {self.num_classes - 1} characters and the blank. "
                f"Received: {probabilities.shape}"
            )
        best = probabilities.argmax(axis=2)  # (N, T)
        starts = np.ones(best.shape, bool)
        starts[:, 1:] = best[:, 1:] != best[:, :-1]
        line, step = np.nonzero(starts)
        lengths = np.diff(np.flatnonzero(starts), append=best.size)  # each line begins with a start
        classes = best[line, step]
        keep = classes != BLANK
        line, step, lengths, classes = line[keep], step[keep], lengths[keep], classes[keep]
        sure = probabilities[line, step, classes]
        middles = ((step + 0.5 * lengths) / max(best.shape[1], 1)).tolist()
        counts = np.bincount(line, minlength=len(best))
        sums = np.bincount(line, weights=np.where(np.isnan(sure), 0.0, sure), minlength=len(best))
        scores = sums / np.maximum(counts, 1)
        ends = np.cumsum(counts).tolist()
        characters = self.characters[classes]
        return [
            Recognition("".join(characters[end - count : end]), score, middles[end - count : end])
            for end, count, score in zip(ends, counts.tolist(), scores.tolist(), strict=True)
        ]
