"""Which width a line is padded to, and which lines are run together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppocr_lite.errors import ConfigError
from ppocr_lite.predict.batches import WIDTHS, WidthBuckets, batches


@pytest.mark.parametrize(
    ("line", "width"), [(1, 64), (56, 64), (57, 96), (248, 256), (249, 320), (1272, 1280), (1273, 1600), (1912, 1920)]
)
def test_a_line_goes_into_the_first_width_that_leaves_8_pixels(line: int, width: int) -> None:
    assert WidthBuckets().width(line, height=32) == width


def test_the_margin_grows_with_the_height() -> None:
    assert WidthBuckets((100, 200), clear_space=0.5).width(75, height=48) == 100
    assert WidthBuckets((100, 200), clear_space=0.5).width(77, height=48) == 200


@given(st.integers(1, 8000), st.sampled_from([32, 48]))
def test_a_line_always_fits_and_little_is_added(line: int, height: int) -> None:
    width = WidthBuckets().width(line, height)
    needed = line + round(0.25 * height)
    assert width >= needed
    assert width <= max(64, needed * 1.5)  # from 64 to 96, the widest step of the default


def test_few_widths_hold_any_page() -> None:
    assert len({WidthBuckets().width(line, 32) for line in range(1, 1273)}) == len(WIDTHS)


@pytest.mark.parametrize(
    ("widths", "clear_space"), [((), 0.0), ((0, 64), 0.0), ((64, 64), 0.0), ((96, 64), 0.0), ((64,), -1)]
)
def test_impossible_buckets_are_refused(widths: tuple[int, ...], clear_space: float) -> None:
    with pytest.raises(ConfigError, match="must increase"):
        WidthBuckets(widths, clear_space)


@given(st.lists(st.sampled_from([64, 96, 128]), max_size=40), st.integers(1, 9))
def test_every_line_is_in_one_batch_of_its_width(padded: list[int], batch_size: int) -> None:
    made = list(batches(padded, batch_size))
    assert sorted(index for _, chosen in made for index in chosen) == list(range(len(padded)))
    for width, chosen in made:
        assert len(chosen) <= batch_size
        assert {padded[index] for index in chosen} == {width}


@given(st.integers(1, 60), st.integers(1, 9))
def test_batches_of_one_width_are_of_like_size_and_no_more_than_needed(count: int, batch_size: int) -> None:
    sizes = [len(chosen) for _, chosen in batches([64] * count, batch_size)]
    assert len(sizes) == -(-count // batch_size)
    assert max(sizes) - min(sizes) < len(sizes) + 1
