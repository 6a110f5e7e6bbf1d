"""The stages around a network that is a plain function: what they hand to it, and what they make of its answer."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from ppocr_lite.charset import Charset
from ppocr_lite.errors import ModelError
from ppocr_lite.postprocess import ClsPostProcess, CTCLabelDecode, DBPostProcess
from ppocr_lite.predict import FunctionRunner, ReadingPolicy, TextClassifier, TextDetector, TextRecognizer, Timer
from ppocr_lite.results import Recognition
from ppocr_lite.transforms.base import Compose
from ppocr_lite.transforms.normalize import NormalizeImage, ToCHWImage
from ppocr_lite.transforms.resize import ClsResizeImg, DetResizeForTest, RecResizeImg

LETTERS = Charset("abcdefghij")


def detector(function: Any, side: int = 320) -> TextDetector:
    steps = [DetResizeForTest(limit_side_len=side, limit_type="max"), NormalizeImage(), ToCHWImage()]
    return TextDetector(FunctionRunner(function), Compose(steps, ("image",)), DBPostProcess())


def dark_is_text(batch: np.ndarray) -> np.ndarray:
    """A network that takes every dark pixel for text."""
    return (batch.mean(axis=1, keepdims=True) < -1).astype(np.float32)


def page_with_bar(size: tuple[int, int], bar: tuple[int, int, int, int]) -> np.ndarray:
    image = np.full((*size, 3), 255, np.uint8)
    cv2.rectangle(image, bar[:2], bar[2:], (0, 0, 0), -1)
    return image


def test_boxes_are_in_pixels_of_the_image() -> None:
    found = detector(dark_is_text).detect(page_with_bar((480, 960), (300, 120, 659, 179)))
    (quad,) = found.polygons
    assert quad.mean(axis=0) == pytest.approx([480, 150], abs=4)


def test_boxes_stay_on_the_image() -> None:
    (quad,) = detector(dark_is_text).detect(page_with_bar((320, 320), (0, 0, 319, 60))).polygons
    assert quad.min() >= 0
    assert quad[:, 0].max() <= 320


def test_a_white_page_has_no_boxes() -> None:
    assert detector(dark_is_text).detect(np.full((100, 300, 3), 255, np.uint8)) == ([], [])


def test_a_detector_needs_a_resize_that_can_be_undone() -> None:
    with pytest.raises(ModelError, match="DetResizeForTest"):
        TextDetector(FunctionRunner(dark_is_text), Compose([ToCHWImage()], ("image",)), DBPostProcess())


def widths_as_letters(seen: list[tuple[int, ...]]) -> Any:
    """A network whose text is the letter of each line's mean brightness, remembering the shapes it saw."""

    def run(batch: np.ndarray) -> np.ndarray:
        seen.append(batch.shape)
        probabilities = np.zeros((len(batch), 2, 11), np.float32)
        letters = np.round((batch[:, 0, 0, 0] + 1) / 2 * 9).astype(int) + 1
        probabilities[np.arange(len(batch)), 0, letters] = 0.9
        probabilities[:, 1, 0] = 1
        return probabilities

    return run


def recognizer(seen: list[tuple[int, ...]], batch_size: int = 2) -> TextRecognizer:
    preprocess = Compose([RecResizeImg((3, 32, 320), squeeze=False)], ("image",))
    return TextRecognizer(FunctionRunner(widths_as_letters(seen)), preprocess, CTCLabelDecode(LETTERS), batch_size)


def lines(*widths: int) -> list[np.ndarray]:
    return [np.full((32, width, 3), round(index * 255 / 9), np.uint8) for index, width in enumerate(widths)]


def test_texts_come_in_the_order_of_the_images() -> None:
    found = recognizer([]).recognize(lines(300, 40, 200, 90, 10))
    assert [line.text for line in found] == ["a", "b", "c", "d", "e"]


