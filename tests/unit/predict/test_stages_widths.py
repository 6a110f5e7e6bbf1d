"""What is read on a line does not depend on the lines beside it."""

from __future__ import annotations

import numpy as np

from ppocr_lite.predict.recognizer import TextRecognizer
from ppocr_lite.predict.runner import FunctionRunner
from ppocr_lite.transforms import Compose, RecResizeImg


def widths_run(widths: list[int], batch_size: int) -> list[tuple[int, ...]]:
    """The shapes that the network is given for lines of these widths, 32 pixels high."""
    shapes: list[tuple[int, ...]] = []

    def network(array: np.ndarray) -> np.ndarray:
        shapes.append(array.shape)
        return np.zeros((len(array), 1, 2), np.float32)

    chain = Compose([RecResizeImg((3, 32, 160), squeeze=False)], available=("image",))
    stage = TextRecognizer(FunctionRunner(network), chain, lambda probabilities: [""] * len(probabilities), batch_size)
    stage.recognize([np.zeros((32, width, 3), np.uint8) for width in widths])
    return shapes


def test_short_lines_are_padded_to_the_standard_width() -> None:
    assert widths_run([20, 100, 160], batch_size=8) == [(3, 3, 32, 160)]


def test_a_wide_line_does_not_widen_its_neighbours() -> None:
    assert widths_run([20, 400, 100], batch_size=8) == [(2, 3, 32, 160), (1, 3, 32, 448)]


def test_batches_are_no_larger_than_asked() -> None:
    assert [shape[0] for shape in widths_run([50] * 5, batch_size=2)] == [2, 2, 1]
