from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ppocr_lite.textline import TextLine, Word, find_words

QUAD = np.float32([[100, 10], [200, 10], [200, 30], [100, 30]])
EVEN = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]  # ten characters, ten pixels each


def corners(left: float, top: float, right: float, bottom: float) -> tuple[tuple[float, float], ...]:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def test_words_lie_between_the_middles_of_the_spaces() -> None:
    # A word reaches 0.6 of the way, 6 pixels, from the middle of its last character to that of the space.
    words = find_words("abc defghi", EVEN, QUAD)
    assert words == (Word("abc", corners(100, 10, 131, 30)), Word("defghi", corners(139, 10, 200, 30)))


def test_a_wide_space_belongs_to_no_word() -> None:
    first, second = find_words("ab cd", [0.05, 0.15, 0.5, 0.85, 0.95], QUAD)
    assert first.polygon == corners(100, 10, 122, 30)  # 0.7 of the ten pixels from a to b
    assert second.polygon == corners(178, 10, 200, 30)


def test_several_spaces_and_those_at_the_ends() -> None:
    words = find_words(" ab  cdef ", EVEN, QUAD)
    assert [word.text for word in words] == ["ab", "cdef"]
    assert words[0].polygon == corners(109, 10, 131, 30)


def test_a_line_on_its_head_is_read_from_the_other_end() -> None:
    first, second = find_words("abc defghi", EVEN, QUAD, 180)
    assert first.polygon == ((200, 30), (169, 30), (169, 10), (200, 10))
    assert second.polygon[1] == (100, 30)


def test_a_line_written_downwards_is_read_from_its_top() -> None:
    tall = np.float32([[10, 100], [30, 100], [30, 200], [10, 200]])
    first, second = find_words("abc defghi", EVEN, tall)
    assert first.polygon == ((30, 100), (30, 131), (10, 131), (10, 100))  # the crop's top is the page's right
    assert second.polygon[1] == (30, 200)


def test_a_slanted_line_has_slanted_words() -> None:
    slanted = QUAD + np.float32([[0, 0], [0, 50], [0, 50], [0, 0]])
    second = find_words("abc defghi", EVEN, slanted)[1]
    assert second.polygon == ((139, 29.5), (200, 60), (200, 80), (139, 49.5))


def test_of_an_outline_the_smallest_rectangle_is_read() -> None:
    outline = np.float32([[100, 10], [150, 10], [200, 10], [200, 30], [150, 30], [100, 30]])
    assert find_words("abc defghi", EVEN, outline) == find_words("abc defghi", EVEN, QUAD)


@pytest.mark.parametrize("positions", [[], [0.5]])
def test_without_positions_characters_count_as_equally_wide(positions: list[float]) -> None:
    assert find_words("abc defghi", positions, QUAD) == find_words("abc defghi", EVEN, QUAD)


def test_a_lone_character_is_a_word() -> None:
    assert find_words("7", [0.4], QUAD) == (Word("7", QUAD_OF_ONE),)
    assert [word.text for word in find_words("x y", [0.1, 0.5, 0.9], QUAD)] == ["x", "y"]


QUAD_OF_ONE = corners(100, 10, 200, 30)


@pytest.mark.parametrize("text", ["", " ", "   "])
def test_a_line_without_text_has_no_words(text: str) -> None:
    assert find_words(text, [0.5] * len(text), QUAD) == ()


def test_a_line_is_its_words_too() -> None:
    words = find_words("abc defghi", EVEN, QUAD)
    line = TextLine(QUAD, "abc defghi", 0.9, 0.8, 0, words)
    assert line.placed_words() == words
    assert TextLine.from_dict(line.to_dict()) == line != TextLine(QUAD, "abc defghi", 0.9, 0.8)
    assert len({line, TextLine.from_dict(line.to_dict())}) == 1


def test_without_words_the_line_is_one() -> None:
    assert TextLine(QUAD, "abc def", angle=180).placed_words() == (
        Word("abc def", ((200, 30), (100, 30), (100, 10), (200, 10))),
    )


def test_words_of_a_corrected_line_keep_their_places_if_there_are_as_many() -> None:
    line = TextLine(QUAD, "teh end", words=find_words("teh end", [], QUAD))
    corrected = dataclasses.replace(line, text="the end").placed_words()
    assert corrected == (Word("the", line.words[0].polygon), line.words[1])
    assert dataclasses.replace(line, text="theend").placed_words() == TextLine(QUAD, "theend").placed_words()


@pytest.mark.parametrize("angle", [0, 180])
def test_a_line_that_was_read_beyond_its_ends_has_its_words_in_the_same_places(angle: int) -> None:
    level = np.float32([[10, 20], [110, 20], [110, 40], [10, 40]])  # 100 × 20, read from 4 pixels before it to 4 after
    exact = [(x - 10) / 100 for x in (15, 25, 60, 95, 105)]
    read = [(x - 6) / 108 for x in (15, 25, 60, 95, 105)]
    words = find_words("ab cd", read, level, angle, margin=0.2)
    assert words == find_words("ab cd", exact, level, angle)
