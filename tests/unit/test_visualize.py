from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite import visualize

QUAD = np.float32([[20, 20], [120, 20], [120, 40], [20, 40]])


@pytest.fixture
def white() -> np.ndarray:
    return np.full((80, 160, 3), 255, np.uint8)


def test_outlines_are_drawn_on_a_copy(white: np.ndarray) -> None:
    drawn = visualize.draw_polygons(white, [QUAD], (0, 0, 255))
    assert drawn[20, 60, 2] == 255
    assert drawn[20, 60, 0] < 60
    assert white.min() == 255


def test_no_polygons_change_nothing(white: np.ndarray) -> None:
    np.testing.assert_array_equal(visualize.draw_polygons(white, []), white)


@pytest.mark.parametrize("text", ["Total 42", "中文", "\U0010fffe?"])
def test_text_stands_in_its_box_beside_the_image(white: np.ndarray, text: str) -> None:
    page = visualize.draw_page(white, [QUAD], [text])
    assert page.shape == (80, 320, 3)
    assert page[23:38, 160 + 23 : 160 + 117].min() < 200
    assert page[50:, 160:].min() == 255
    assert page[25:35, 25:115].min() == 255


def test_a_box_past_the_border_is_drawn(white: np.ndarray) -> None:
    assert visualize.draw_page(white, [QUAD + 100, QUAD - 500], ["ab", "cd"]).shape == (80, 320, 3)


@pytest.mark.parametrize("quad", [[[5, 5]] * 4, [[20, 10], [30, 10], [30, 70], [20, 70]], [[0, 0], [9, 0], [4, 9]]])
def test_any_box_can_be_drawn(white: np.ndarray, quad: list[list[float]]) -> None:
    assert visualize.draw_page(white, [np.float32(quad)], ["ab"]).shape == (80, 320, 3)


def test_a_map_colours_where_it_is_high(white: np.ndarray) -> None:
    values = np.zeros((40, 80), np.float32)
    values[:, 40:] = 1
    drawn = visualize.draw_map(white, values)
    assert tuple(drawn[40, 10]) == (255, 255, 255)
    assert drawn[40, 150, 2] > drawn[40, 150, 0]


def test_a_map_of_nan_changes_nothing(white: np.ndarray) -> None:
    np.testing.assert_array_equal(visualize.draw_map(white, np.full((8, 8), np.nan, np.float32)), white)


def test_without_fonts_opencv_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visualize, "find_font", lambda text, height: None)
    image = visualize.text_image("Total 中", 32)
    assert image.shape[0] == 32
    assert image.min() < 100


def test_maps_stand_beside_one_another_under_their_names(white: np.ndarray) -> None:
    maps = np.zeros((3, 40, 80), np.float32)
    maps[0, 10:20, 10:60] = 1.0  # text where QUAD is, at half the size
    maps[1] = 0.5
    drawn = visualize.draw_maps(white, maps, [QUAD])
    strip = visualize.TITLE_HEIGHT
    assert drawn.shape == (2 * (80 + strip), 320, 3)
    regions, probability = drawn[strip : 80 + strip, :160], drawn[strip : 80 + strip, 160:]
    threshold, binary = drawn[80 + 2 * strip :, :160], drawn[80 + 2 * strip :, 160:]
    np.testing.assert_array_equal(regions, visualize.draw_polygons(white, [QUAD]))
    np.testing.assert_array_equal(probability, visualize.draw_map(white, maps[0]))
    np.testing.assert_array_equal(threshold, visualize.draw_map(white, maps[1]))
    np.testing.assert_array_equal(binary, white)  # a map of 0 hides nothing


def test_a_title_stands_above_the_image(white: np.ndarray) -> None:
    drawn = visualize.titled(white, "probability")
    assert drawn.shape == (80 + visualize.TITLE_HEIGHT, 160, 3)
    assert drawn[: visualize.TITLE_HEIGHT].min() < 60
    np.testing.assert_array_equal(drawn[visualize.TITLE_HEIGHT :], white)
