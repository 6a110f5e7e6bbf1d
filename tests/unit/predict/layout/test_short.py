"""Short regions take the direction of their page and the size of their ink."""

from __future__ import annotations

import cv2
import numpy as np

from ppocr_lite.geometry import bounding_rect, order_quad
from ppocr_lite.predict.layout.short import fit_short

TILTED = cv2.boxPoints(((60, 50), (18, 18), 40)).astype(np.float32)
TILTS = ((20, -30), (50, 10), (80, 40))
LONG = [np.float32([[5, y], [95, y], [95, y + 12], [5, y + 12]]) for y in (5, 85)]


def page(character: str = "8", frame: bool = False, ground: int = 255) -> np.ndarray:
    """A character of 34 pixels around (60, 50), in a cell of a table if asked."""
    image = np.full((100, 120), ground, np.uint8)
    ink = 255 - ground
    cv2.putText(image, character, (47, 66), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (ink, ink, ink), 3)
    if frame:
        cv2.rectangle(image, (30, 24), (90, 76), (ink, ink, ink), 1)
    return image


def ink_of(image: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(image != image[0, 0])
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def test_a_tilted_square_becomes_an_upright_box_around_the_character() -> None:
    for character in "1-48AM":
        image = page(character)
        (quad,) = fit_short(image, [TILTED], 0.0)
        assert quad[0, 1] == quad[1, 1] and quad[0, 0] == quad[3, 0]
        low, high = np.split(bounding_rect(quad), 2)
        ink = ink_of(image)
        assert (low < ink[:2] + 1).all() and (high > ink[2:] - 1).all()
        assert (high - low < 1.6 * (ink[2:] - ink[:2]).max()).all()


def test_a_lone_character_is_never_so_narrow_that_it_is_taken_for_a_line_downwards() -> None:
    (quad,) = fit_short(page("1"), [TILTED], 0.0)
    low, high = np.split(bounding_rect(quad), 2)
    assert (high - low)[1] < 1.5 * (high - low)[0]


def test_the_lines_of_a_table_and_the_ground_do_not_count() -> None:
    (plain,) = fit_short(page(), [TILTED], 0.0)
    for image in (page(frame=True), page(ground=0)):
        assert np.abs(plain - fit_short(image, [TILTED], 0.0)[0]).max() < 2


def test_a_page_askew_gives_its_direction() -> None:
    angle = np.radians(10)
    (quad,) = fit_short(page(), [TILTED], angle)
    side = quad[1] - quad[0]
    assert np.isclose(np.arctan2(side[1], side[0]), angle, atol=1e-4)


def test_where_there_is_no_ink_the_box_is_upright_and_as_large() -> None:
    (quad,) = fit_short(np.full((100, 120), 200, np.uint8), [TILTED], 0.0)
    assert np.allclose(np.ptp(quad, axis=0), 18, atol=0.01)


def test_long_lines_and_outlines_stay_as_they_are() -> None:
    outline = np.float32([[50, 40], [70, 40], [75, 50], [70, 60], [50, 60]])
    found = fit_short(page(), [*LONG, outline], 0.0)
    assert all(a is b for a, b in zip(found, [*LONG, outline], strict=True))


def test_words_of_an_upright_page_are_upright() -> None:
    word = order_quad(cv2.boxPoints(((60, 50), (72, 18), 5)))
    longer = order_quad(cv2.boxPoints(((60, 50), (130, 18), 5)))
    given = [*LONG * 3, word, longer]
    upright = fit_short(page(), given, 0.0)
    assert np.allclose(bounding_rect(upright[6]), [24, 41, 96, 59], atol=0.01)
    assert upright[7] is longer
    assert fit_short(page(), given, np.radians(5))[6] is word  # its direction is not known well enough


def test_on_a_photograph_whose_lines_differ_only_squares_are_turned() -> None:
    leaning = [order_quad(cv2.boxPoints(((60, y), (90, 10), tilt))) for y, tilt in TILTS]
    word = order_quad(cv2.boxPoints(((60, 50), (34, 20), 15)))
    found = fit_short(page(), [*leaning, word, word, TILTED], 0.0)
    assert found[3] is word
    assert found[5] is not TILTED
