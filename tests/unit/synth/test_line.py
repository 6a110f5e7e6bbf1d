from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ppocr_lite.errors import DataError
from ppocr_lite.synth import Corpus, FontBook, LineMaker, ink
from tests.unit.synth.conftest import ASCII, TINY, build_font


def test_a_line_is_a_colour_image_of_the_wanted_height(lines: LineMaker) -> None:
    for i in range(30):
        image, _ = lines.make(np.random.default_rng(i))
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
        assert 32 <= image.shape[0] <= 48


def test_labels_keep_to_charset_and_length(fonts: FontBook) -> None:
    maker = LineMaker("ABCdef 123", fonts, Corpus(ASCII), max_chars=7)
    for i in range(60):
        _, text = maker.make(np.random.default_rng(i))
        assert 1 <= len(text) <= 7
        assert set(text) <= set("ABCdef 123")


def test_equal_seeds_give_equal_lines(lines: LineMaker) -> None:
    for i in range(10):
        (one, first), (two, second) = (lines.make(np.random.default_rng(i)) for _ in range(2))
        assert first == second
        assert np.array_equal(one, two)


def test_different_seeds_give_different_lines(lines: LineMaker) -> None:
    assert len({lines.make(np.random.default_rng(i))[1] for i in range(40)}) > 30


def test_max_width_holds(fonts: FontBook, corpus: Corpus) -> None:
    maker = LineMaker(ASCII, fonts, corpus, max_chars=40, max_width=160)
    for i in range(60):
        image, _ = maker.make(np.random.default_rng(i))
        assert image.shape[1] <= 160 * image.shape[0] / 32 + 1


def test_every_line_has_room_for_its_ctc_path(lines: LineMaker) -> None:
    for i in range(150):
        image, text = lines.make(np.random.default_rng(i))
        repeats = sum(a == b for a, b in zip(text, text[1:], strict=False))
        assert image.shape[1] * 32 / image.shape[0] / 4 >= len(text) + repeats


def test_the_text_stands_out_from_its_background(fonts: FontBook, corpus: Corpus) -> None:
    maker = LineMaker(ASCII, fonts, corpus, strength=0)
    flat = 0
    for i in range(60):
        image, _ = maker.make(np.random.default_rng(i))
        low, high = np.percentile(image.mean(2), (1, 99))
        flat += high - low < 25
    assert flat <= 2


def test_no_character_is_drawn_that_the_face_lacks(fonts: FontBook, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    real = ink.draw

    def spy(face, size, text, *more):
        drawn.append((face, text))
        return real(face, size, text, *more)

    monkeypatch.setattr(ink, "draw", spy)
    maker = LineMaker(ASCII, fonts, Corpus(ASCII))
    for i in range(150):
        maker.make(np.random.default_rng(i))
    assert drawn
    assert all(face.supports(char) for face, text in drawn for char in text)


def test_characters_a_face_lacks_are_left_out_of_the_label(tmp_path: Path) -> None:
    build_font(tmp_path / "Partial.ttf", "Partial", TINY, boxes="Z", empty="Y")
    book = FontBook.discover(TINY + "ZY", [tmp_path])
    maker = LineMaker(TINY + "ZY ", book, Corpus(TINY + "ZY "))
    texts = "".join(maker.make(np.random.default_rng(i))[1] for i in range(60))
    assert texts
    assert not set(texts) & set("ZY")


def test_faces_that_draw_nothing_wanted_are_an_error(tiny_font: Path) -> None:
    maker = LineMaker("xyz", FontBook.discover(TINY, [tiny_font]), Corpus("xyz"))
    with pytest.raises(DataError, match="report"):
        maker.make(np.random.default_rng(0))


def test_limits_that_make_no_sense_are_refused(fonts: FontBook, corpus: Corpus) -> None:
    with pytest.raises(DataError, match="height"):
        LineMaker(ASCII, fonts, corpus, height=(48, 32))


def test_drawn_ink_is_cropped_to_its_edges(tiny_font: Path) -> None:
    face = FontBook.discover(TINY, [tiny_font]).faces[0]
    drawn = ink.draw(face, 40, "AB")
    assert drawn is not None
    for edge in (drawn.mask[0], drawn.mask[-1], drawn.mask[:, 0], drawn.mask[:, -1]):
        assert edge.any()
    assert drawn.bottom == 0  # rectangles stand on the baseline


def test_wider_spaces_move_words_and_leave_them_as_they_are(tiny_font: Path) -> None:
    face = FontBook.discover(TINY, [tiny_font]).faces[0]
    space = face.font(40).getlength(" ")
    usual, wide = (ink.draw(face, 40, "AB BA", gap=gap) for gap in (1.0, 3.0))
    assert usual is not None and wide is not None
    more = wide.mask.shape[1] - usual.mask.shape[1]
    assert more == pytest.approx(2 * space, abs=1)
    word = ink.draw(face, 40, "AB")
    assert word is not None
    for drawn in (usual, wide):
        assert np.array_equal(drawn.mask[:, : word.mask.shape[1]], word.mask)


def test_spaced_letters_stand_apart(tiny_font: Path) -> None:
    face = FontBook.discover(TINY, [tiny_font]).faces[0]
    usual, spaced = (ink.draw(face, 40, "ABA", spacing=spacing) for spacing in (0.0, 0.5))
    assert usual is not None and spaced is not None
    assert spaced.mask.shape[1] - usual.mask.shape[1] == pytest.approx(2 * 0.5 * 40, abs=1)


def test_ink_that_is_not_smoothed_covers_whole_pixels(fonts: FontBook) -> None:
    smooth, bitmap = (ink.draw(fonts.faces[0], 14, "Sagex", smooth=smooth) for smooth in (True, False))
    assert smooth is not None and bitmap is not None
    assert set(np.unique(bitmap.mask)) == {0, 255}
    assert len(np.unique(smooth.mask)) > 10
    assert abs(smooth.mask.shape[1] - bitmap.mask.shape[1]) <= 3
