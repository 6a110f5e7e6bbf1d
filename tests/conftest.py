"""Fixtures for every test: real data if it is there, drawn pages and lines, tiny label files."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from ppocr_lite import nn
from tests.engine import ENGINE

# A busy machine is no fault of the code; and the same examples every time, so that what fails is what was changed.
settings.register_profile("unhurried", deadline=None, derandomize=True)
settings.load_profile("unhurried")

ROOT = Path(__file__).parents[1]
WORDS = (
    *("Paper", "Lantern", "42.50", "Orchard", "No.7", "harbour"),
    *("Tuesday", "Quartz", "18:05", "Mill", "ivory", "Total"),
)


@dataclass(frozen=True)
class DrawnPage:
    """A page drawn for one test, with its truth.

    Attributes:
        image: (H, W, 3) uint8, BGR.
        polys: (N, 4, 2) float32, the box of each line, clockwise from top left, in pixels.
        texts: The N texts.
    """

    image: NDArray[np.uint8]
    polys: NDArray[np.float32]
    texts: tuple[str, ...]

    @property
    def label(self) -> str:
        """The JSON that a label file would hold for this page."""
        pairs = zip(self.texts, self.polys, strict=True)
        return json.dumps([{"transcription": text, "points": poly.tolist()} for text, poly in pairs])


def draw_line(text: str, height: int = 32, *, seed: int = 0) -> NDArray[np.uint8]:
    """Return a picture of *text*, (height, W, 3) uint8, dark on light with a little seeded noise."""
    rng = np.random.default_rng(seed)
    scale = height / 40
    (width, above), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
    image = np.full((height, width + 12, 3), 235, np.uint8)
    cv2.putText(image, text, (6, (height + above - below // 2) // 2), cv2.FONT_HERSHEY_SIMPLEX, scale, (30, 30, 30), 2)
    return _noisy(image, rng)


def draw_page(size: tuple[int, int] = (480, 640), lines: int = 5, *, seed: int = 0) -> DrawnPage:
    """Return a page of *lines* lines of one or two words, *size* = (height, width) in pixels."""
    rng = np.random.default_rng(seed)
    height, width = size
    image = np.full((height, width, 3), 235, np.uint8)
    polys, texts = [], []
    for row in range(lines):
        text = " ".join(rng.choice(WORDS, size=rng.integers(1, 3)))
        (text_width, above), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 2)
        left = int(rng.integers(10, max(11, width - text_width - 10)))
        base = int((row + 0.7) * height / lines)
        cv2.putText(image, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (30, 30, 30), 2, cv2.LINE_AA)
        x0, y0, x1, y1 = left - 2, base - above - 2, left + text_width + 2, base + below
        polys.append([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        texts.append(text)
    return DrawnPage(_noisy(image, rng), np.asarray(polys, np.float32), tuple(texts))


def _noisy(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    noise = rng.normal(0, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.fixture(autouse=True)
def quiet_logger() -> Iterator[None]:
    """Take back what a verb or a script did to the package's logger."""
    logger = logging.getLogger("ppocr_lite")
    before = logger.level, logger.propagate, list(logger.handlers)
    yield
    logger.setLevel(before[0])
    logger.propagate, logger.handlers = before[1], before[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def engine() -> str:
    """The engine of this process; a test that asks for it runs once for each engine that is installed."""
    return ENGINE


def pytest_configure() -> None:
    """Choose the engine before any test does."""
    if ENGINE != nn.DEFAULT:
        nn.use(ENGINE)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of this process: those of torch where it computes with torch, all others elsewhere."""
    mine = [item for item in items if _runs_here(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in mine])
    items[:] = mine


def _runs_here(item: pytest.Item) -> bool:
    of_torch = item.get_closest_marker("torch") is not None
    if ENGINE == "torch":
        # A test may be given an engine of its own, such as one that predicts; that is another matter.
        given = getattr(getattr(item, "callspec", None), "params", {})
        return of_torch or ("engine" in getattr(item, "fixturenames", ()) and "engine" not in given)
    return not of_torch


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real labelled images; the test is skipped where there is none."""
    given = os.environ.get("PPOCR_LITE_DATA")
    folder = Path(given) if given else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs real labelled images: set PPOCR_LITE_DATA to their folder")
    return folder


@pytest.fixture
def drawn_page() -> DrawnPage:
    """A seeded page of five lines, 480 × 640."""
    return draw_page()


@pytest.fixture
def page_image(drawn_page: DrawnPage) -> NDArray[np.uint8]:
    """The picture of :func:`drawn_page`, (480, 640, 3) uint8 BGR."""
    return drawn_page.image


@pytest.fixture
def line_image() -> NDArray[np.uint8]:
    """A picture of one word, 32 pixels high, BGR."""
    return draw_line("Lantern")


@pytest.fixture
def det_label_file(tmp_path: Path) -> Path:
    """Four drawn pages in ``tmp_path/det`` and their label file; paths are relative to its folder."""
    folder = tmp_path / "det"
    folder.mkdir()
    rows = []
    for index in range(4):
        page = draw_page((320, 320), lines=3, seed=index)
        cv2.imwrite(str(folder / f"page_{index}.png"), page.image)
        rows.append(f"page_{index}.png\t{page.label}")
    return _write_labels(folder, rows)


@pytest.fixture
def rec_label_file(tmp_path: Path) -> Path:
    """Eight drawn lines in ``tmp_path/rec`` and their label file."""
    folder = tmp_path / "rec"
    folder.mkdir()
    for index, word in enumerate(WORDS[:8]):
        cv2.imwrite(str(folder / f"line_{index}.png"), draw_line(word, seed=index))
    return _write_labels(folder, [f"line_{index}.png\t{word}" for index, word in enumerate(WORDS[:8])])


@pytest.fixture
def cls_label_file(tmp_path: Path) -> Path:
    """Eight drawn lines in ``tmp_path/cls``, every second one upside down, and their label file."""
    folder = tmp_path / "cls"
    folder.mkdir()
    rows = []
    for index, word in enumerate(WORDS[:8]):
        image = draw_line(word, height=48, seed=index)
        turned = index % 2 == 1
        cv2.imwrite(str(folder / f"line_{index}.png"), image[::-1, ::-1] if turned else image)
        rows.append(f"line_{index}.png\t{180 if turned else 0}")
    return _write_labels(folder, rows)


def _write_labels(folder: Path, rows: list[str]) -> Path:
    path = folder / "labels.txt"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
