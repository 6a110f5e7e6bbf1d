"""Which way a page stands is told by its regions, and points come back to where they were."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ppocr_lite.geometry import bounding_rect, order_quad
from ppocr_lite.predict.layout.turn import is_upside_down, page_direction, turned_back
from ppocr_lite.textline import Points


def regions(angle: float, count: int = 6, width: float = 90) -> list[Points]:
    """Lines of a page that stands turned clockwise by *angle* degrees, as a detector gives them."""
    turn = np.radians(angle)
    down = np.array([-np.sin(turn), np.cos(turn)])
    places = [np.array([200.0, 200.0]) + 30 * row * down for row in range(count)]
    return [order_quad(cv2.boxPoints((tuple(place.tolist()), (width, 16), angle))) for place in places]


@pytest.mark.parametrize("angle", [90, 180, 270, 45, 300])
def test_points_of_a_turned_page_come_back_to_their_place(angle: int) -> None:
    page = np.zeros((120, 200, 3), np.uint8)
    page[40:44, 150:154] = 255
    view = turned_back(page, angle)
    rows, columns = np.nonzero(view.pixels[:, :, 0] > 127)
    spot = np.array([[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]], np.float32)
    (restored,) = view.restore([spot])
    assert np.allclose(restored.mean(axis=0), (152, 42), atol=1)
    assert (view.size, view.angle) == ((120, 200), angle)


def test_a_page_turned_clockwise_is_turned_back() -> None:
    page = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    for angle, code in ((90, cv2.ROTATE_90_CLOCKWISE), (180, cv2.ROTATE_180), (270, cv2.ROTATE_90_COUNTERCLOCKWISE)):
        assert (turned_back(cv2.rotate(page, code), angle).pixels == page).all()
    assert turned_back(page, 0).pixels is page


def test_restored_points_stay_inside_the_page() -> None:
    view = turned_back(np.zeros((50, 80, 3), np.uint8), 45)
    (restored,) = view.restore([np.float32([[0, 0], [95, 0], [95, 95], [0, 95]])])
    assert (bounding_rect(restored) >= 0).all() and (restored <= (80, 50)).all()


@pytest.mark.parametrize(
    ("angle", "expected"), [(0, 0), (8, 0), (-8, 0), (20, 20), (-45, -45), (60, 60), (90, 90), (88, 90), (270, 90)]
)
def test_regions_tell_how_the_page_stands(angle: float, expected: int) -> None:
    assert page_direction(regions(angle)) == pytest.approx(expected, abs=1)


def test_a_few_or_contrary_or_short_regions_turn_nothing() -> None:
    assert page_direction(regions(90, 2)) == 0
    assert page_direction(regions(30, 3)) == 0
    assert page_direction(regions(90, 3) + regions(0, 3)) == 0
    assert page_direction(regions(90, 6, width=18)) == 0
    assert page_direction([]) == 0


def test_a_page_stands_on_its_head_if_most_of_its_text_does() -> None:
    lines = regions(0, 2, width=100) + regions(0, 1, width=20)
    assert is_upside_down(lines, [180, 180, 0])
    assert not is_upside_down(lines, [180, 0, 180])
    assert not is_upside_down([], [])