def test_positions_are_on_the_line_without_its_padding() -> None:
    probabilities = np.zeros((1, 40, LETTERS.num_classes), np.float32)
    probabilities[0, :, 0] = 0.5
    probabilities[0, [10, 39], [1, 2]] = 1.0  # middles at 10.5 and 39.5 of 40 steps over 160 pixels
    preprocess = Compose([RecResizeImg((3, 32, 320), squeeze=False)], ("image",))
    stage = TextRecognizer(FunctionRunner(lambda batch: probabilities), preprocess, CTCLabelDecode(LETTERS))
    (found,) = stage.recognize(lines(140))
    assert found.text == "ab"
    assert found.positions == (pytest.approx(10.5 * 4 / 140), 1.0)  # what is seen in the padding is at the end


def shapes_run(*widths: int, batch_size: int = 8) -> list[tuple[int, ...]]:
    seen: list[tuple[int, ...]] = []
    recognizer(seen, batch_size).recognize(lines(*widths))
    return seen


def test_lines_of_one_bucket_are_run_together() -> None:
    assert shapes_run(20, 100, 30, 90) == [(2, 3, 32, 64), (2, 3, 32, 128)]  # 24 pixels are kept clear


def test_a_wide_line_does_not_widen_its_neighbours() -> None:
    assert shapes_run(20, 400) == [(1, 3, 32, 64), (1, 3, 32, 448)]


def test_another_set_of_widths_can_be_given() -> None:
    seen: list[tuple[int, ...]] = []
    stage = recognizer(seen)
    tight = ReadingPolicy(clear_space=0.0)
    TextRecognizer(stage.runner, stage.preprocess, stage.postprocess, 8, (160, 320), tight).recognize(
        lines(20, 160, 161)
    )
    assert seen == [(2, 3, 32, 160), (1, 3, 32, 320)]


def surer_when_wide(seen: list[tuple[int, ...]], drop: float, retry: float) -> TextRecognizer:
    """A recogniser that reads "a", "b" … with the less doubt the more it is padded: 0.6 for 64 pixels, 0.7 for 96 …"""

    def run(batch: np.ndarray) -> np.ndarray:
        seen.append(batch.shape)
        probabilities = np.zeros((len(batch), 2, 11), np.float32)
        steps = (batch.shape[3] - 64) // 32
        probabilities[:, 0, 1 + steps] = min(0.6 + steps / 10, 0.99)
        probabilities[:, 1, 0] = 1
        return probabilities

    preprocess = Compose([RecResizeImg((3, 32, 320), squeeze=False)], ("image",))
    policy = ReadingPolicy(retry_score=retry)
    return TextRecognizer(FunctionRunner(run), preprocess, CTCLabelDecode(LETTERS, drop), policy=policy)


def test_a_doubtful_line_is_read_at_other_scales_and_the_surest_reading_stands() -> None:
    seen: list[tuple[int, ...]] = []
    (found,) = surer_when_wide(seen, 0.5, 0.95).recognize(lines(120))  # pixels, and 8 kept clear
    assert seen == [(1, 3, 32, 128), (1, 3, 32, 128), (1, 3, 32, 256)]  # 120, 96 and 148 of them
    assert (found.text, found.score) == ("g", pytest.approx(0.99))
    assert found.positions == (pytest.approx(0.5 * 128 / 148),)  # on the line: first of two steps over 256 pixels


@pytest.mark.parametrize("scores", [(0.0, 0.65), (0.95, 0.99)], ids=["sure", "not text"])
def test_a_line_that_is_sure_or_hopeless_is_read_once(scores: tuple[float, float]) -> None:
    seen: list[tuple[int, ...]] = []
    (found,) = surer_when_wide(seen, *scores).recognize(lines(150))
    assert len(seen) == 1
    assert (found.text, found.score) == ("d", pytest.approx(0.9))


