"""CTPN's geometry against slow, independent computations: one column, one anchor and one box at a time."""

from __future__ import annotations

import math

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ppocr_lite.geometry import nms
from ppocr_lite.geometry.columns import Slices, match_columns, nms_in_columns, slice_quads
from ppocr_lite.geometry.text_lines import follow, line_quads, number_lines
from ppocr_lite.postprocess import CTPNPostProcess
from ppocr_lite.transforms.ctpn_targets import MakeCTPNTargets

HEIGHTS = (8.0, 14.0, 24.0)
ROWS, COLUMNS, WIDTH = 5, 6, 16
COORDINATE = st.integers(-20, 120)


def rectangle(x: float, y: float, width: float, height: float, degrees: float) -> np.ndarray:
    return np.asarray(cv2.boxPoints(((x, y), (width, height), degrees)), np.float32)


@st.composite
def lines_of_text(draw: st.DrawFn) -> np.ndarray:
    """A line that leans by up to 40°, and is wider than high."""
    height = draw(st.floats(6, 30))
    return rectangle(
        draw(st.floats(0, 96)),
        draw(st.floats(0, 80)),
        height * draw(st.floats(1.5, 5)),
        height,
        draw(st.floats(-40, 40)),
    )


@st.composite
def some_slices(draw: st.DrawFn) -> Slices:
    rows = draw(st.lists(st.tuples(st.integers(0, COLUMNS - 1), st.integers(-10, 80), st.integers(1, 40)), max_size=12))
    column, top, height = (np.array([row[i] for row in rows], np.int64) for i in range(3))
    return Slices(np.arange(len(rows)), column, top.astype(np.float32), (top + height).astype(np.float32))


