"""Properties of the resizes, for images of any shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppocr_lite.transforms.resize import ClsResizeImg, DetResizeForTest, RecResizeImg, batch_width, pad_batch

sides = st.integers(1, 400)
RESIZES = [DetResizeForTest(limit_side_len=96), DetResizeForTest((64, 96)), RecResizeImg(), ClsResizeImg()]


@pytest.mark.parametrize("resize", RESIZES, ids=lambda r: type(r).__name__)
@settings(max_examples=30, deadline=None)
@given(height=sides, width=sides, points=st.lists(st.tuples(st.floats(0, 400), st.floats(0, 400)), min_size=1))
def test_restore_undoes_the_resize_on_points(
    resize: RecResizeImg, height: int, width: int, points: list[tuple[float, float]]
) -> None:
    shape = resize({"image": np.zeros((height, width, 3), np.uint8)})["shape"]
    before = np.array(points, dtype=np.float32)
    np.testing.assert_allclose(resize.restore(resize.apply(before, shape), shape), before, rtol=1e-4, atol=1e-3)


@given(height=st.integers(1, 9000), width=st.integers(1, 9000), limit=st.integers(32, 2000))
@pytest.mark.parametrize("limit_type", ["max", "min"])
def test_det_sides_are_multiples_of_32_within_the_limits(limit_type: str, height: int, width: int, limit: int) -> None:
    target = DetResizeForTest(limit_side_len=limit, limit_type=limit_type).target_size(height, width)
    assert all(side >= 32 and side % 32 == 0 for side in target)
    assert max(target) <= 4000 + 16
    if limit_type == "max":
        assert max(target) <= max(limit + 16, 32)


@given(st.lists(st.integers(1, 2000), min_size=1), st.integers(1, 64))
def test_batch_width_is_the_smallest_bucket_that_holds_all(widths: list[int], bucket: int) -> None:
    width = batch_width(widths, bucket)
    assert width % bucket == 0
    assert max(widths) <= width < max(widths) + bucket


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_pad_batch_keeps_each_image_and_adds_zeros(widths: list[int]) -> None:
    images = [np.full((3, 4, width), index + 1, np.float32) for index, width in enumerate(widths)]
    batch = pad_batch(images, batch_width(widths))
    for row, image in zip(batch, images, strict=True):
        np.testing.assert_array_equal(row[:, :, : image.shape[2]], image)
        assert not row[:, :, image.shape[2] :].any()
