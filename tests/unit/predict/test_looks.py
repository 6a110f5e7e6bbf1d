"""A page is looked at once, unless its text asks for another size."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest

from ppocr_lite.postprocess import DBPostProcess
from ppocr_lite.predict.detector import TextDetector
from ppocr_lite.predict.looks import OVERLAP, detect_by_size, tiles
from ppocr_lite.predict.runner import FunctionRunner
from ppocr_lite.predict.timing import Timer
from ppocr_lite.results import Detections
from ppocr_lite.transforms.base import Compose
from ppocr_lite.transforms.normalize import ToCHWImage
from ppocr_lite.transforms.resize import DetResizeForTest

LIMIT = 256
Sizes = list[tuple[int, int]]


def detector(seen: Sizes, sees: Callable[[np.ndarray], np.ndarray] = lambda image: image > 127) -> TextDetector:
    """A detector whose map is what is white, as long as it is not too small or too large to be seen."""

    def run(batch: np.ndarray) -> np.ndarray:
        seen.append(batch.shape[2:])
        return sees(batch[:, :1]).astype(np.float32)

    preprocess = Compose([DetResizeForTest(limit_side_len=LIMIT, limit_type="max"), ToCHWImage()], ("image",))
    return TextDetector(FunctionRunner(run), preprocess, DBPostProcess(unclip_ratio=0.5))


def page(size: tuple[int, int], *lines: tuple[int, int, int, int]) -> np.ndarray:
    """A dark page with white lines, each left, top, width and height."""
    image = np.zeros((*size, 3), np.uint8)
    for left, top, width, height in lines:
        image[top : top + height, left : left + width] = 255
    return image


def boxes(found: list[np.ndarray]) -> list[list[float]]:
    return sorted([*polygon.min(axis=0).tolist(), *np.ptp(polygon, axis=0).tolist()] for polygon in found)


def test_a_page_whose_text_is_of_a_good_size_is_looked_at_once() -> None:
    seen: Sizes = []
    lines = [(20, top, 200, 18) for top in (20, 80, 140)]
    assert len(detector(seen).detect(page((256, 256), *lines)).polygons) == 3
    assert seen == [(256, 256)]


def test_small_text_of_a_large_page_is_found_in_tiles_without_loss_or_doubling(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lines = [(left, top, 160, 16) for top in range(20, 1000, 45) for left in (20, 210, 400)]
    seen: Sizes = []
    with caplog.at_level(logging.INFO, "ppocr_lite"):
        found = detector(seen).detect(page((1024, 600), *lines))
    assert len(found.polygons) == len(lines)
    for (left, top, width, height), line in zip(boxes(found.polygons), sorted(lines), strict=True):
        assert abs(left - line[0]) < 9 and abs(top - line[1]) < 9
        assert abs(width - line[2]) < 18 and abs(height - line[3]) < 18
    assert max(max(size) for size in seen) <= LIMIT
    assert "Looking at the page again" in caplog.text


def test_letters_too_large_to_be_seen_are_seen_from_afar() -> None:
    seen: Sizes = []
    found = detector(seen, lambda image: (image > 127) & (image.shape[2] < 128)).detect(
        page((250, 256), (20, 60, 220, 120))
    )
    assert len(found.polygons) == 1
    assert np.ptp(found.polygons[0], axis=0) == pytest.approx((220, 120), rel=0.5)
    assert len(seen) == 2


class Scripted:
    """A detector that finds these heights at the usual size, with that score, and those at any other."""

    limit = 256

    def __init__(self, first: list[float], other: list[float], score: float = 0.9) -> None:
        self.first, self.other, self.score = first, other, score
        self.scales: list[float] = []

    def look(self, image: np.ndarray, timer: Timer) -> Detections:
        return self.found(self.first)

    def look_at(self, image: np.ndarray, scale: float, timer: Timer) -> Detections:
        self.scales.append(scale)
        return self.found(self.other)

    def found(self, heights: list[float]) -> Detections:
        corners = np.float32([[0, 0], [200, 0], [200, 1], [0, 1]])
        tops = np.cumsum([0, *heights])
        lines = [corners * [1, height] + [20, top] for top, height in zip(tops, heights, strict=False)]
        return Detections([line.astype(np.float32) for line in lines], [self.score] * len(lines))


@pytest.mark.parametrize(("height", "score", "looks"), [(40, 0.9, 0), (20, 0.6, 0), (40, 0.6, 1)])
def test_little_text_is_looked_at_from_afar_if_it_may_be_pieces_of_large_letters(
    height: float, score: float, looks: int
) -> None:
    script = Scripted([height], [], score)
    assert len(detect_by_size(script, page((256, 256)), Timer()).polygons) == 1
    assert len(script.scales) == looks


def test_what_is_too_low_for_letters_is_left_out_of_an_enlarged_page() -> None:
    script = Scripted([10.0], [6.0, 9.0])
    found = detect_by_size(script, page((140, 160)), Timer())
    assert script.scales[0] > 1
    assert [round(float(np.ptp(polygon[:, 1]))) for polygon in found.polygons] == [9]


def test_large_letters_stay_whole_where_a_page_is_looked_at_larger() -> None:
    title = (20, 20, 560, 130)
    lines = [(20, top, 300, 14) for top in range(200, 1000, 40)]
    found = detector([]).detect(page((1024, 600), title, *lines))
    assert len(found.polygons) == 1 + len(lines)


@pytest.mark.parametrize("side", [32, 256, 288, 512, 992, 4000 // 32 * 32])
def test_tiles_decide_each_pixel_once_and_see_around_it(side: int) -> None:
    own: list[int] = []
    for sees, decides in tiles(side, LIMIT):
        assert sees.stop - sees.start == min(side, LIMIT)
        assert decides.start == 0 or decides.start - sees.start >= OVERLAP // 4
        assert decides.stop == side or sees.stop - decides.stop >= OVERLAP // 4
        own += range(decides.start, decides.stop)
    assert own == list(range(side))


def test_a_map_with_too_many_regions_says_so(caplog: pytest.LogCaptureFixture) -> None:
    spots = np.zeros((200, 200), np.float32)
    spots.reshape(10, 20, 10, 20)[:, 4:16, :, 4:16] = 1
    assert len(DBPostProcess(max_candidates=100)(spots).polygons) == 100
    assert not caplog.records
    assert len(DBPostProcess(max_candidates=60)(spots).polygons) == 60
    assert "100 regions found, of which the largest 60 are kept: see max_candidates." in caplog.text


def test_a_larger_map_may_have_more_regions() -> None:
    spots = np.zeros((2000, 2000), np.float32)
    spots.reshape(20, 100, 20, 100)[:, 10:90, :, 10:90] = 1
    assert len(DBPostProcess(max_candidates=100)(spots).polygons) == 400