def scripted(*readings: tuple[str, float], drop: float = 0.7) -> TextRecognizer:
    """A recogniser that reads these texts with these scores, one after the other."""
    left = iter(readings)

    class Script:
        drop_score = drop

        def __call__(self, probabilities: np.ndarray) -> list[Recognition]:
            found = [next(left) for _ in probabilities]
            return [Recognition(text, score, np.linspace(0, 1, len(text)).tolist()) for text, score in found]

    preprocess = Compose([RecResizeImg((3, 32, 320), squeeze=False)], ("image",))
    return TextRecognizer(
        FunctionRunner(lambda batch: batch), preprocess, Script(), policy=ReadingPolicy(retry_score=0.95)
    )


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([("C", 0.5), ("C", 0.9), ("O", 0.3)], ("C", 0.9)),
        ([("2", 0.5), ("4", 0.9), ("4", 0.8)], ("2", 0.5)),  # reads otherwise
        ([("C", 0.5), ("C", 0.8), ("C", 0.6)], ("C", 0.5)),  # still not sure enough
        ([("C", 0.2)], ("C", 0.2)),  # hopeless: not read again
    ],
)
def test_a_short_line_below_the_limit_counts_if_another_size_is_sure_of_the_same(
    readings: list[tuple[str, float]], expected: tuple[str, float]
) -> None:
    (found,) = scripted(*readings).recognize(lines(56))
    assert tuple(found) == expected


def test_a_longer_line_below_the_limit_is_not_read_again() -> None:
    (found,) = scripted(("word", 0.6)).recognize(lines(80))
    assert tuple(found) == ("word", 0.6)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([("B and C1", 0.9), ("Band C1", 0.95), ("Band Cl", 0.8)], ("B and C1", 0.9)),
        ([("# 001", 0.9), ("#001", 0.98), ("#001", 0.8)], ("#001", 0.98)),
        ([("9x 13", 0.9), ("9 x 13", 0.93), ("9x 13", 0.8)], ("9 x 13", 0.93)),
    ],
)
def test_a_reading_that_lost_spaces_must_be_surer(
    readings: list[tuple[str, float]], expected: tuple[str, float]
) -> None:
    (found,) = scripted(*readings).recognize(lines(80))
    assert tuple(found) == expected


def test_spaces_at_the_ends_of_a_line_are_no_text() -> None:
    (found,) = scripted((" to ", 0.99)).recognize(lines(56))
    assert found.text == "to"
    assert found.positions == (pytest.approx(64 / 56 / 3), pytest.approx(64 / 56 * 2 / 3))


def test_only_the_doubtful_lines_are_read_again_and_together() -> None:
    seen: list[tuple[int, ...]] = []
    found = surer_when_wide(seen, 0.5, 0.65).recognize(lines(56, 80, 50))
    assert [(shape[0], shape[3]) for shape in seen] == [(2, 64), (1, 96), (4, 128)]  # the one of 80 pixels is sure
    assert [line.text for line in found] == ["c", "b", "c"]


def test_batches_are_no_larger_than_asked() -> None:
    assert [shape[0] for shape in shapes_run(50, 50, 50, 50, 50, batch_size=2)] == [2, 2, 1]


def test_lines_of_one_width_are_dealt_out_evenly() -> None:
    assert [shape[0] for shape in shapes_run(*[50] * 9, batch_size=8)] == [5, 4]


def test_no_lines_run_nothing() -> None:
    seen: list[tuple[int, ...]] = []
    assert recognizer(seen).recognize([]) == []
    assert seen == []


def test_angles_come_in_the_order_of_the_images() -> None:
    def bright_is_upright(batch: np.ndarray) -> np.ndarray:
        upright = (batch[:, 0, 0, 0] > 0).astype(np.float32)
        return np.stack([upright, 1 - upright], axis=1)

    preprocess = Compose([ClsResizeImg((3, 48, 192))], ("image",))
    classifier = TextClassifier(FunctionRunner(bright_is_upright), preprocess, ClsPostProcess(), batch_size=2)
    images = [np.full((20, 50, 3), value, np.uint8) for value in (255, 0, 255)]
    assert [found.angle for found in classifier.classify(images)] == [0, 180, 0]


def test_a_timer_names_each_stage() -> None:
    timer = Timer()
    recognizer([]).recognize(lines(300, 40), timer)
    assert list(timer.seconds) == ["resize", "recogniser", "decode"]
    assert min(timer.seconds.values()) > 0
