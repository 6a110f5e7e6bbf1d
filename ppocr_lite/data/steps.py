"""Lines whose text a recogniser cannot spell: it has one step for some columns of pixels, and a text needs so many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.data.base import Chain
from ppocr_lite.errors import DataError
from ppocr_lite.transforms.base import Sample
from ppocr_lite.transforms.resize import batch_width


class FittingLines:
    """A chain of transforms that refuses lines which are too narrow for their text.

    A line counts as wide as a batch of it alone is, which is also about how wide it is when it is read.

    Args:
        chain: The transforms.
        pixels_per_step: Columns of the input that make one step of the network.
    """

    def __init__(self, chain: Chain, pixels_per_step: float) -> None:
        self.chain, self.pixels_per_step = chain, pixels_per_step

    def __call__(self, sample: Sample) -> Sample:
        """Return what the chain makes of *sample*.

        Raises:
            DataError: If its text needs more steps than the network has for its width.
        """
        made = self.chain(sample)
        if "label" in made and "length" in made:
            width = batch_width([made["image"].shape[-1]])
            check_steps(made["label"], int(made["length"]), width, self.pixels_per_step)
        return made


def required_steps(label: NDArray[np.integer[Any]], length: int) -> int:
    """Return the fewest steps that spell a text: its characters, and a blank between equal neighbours.

    Args:
        label: (L,), indices of characters, padded with anything.
        length: Number of characters.
    """
    text = label[:length]
    return length + int((text[1:] == text[:-1]).sum())


def check_steps(label: NDArray[np.integer[Any]], length: int, width: int, pixels_per_step: float) -> None:
    """Refuse a text that a network cannot spell on a line of *width* pixels.

    Raises:
        DataError: If it needs more steps than there are.
    """
    needed, steps = required_steps(label, length), int(width / pixels_per_step)
    if needed > steps:
        raise DataError(
            f"the text of {length} characters needs {needed} steps, but the network makes only {steps} of a line "
            f"{width} pixels wide: the picture is too narrow for its text. Look whether they belong together."
        )
