"""A line is moved out to where the ink at its ends goes, and no further."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from ppocr_lite.predict.layout.ends import fit_ends
from tests.typeset import typeset


def drawn(*arguments: Any, **options: Any) -> np.ndarray:
    """Return a page of gray levels."""
    return np.ascontiguousarray(typeset(*arguments, **options)[:, :, 0])


TEXT = "one ticket."
PAGE = drawn([((60, 30), TEXT)], (90, 320), height=24)


def ink_of(image: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(image < 128)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


LEFT, TOP, RIGHT, BOTTOM = ink_of(PAGE)


def box(left: float, right: float, top: float = TOP - 3, bottom: float = BOTTOM + 3) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def ends(quad: np.ndarray) -> tuple[float, float]:
    return quad[:, 0].min(), quad[:, 0].max()


def test_a_cut_letter_and_a_full_stop_outside_are_taken_in() -> None:
    (quad,) = fit_ends(PAGE, [box(LEFT + 5, RIGHT - 5)])
    left, right = ends(quad)
    assert LEFT - 6 < left < LEFT and RIGHT < right < RIGHT + 6
    assert np.ptp(quad[:, 1]) == pytest.approx(BOTTOM - TOP + 6)


def test_light_letters_on_dark_are_too() -> None:
    assert np.allclose(fit_ends(255 - PAGE, [box(LEFT + 5, RIGHT - 5)]), fit_ends(PAGE, [box(LEFT + 5, RIGHT - 5)]))


def test_a_line_that_holds_its_ink_and_an_outline_stay() -> None:
    outline = np.concatenate([box(LEFT, RIGHT), [[LEFT, 40]]]).astype(np.float32)
    given = [box(LEFT - 1, RIGHT + 1), outline]
    assert all(found is one for found, one in zip(fit_ends(PAGE, given), given, strict=True))


def test_the_next_word_and_a_rule_of_a_table_are_not_taken_in() -> None:
    middle = LEFT + (RIGHT - LEFT) * 0.33  # between the words
    (quad,) = fit_ends(PAGE, [box(LEFT - 1, middle)])
    assert ends(quad)[1] < middle + 8
    page = PAGE.copy()
    cv2.line(page, (RIGHT + 3, 0), (RIGHT + 3, 89), (0, 0, 0), 1)
    (quad,) = fit_ends(page, [box(LEFT - 1, RIGHT + 1)])
    assert ends(quad)[1] == RIGHT + 1


def test_ink_in_the_region_of_another_line_is_not_taken_in() -> None:
    middle = RIGHT - 30
    first, second = fit_ends(PAGE, [box(LEFT - 1, middle), box(middle, RIGHT + 1)])
    assert ends(first)[1] <= ends(second)[0] + 12
    assert ends(first)[1] - middle < 12


def test_a_piece_of_another_line_is_given_back() -> None:
    page = drawn([((20, 30), "4026"), ((110, 30), "4901")], (90, 200), height=24)
    columns = np.flatnonzero((page < 128).any(axis=0))
    left, gap, right = columns[0], int(np.argmax(np.diff(columns))), columns[-1] + 1
    end, start = columns[gap] + 1, columns[gap + 1]
    given = [box(left - 2, end + 2), box(end - 4, right + 2)]  # the second holds a piece of the 6
    for image in (page, 255 - page):
        first, second = fit_ends(image, given)
        assert first is given[0]
        assert end < ends(second)[0] < start and ends(second)[1] == right + 2


def test_lines_downwards_and_askew_are_moved_along_themselves() -> None:
    given = box(LEFT + 5, RIGHT - 5)
    (expected,) = fit_ends(PAGE, [given])
    down = given[:, ::-1] * [-1, 1] + [PAGE.shape[0], 0]
    (found,) = fit_ends(np.ascontiguousarray(np.rot90(PAGE, -1)), [down.astype(np.float32)])
    assert np.abs(found - (expected[:, ::-1] * [-1, 1] + [PAGE.shape[0], 0])).max() < 2
    turn = cv2.getRotationMatrix2D((160, 45), 6, 1.0)
    page = cv2.warpAffine(PAGE, turn, (320, 90), borderValue=(255, 255, 255))
    (found,) = fit_ends(np.asarray(page), [(given @ turn[:, :2].T + turn[:, 2]).astype(np.float32)])
    assert np.abs(found - (expected @ turn[:, :2].T + turn[:, 2])).max() < 3
