"""Perfect probability maps give back the polygons they were drawn from."""

from __future__ import annotations

import cv2
import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ppocr_lite import geometry
from ppocr_lite.postprocess import DBPostProcess
from ppocr_lite.transforms.det_targets import MakeShrinkMap

SHRINK = 0.4
SIDE = 800


@st.composite
def texts(draw: st.DrawFn, lowest: float, longest: float = 6.0) -> np.ndarray:
    """A rectangle taller than *lowest*, up to *longest* times as wide, turned by up to 45 degrees."""
    height = draw(st.floats(lowest, 90))
    width = height * draw(st.floats(1, longest))
    centre = (SIDE / 2 + draw(st.floats(-5, 5)), SIDE / 2 + draw(st.floats(-5, 5)))
    return geometry.order_quad(cv2.boxPoints((centre, (width, height), draw(st.floats(-45, 45)))))


def core_sides(quad: np.ndarray) -> tuple[float, float]:
    """The sides of what is left of *quad* after shrinking."""
    width, height = geometry.side_lengths(quad)
    distance = geometry.offset_distance(quad, SHRINK)
    return width - 2 * distance, height - 2 * distance


def undoing_ratio(quad: np.ndarray) -> float:
    """The unclip ratio whose offset, on the core, is the distance by which *quad* was shrunk."""
    width, height = core_sides(quad)
    return geometry.offset_distance(quad, SHRINK) * 2 * (width + height) / (width * height)


def recover(*quads: np.ndarray, ratio: float | None = None) -> list[np.ndarray]:
    """What is found on the perfect map of *quads*, grown by *ratio* or, without one, by the exact shrink."""
    sample = {"image": np.zeros((SIDE, SIDE, 3), np.uint8), "polys": list(quads), "ignore_tags": [False] * len(quads)}
    probability = MakeShrinkMap(SHRINK, min_text_size=8)(sample)["shrink_map"]
    process = DBPostProcess(shrink_ratio=SHRINK) if ratio is None else DBPostProcess(unclip_ratio=ratio)
    return process(probability).polygons


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    one, other = shapely.Polygon(first), shapely.Polygon(second)
    return float(one.intersection(other).area / one.union(other).area)


@settings(deadline=None, max_examples=60)
@given(texts(lowest=50))
def test_a_text_is_recovered(quad: np.ndarray) -> None:
    assume(min(core_sides(quad)) > 28)  # below, the pixels of the map are coarser than a tenth of the text
    (found,) = recover(quad)
    assert overlap(found, quad) >= 0.9


@settings(deadline=None, max_examples=60)
@given(texts(lowest=8))
def test_a_small_text_is_recovered_to_the_pixel_of_the_map(quad: np.ndarray) -> None:
    assume(min(core_sides(quad)) > 4)
    ratio = undoing_ratio(quad)
    (found,) = recover(quad)
    # A side of the drawn core is off by up to a pixel and a half; half the ratio of that comes back as offset.
    allowed = np.hypot(1.5, 1.5) * (1 + ratio / 2)
    assert shapely.hausdorff_distance(shapely.Polygon(found), shapely.Polygon(quad)) <= allowed


@settings(deadline=None, max_examples=60)
@given(texts(lowest=9, longest=1.6))
def test_the_usual_ratio_finds_short_texts_taller_than_eight_pixels(quad: np.ndarray) -> None:
    (found,) = recover(quad, ratio=1.5)
    assert overlap(found, quad) >= 0.5  # a match by the evaluation protocol


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7)), min_size=1, max_size=12, unique=True))
def test_every_text_is_found_once(cells: list[tuple[int, int]]) -> None:
    quads = [
        np.float32([[x, y], [x + 120, y], [x + 120, y + 40], [x, y + 40]])
        for x, y in ((c * 160 + 10, r * 80 + 10) for c, r in cells)
    ]
    found = recover(*quads)
    assert len(found) == len(quads)
    assert all(max(overlap(quad, other) for other in found) > 0.9 for quad in quads)
