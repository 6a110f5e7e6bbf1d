"""One OCR object, many threads: every page reads as it does alone."""

from __future__ import annotations

import argparse
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppocr_lite import OCR
from ppocr_lite.commands.doctor import has
from ppocr_lite.commands.inputs import add_ocr_options, make_ocr
from ppocr_lite.predict.runner import ENGINES
from ppocr_lite.results import OCRResult

SAMPLES = Path(__file__).parents[2] / "doc" / "samples"
INSTALLED = [name for name in ENGINES if has(name)]
FASTEST_FIRST = [*INSTALLED[:1], *(pytest.param(name, marks=pytest.mark.slow) for name in INSTALLED[1:])]
THREADS, PAGES = 4, 24


@pytest.fixture(scope="module")
def pages() -> list[np.ndarray]:
    """Parts of the sample images, each of another size, with text in most."""
    whole = [cv2.imread(str(path)) for path in sorted(SAMPLES.glob("*.jpg"))]
    rng = np.random.default_rng(0)
    parts = []
    for number in range(PAGES):
        image = whole[number % len(whole)]
        height, width = (int(side) for side in rng.integers(96, 260, 2))
        top, left = (int(rng.integers(max(1, image.shape[axis] - side))) for axis, side in enumerate((height, width)))
        parts.append(np.ascontiguousarray(image[top : top + height, left : left + width]))
    return parts


@pytest.mark.parametrize("engine", FASTEST_FIRST)
def test_several_threads_read_many_pages_as_one_does(engine: str, pages: list[np.ndarray]) -> None:
    ocr = OCR(lang="en", engine=engine, threads=1)  # type: ignore[arg-type]
    expected = [ocr.ocr(page) for page in pages]
    assert sum(len(page) for page in expected) > PAGES, "there is text to mix up"

    def read_all(seed: int) -> dict[int, OCRResult]:
        order = random.Random(seed).sample(range(PAGES), PAGES)
        return {number: ocr.ocr(pages[number]) for number in order}

    with ThreadPoolExecutor(THREADS) as pool:
        for read in pool.map(read_all, range(THREADS)):
            assert [read[number] for number in range(PAGES)] == expected


def test_the_threads_of_opencv_are_set_by_the_program_and_not_by_the_library() -> None:
    before = cv2.getNumThreads()
    parser = argparse.ArgumentParser()
    add_ocr_options(parser)
    try:
        cv2.setNumThreads(2)
        OCR(lang="en", threads=1)
        make_ocr(parser.parse_args([]))
        assert cv2.getNumThreads() == 2
        make_ocr(parser.parse_args(["--threads", "1"]))
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("engine", FASTEST_FIRST)
def test_a_stream_reads_what_pages_alone_read(engine: str, pages: list[np.ndarray], tmp_path: Path) -> None:
    for number, page in enumerate(pages[:12]):
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), page)
    ocr = OCR(lang="en", engine=engine, threads=2)  # type: ignore[arg-type]
    streamed = list(ocr.stream(tmp_path))
    assert [Path(str(page.source)).stem for page in streamed] == [f"{number:02}" for number in range(12)]
    for page, image in zip(streamed, pages, strict=False):
        alone = ocr.ocr(image)
        assert [line.text for line in page] == [line.text for line in alone]
        np.testing.assert_allclose([line.score for line in page], [line.score for line in alone], atol=1e-3)


def test_a_stream_may_be_left_early(pages: list[np.ndarray], tmp_path: Path) -> None:
    for number, page in enumerate(pages[:12]):
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), page)
    stream = OCR(lang="en", threads=2).stream(tmp_path)
    assert next(stream).size == pages[0].shape[:2]
    stream.close()
    assert [thread for thread in threading.enumerate() if thread.name.startswith("ppocr-lite")] == []
