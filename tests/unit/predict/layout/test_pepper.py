"""Specks all over a page are left out; a page that has none stays what it is."""

from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.predict.layout.pepper import without_pepper
from tests.typeset import LINES, column, typeset

PAGE = typeset(column(LINES), (330, 480))


def peppered(share: float) -> np.ndarray:
    """The page with so many of its pixels black or white."""
    rng = np.random.default_rng(3)
    page = PAGE.copy()
    places = rng.random(page.shape[:2]) < share
    page[places] = rng.integers(0, 2, (int(places.sum()), 1), np.uint8) * np.uint8(255)
    return page


@pytest.mark.parametrize("share", [0.04, 0.1])
def test_specks_are_left_out_and_letters_stay(share: float) -> None:
    page = peppered(share)
    cleaned = without_pepper(page)
    apart = [np.abs(image.astype(int) - PAGE) > 100 for image in (page, cleaned)]
    assert apart[1].mean() < 0.5 * apart[0].mean()
    ink = PAGE[:, :, 0] < 60
    assert (cleaned[ink] < 128).mean() > 0.8


def test_a_page_without_specks_is_not_touched() -> None:
    rng = np.random.default_rng(0)
    grain = np.clip(PAGE + rng.normal(0, 12, PAGE.shape), 0, 255).astype(np.uint8)
    dotted = typeset(column([". , : ; i . . , ' - ."] * 6), (330, 480), height=12)
    for page in (PAGE, grain, dotted, PAGE[:2], peppered(0.002)):
        assert without_pepper(page) is page