@st.composite
def narrow_boxes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Boxes one column wide, and scores that may be equal."""
    rows = draw(
        st.lists(st.tuples(st.integers(0, 8), st.integers(0, 60), st.integers(4, 30), st.integers(0, 4)), max_size=25)
    )
    rects = [(16 * column, top, 16 * column + 16, top + height) for column, top, height, _ in rows]
    return np.array(rects, np.float32).reshape(-1, 4), np.array([row[3] / 4 for row in rows], np.float32)


@settings(max_examples=25)
@given(lines_of_text())
def test_a_slice_is_as_high_as_the_line_is_upright(quad: np.ndarray) -> None:
    found = slice_quads(quad[None], 200)
    (x0, y0), (x1, y1), (x2, y2), _ = sorted_corners(quad)
    thickness = math.dist((x1, y1), (x2, y2))
    upright = thickness * math.dist((x0, y0), (x1, y1)) / abs(x1 - x0)  # h / cos of the angle
    np.testing.assert_allclose(found.bottom - found.top, upright, rtol=1e-3, atol=1e-2)
    left, right = float(quad[:, 0].min()), float(quad[:, 0].max())
    inside = [column for column in range(200) if left <= 16 * column + 8 <= right]
    middle = math.floor((left + right) / 32)
    assert found.column.tolist() == (inside or ([middle] if middle >= 0 and right > 0 else []))


def sorted_corners(quad: np.ndarray) -> list[list[float]]:
    """Top left, top right, bottom right, bottom left of a line wider than high that leans by less than 45°."""
    points = quad.tolist()
    sides = [(points[i], points[(i + 1) % 4]) for i in range(4)]
    longest = sorted(sides, key=lambda side: -math.dist(*side))[:2]
    upper, lower = sorted(longest, key=lambda side: side[0][1] + side[1][1])
    return [*sorted(upper), *sorted(lower, reverse=True)]


@settings(max_examples=25)
@given(some_slices(), some_slices())
def test_anchors_are_matched_as_one_by_one(texts: Slices, ignored: Slices) -> None:
    match = match_columns(texts, ignored, np.float32(HEIGHTS), (ROWS, COLUMNS), 0.6, 0.3)

    def overlap(slices: Slices, index: int, anchor: int, row: int) -> tuple[float, float]:
        top, bottom = float(slices.top[index]), float(slices.bottom[index])
        centre, size = (row + 0.5) * WIDTH, HEIGHTS[anchor]
        shared = max(0.0, min(bottom, centre + size / 2) - max(top, centre - size / 2))
        return shared / (bottom - top + size - shared), shared / size

    places = [(anchor, row) for anchor in range(len(HEIGHTS)) for row in range(ROWS)]
    for column in range(COLUMNS):
        mine = [i for i in range(len(texts.column)) if texts.column[i] == column]
        best_of = {i: max(overlap(texts, i, *place)[0] for place in places) for i in mine}
        for place in places:
            values = {i: overlap(texts, i, *place)[0] for i in mine}
            best = max(values.values(), default=0.0)
            wanted = any(values[i] > 0 and abs(values[i] - best_of[i]) < 1e-7 for i in mine)
            hidden = any(
                overlap(ignored, i, *place)[1] >= 0.5 for i in range(len(ignored.column)) if ignored.column[i] == column
            )
            expected = 1 if wanted or best >= 0.6 else 0 if best < 0.3 and not hidden else -1
            where = (place[0], place[1], column)
            if min(abs(best - 0.6), abs(best - 0.3)) > 1e-6:
                assert match.labels[where] == expected
            if match.labels[where] == 1:
                assert values[int(match.found[where])] >= best - 1e-6


@settings(max_examples=25)
@given(narrow_boxes(), st.sampled_from([0.1, 0.3, 0.7]))
def test_the_boxes_that_stay_are_those_of_the_common_suppression(
    boxes: tuple[np.ndarray, np.ndarray], threshold: float
) -> None:
    rects, scores = boxes
    assert nms_in_columns(rects, scores, threshold).tolist() == sorted(nms(rects, scores, threshold).tolist())


@settings(max_examples=25)
@given(narrow_boxes(), st.sampled_from([20.0, 50.0]))
def test_boxes_follow_each_other_as_one_by_one(boxes: tuple[np.ndarray, np.ndarray], distance: float) -> None:
    rects, scores = boxes
    count = len(rects)

    def may(i: int, j: int) -> bool:
        """Say whether *j* may follow *i*."""
        (x0, top0, _, bottom0), (x1, top1, _, bottom1) = rects[i].tolist(), rects[j].tolist()
        lower, higher = sorted((bottom0 - top0, bottom1 - top1))
        shared = min(bottom0, bottom1) - max(top0, top1)
        return 0 < x1 - x0 <= distance and shared >= 0.7 * lower - 1e-6 and lower >= 0.7 * higher - 1e-6

    def choice(i: int, others: list[int]) -> int:
        order = sorted(others, key=lambda j: (abs(rects[j, 0] - rects[i, 0]), -scores[j], j))
        return order[0] if order else -1

    after = [choice(i, [j for j in range(count) if may(i, j)]) for i in range(count)]
    before = [choice(j, [i for i in range(count) if may(i, j)]) for j in range(count)]
    expected = [j if j >= 0 and before[j] == i else -1 for i, j in enumerate(after)]
    found = follow(rects, scores, distance)
    assert found.tolist() == expected
    lines = number_lines(found)
    for i in range(count):  # walk to the end of the line; two boxes are of one line if they get to the same one
        end = i
        while found[end] >= 0:
            end = int(found[end])
        assert lines[end] == lines[i]
    assert len(set(lines.tolist())) == int((found < 0).sum())


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 80), st.integers(6, 20)), min_size=2, max_size=9))
def test_a_line_is_fitted_as_numpy_does(rows: list[tuple[int, int, int]]) -> None:
    rects = np.float32([(16 * x, y, 16 * x + 16, y + h) for x, y, h in {row[0]: row for row in rows}.values()])
    (quad,) = line_quads(rects, np.zeros(len(rects), np.int64))
    x, y = rects[:, ::2].mean(axis=1), rects[:, 1::2].mean(axis=1)
    width = float(rects[:, 2].max() - rects[:, 0].min())
    level = len(rects) < 2 or width <= float(np.median(rects[:, 3] - rects[:, 1]))
    slope = 0.0 if level else float(np.polyfit(x, y, 1)[0])
    a, b, c, d = quad.astype(float)
    height = np.median(rects[:, 3] - slope * (x - x.mean())) - np.median(rects[:, 1] - slope * (x - x.mean()))
    if abs(slope) < 0.5 and width > 1.5 * height:  # else the quad may be ordered another way round
        assert math.isclose((b - a)[1], slope * (b - a)[0], abs_tol=0.05)
        assert math.isclose(math.dist(a, d), height / math.hypot(1, slope), rel_tol=1e-3, abs_tol=0.02)
        assert math.isclose(quad[:, 0].min(), rects[:, 0].min(), abs_tol=0.1)
        assert math.isclose(quad[:, 0].max(), rects[:, 2].max(), abs_tol=0.1)


@settings(max_examples=25)
@given(lines_of_text().filter(lambda quad: np.ptp(quad[:, 0]) > 40 and neighbours_overlap(quad)))
def test_what_targets_say_of_a_line_is_read_back(quad: np.ndarray) -> None:
    quad = quad + np.float32([60, 60])
    sample = {
        "image": np.zeros((272, 320, 3), np.uint8),
        "polys": [quad],
        "ignore_tags": np.zeros(1, bool),
        "rng": np.random.default_rng(0),
    }
    truth = MakeCTPNTargets(samples=100_000, positive_fraction=1.0)(sample)
    (found,) = CTPNPostProcess()(perfect(truth)).polygons
    np.testing.assert_allclose(found, np.float32(sorted_corners(quad)), atol=0.5)


def neighbours_overlap(quad: np.ndarray) -> bool:
    """Say whether a line leans so little that its boxes in two columns share most of their height."""
    (x0, y0), (x1, y1), _, (x3, y3) = sorted_corners(quad)
    slope = abs((y1 - y0) / (x1 - x0))
    return slope < 0.5 and 16 * slope < 0.25 * math.dist((x0, y0), (x3, y3))


def perfect(truth: dict[str, np.ndarray]) -> np.ndarray:
    """What a network would predict that has learnt its targets."""
    text = (truth["anchor_labels"] == 1).astype(np.float32)
    return np.concatenate([text, *truth["anchor_vertical"], truth["anchor_sides"]])[None]
