from __future__ import annotations

import itertools
from typing import Any

import cv2
import numpy as np
import pytest

from ppocr_lite.errors import DataError
from ppocr_lite.synth import Backgrounds, Corpus, FontBook, PageMaker, ink, page, scene, screen, spreadsheet
from ppocr_lite.synth.page import KINDS
from ppocr_lite.synth.sheet import Sheet, spread
from tests.unit.synth.conftest import ASCII


class White(Backgrounds):
    """Blank backgrounds, so that all that is dark is ink."""

    def paper(self, rng: np.random.Generator, height: int, width: int, tint: Any) -> np.ndarray:
        return np.full((height, width, 3), 255, np.uint8)

    def scene(self, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        return np.full((height, width, 3), 255, np.uint8)


def only(kind: str) -> tuple[float, ...]:
    return tuple(float(each == kind) for each in KINDS)


def outside(image: np.ndarray, labels: list[dict[str, Any]]) -> float:
    """Share of the ink that no polygon covers."""
    darkness = 255 - image.min(2).astype(np.float32)
    cover = np.zeros(image.shape[:2], np.uint8)
    for label in labels:
        cv2.fillPoly(cover, [np.round(label["points"]).astype(np.int32)], 1)
    return float(darkness[cover == 0].sum() / max(1.0, darkness.sum()))


@pytest.mark.parametrize("kind", KINDS)
def test_polygons_lie_inside_the_image_and_run_clockwise(fonts: FontBook, corpus: Corpus, kind: str) -> None:
    maker = PageMaker((360, 480), fonts, corpus, weights=only(kind))
    for i in range(3):
        image, labels = maker.make(np.random.default_rng(i))
        assert image.dtype == np.uint8 and image.shape[2] == 3 and sorted(image.shape[:2]) == [360, 480]
        for label in labels:
            points = np.array(label["points"], np.float32)
            assert len(points) >= 4
            assert (points >= 0).all() and (points <= image.shape[1::-1]).all()
            assert cv2.contourArea(points, oriented=True) > 0
            assert label["transcription"]
            assert set(label["transcription"]) <= set(ASCII)


@pytest.mark.parametrize("kind", ["document", "receipt", "terminal", "spreadsheet"])
def test_polygons_cover_the_ink_of_a_warped_sheet(
    fonts: FontBook, corpus: Corpus, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("rule", "picture", "dashes", "barcode", "scribble"):
        monkeypatch.setattr(Sheet, name, lambda *args: None)
    monkeypatch.setattr(screen, "_chrome", lambda sheet, size: 0.0)  # title and frame
    monkeypatch.setattr(spreadsheet, "_shade", lambda *args: None)
    monkeypatch.setattr(page, "colour", lambda rng: np.full(3, 255, np.float32))
    maker = PageMaker((640, 640), fonts, corpus, White(), only(kind), strength=0)
    shares = []
    for i in range(8):
        image, labels = maker.make(np.random.default_rng(i))
        assert labels
        shares.append(outside(image, labels))
    assert max(shares) < 0.02, shares


def test_columns_of_a_listing_stand_apart_and_words_of_a_line_do_not(fonts: FontBook, corpus: Corpus) -> None:
    rng = np.random.default_rng(4)
    sheet = Sheet(np.full((400, 800, 3), 255, np.uint8), rng, fonts, corpus)
    face = fonts.pick(rng, 1.0)
    last = screen._listing(sheet, face, 16, 10, 30, (np.zeros(3, np.float32), 24.0))
    assert last > 30
    spans = [(float(mark.polygon[:, 0].min()), float(mark.polygon[:, 0].max())) for mark in sheet.marks]
    between = [two[0] - one[1] for one, two in itertools.pairwise(spans) if two[0] > one[0]]  # within a row
    assert min(between) > (screen.APART - 1) * ink.mean_advance(face, 16)
    words = Sheet(np.full((60, 800, 3), 255, np.uint8), rng, fonts, corpus)
    words.write(face, 16, screen._code(words), 10, 40, (0, 0, 0))
    assert len(words.marks) == 1


def test_words_of_a_drawn_line_have_boxes_of_their_own(fonts: FontBook) -> None:
    for spacing in (0.0, 0.2):
        line = ink.draw(fonts.faces[0], 40, "Ag  By, -", spacing)
        assert line is not None
        boxes = ink.word_boxes(line, fonts.faces[0], 40, "Ag  By, -", spacing)
        assert [word for word, _ in boxes] == ["Ag", "By,", "-"]
        assert sum(int(line.mask[y0:y1, x0:x1].sum()) for _, (x0, y0, x1, y1) in boxes) == int(line.mask.sum())
        assert all(one[2] < two[0] for (_, one), (_, two) in itertools.pairwise(boxes))


def test_polygons_are_tight(fonts: FontBook, corpus: Corpus) -> None:
    sheet = Sheet(np.full((100, 800, 3), 255, np.uint8), np.random.default_rng(0), fonts, corpus)
    x0, y0, x1, y1 = sheet.write(fonts.faces[0], 32, "Hg Total", 20, 60, (0, 0, 0))
    rows, columns = np.nonzero(sheet.canvas.min(2) < 128)
    assert abs(rows.min() - y0) <= 1 and abs(rows.max() + 1 - y1) <= 1
    assert abs(columns.min() - x0) <= 1 and abs(columns.max() + 1 - x1) <= 1
    polygon = sheet.marks[0].polygon
    assert (np.abs(polygon[0] - (x0, y0)) <= 3).all() and (np.abs(polygon[2] - (x1, y1)) <= 3).all()


def test_polygons_of_turned_and_bent_signs_cover_the_ink(
    fonts: FontBook, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene, "_render", lambda view, alpha, corners, rng: ink.paint(view, alpha, (0, 0, 0)))
    maker = PageMaker((640, 640), fonts, corpus, White(), only("scene"), strength=0)
    for i in range(8):
        image, labels = maker.make(np.random.default_rng(i))
        assert outside(image, labels) < 0.02


def test_scenes_are_labelled_word_by_word(fonts: FontBook, corpus: Corpus) -> None:
    maker = PageMaker((640, 640), fonts, corpus, weights=only("scene"), strength=0)
    labels = [label for i in range(4) for label in maker.make(np.random.default_rng(i))[1]]
    assert labels and not any(" " in label["transcription"] for label in labels)


def test_signs_do_not_overlap(fonts: FontBook, corpus: Corpus) -> None:
    maker = PageMaker((640, 640), fonts, corpus, weights=only("scene"), strength=0)
    _, labels = maker.make(np.random.default_rng(3))
    count = np.zeros((640, 640), np.uint8)
    for label in labels:
        one = np.zeros_like(count)
        cv2.fillPoly(one, [np.array(label["points"]).astype(np.int32)], 1)
        count += one
    assert (count > 1).mean() < 0.001


def test_pages_without_text_have_no_labels(fonts: FontBook, corpus: Corpus) -> None:
    maker = PageMaker((200, 200), fonts, corpus, weights=only("empty"))
    assert all(maker.make(np.random.default_rng(i))[1] == [] for i in range(5))


def test_equal_seeds_give_equal_pages(pages: PageMaker) -> None:
    for i in range(6):
        (one, first), (two, second) = (pages.make(np.random.default_rng(i)) for _ in range(2))
        assert first == second
        assert np.array_equal(one, two)


def test_lines_cut_off_or_too_small_are_ignored_regions(pages: PageMaker) -> None:
    near = page.Mark(np.array([[-90, 10], [10, 10], [10, 30], [-90, 30]], np.float32), "cut off")
    small = page.Mark(np.array([[10, 50], [90, 50], [90, 53], [10, 53]], np.float32), "tiny")
    good = page.Mark(np.array([[10, 80], [90, 80], [90, 99], [10, 99]], np.float32), "good")
    assert [label["transcription"] for label in pages._labels([near, small, good], (120, 120))] == [
        "###",
        "###",
        "good",
    ]


def test_weights_must_fit_the_kinds(fonts: FontBook, corpus: Corpus) -> None:
    with pytest.raises(DataError, match="weights"):
        PageMaker((200, 200), fonts, corpus, weights=(1.0,))


def test_a_justified_line_is_as_wide_as_its_column(fonts: FontBook, corpus: Corpus) -> None:
    sheet = Sheet(np.full((100, 800, 3), 255, np.uint8), np.random.default_rng(0), fonts, corpus)
    face, text = fonts.faces[0], "some words to set"
    plain = sheet.write(face, 24, text, 20, 60, (0, 0, 0))
    wide = sheet.write(face, 24, text, 20, 60, (0, 0, 0), gap=spread(face, 24, text, 260))
    assert plain is not None and wide is not None
    assert abs((wide[2] - wide[0]) - 260) <= 4
    assert plain[2] - plain[0] < 240


def test_a_word_is_not_spread(fonts: FontBook) -> None:
    assert spread(fonts.faces[0], 24, "word", 300) == 1.0
