from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.augment_page import EastRandomCropData
from ppocr_lite.transforms.resize import ClsResizeImg, DetResizeForTest, RecResizeImg, batch_width, pad_batch


def blank(height: int, width: int, value: int = 255) -> dict[str, np.ndarray]:
    return {"image": np.full((height, width, 3), value, np.uint8)}


@pytest.mark.parametrize(
    ("resize", "size", "target"),
    [
        (DetResizeForTest(limit_side_len=960, limit_type="max"), (1080, 1920), (544, 960)),
        (DetResizeForTest(limit_side_len=960, limit_type="max"), (100, 200), (96, 192)),
        (DetResizeForTest(), (368, 640), (736, 1280)),
        (DetResizeForTest(), (800, 1000), (800, 992)),
        (DetResizeForTest((736, 1280)), (100, 100), (736, 1280)),
        (DetResizeForTest((700, 1270)), (100, 100), (704, 1280)),
        (DetResizeForTest(), (1, 1), (736, 736)),
        (DetResizeForTest(), (20, 6000), (32, 4000)),
    ],
)
def test_det_target_size(resize: DetResizeForTest, size: tuple[int, int], target: tuple[int, int]) -> None:
    result = resize(blank(*size))
    assert result["image"].shape == (*target, 3)
    np.testing.assert_allclose(result["shape"], [*size, target[0] / size[0], target[1] / size[1]], rtol=1e-6)


def test_det_of_a_fitting_page_changes_no_pixel() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    assert DetResizeForTest(limit_side_len=960, limit_type="max")({"image": image})["image"] is image


def test_det_restore_gives_pixels_of_the_page() -> None:
    resize = DetResizeForTest((64, 128))
    shape = resize(blank(32, 32))["shape"]
    assert resize.restore(np.array([[128, 64], [4, 2]], np.float32), shape).tolist() == [[32, 32], [1, 1]]


def test_det_leaves_the_truth_in_pixels_of_the_page() -> None:
    polys = [np.zeros((4, 2), np.float32)]
    assert DetResizeForTest()(blank(40, 40) | {"polys": polys})["polys"] is polys


@pytest.mark.parametrize(
    ("squeeze", "size", "width"),
    [(True, (32, 100), 100), (True, (64, 100), 50), (True, (32, 500), 320), (False, (32, 500), 500),
     (False, (2, 9000), 6400), (True, (500, 1), 1)],
)  # fmt: skip
def test_rec_keeps_the_ratio_and_does_not_pad(squeeze: bool, size: tuple[int, int], width: int) -> None:
    image = RecResizeImg((3, 32, 320), squeeze)(blank(*size))["image"]
    assert image.shape == (3, 32, width)
    assert image.dtype == np.float32
    assert image.flags.c_contiguous


@pytest.mark.parametrize(("value", "expected"), [(0, -1.0), (255, 1.0), (51, -0.6)])
def test_rec_maps_pixels_to_minus_one_and_one(value: int, expected: float) -> None:
    np.testing.assert_allclose(RecResizeImg()(blank(32, 40, value))["image"], expected, atol=1e-6)


@pytest.mark.parametrize(("scale", "rows", "width"), [(2.0, slice(8, 24), 200), (0.5, slice(14, 18), 50)])
def test_a_line_is_zoomed_about_its_middle(scale: float, rows: slice, width: int) -> None:
    line = np.full((32, 100, 3), 200, np.uint8)
    line[12:20] = 0
    zoomed = RecResizeImg().zoom(line, scale)
    dark = np.zeros((32, width), bool)
    dark[rows] = True
    np.testing.assert_array_equal(zoomed[:, :, 0] < 100, dark)
    assert zoomed[[0, -1]].min() == 200  # what is cut off or filled is background


def test_a_zoomed_line_is_not_wider_than_the_network_takes() -> None:
    assert RecResizeImg((3, 32, 320)).zoom(np.zeros((32, 300, 3), np.uint8), 1.25).shape == (32, 320, 3)


def test_cls_pads_with_zeros_to_the_right() -> None:
    image = ClsResizeImg()(blank(24, 50))["image"]
    assert image.shape == (3, 48, 192)
    assert (image[:, :, :100] == 1).all()
    assert not image[:, :, 100:].any()


def test_cls_squeezes_a_wide_line() -> None:
    assert (ClsResizeImg()(blank(48, 900))["image"] == 1).all()


def test_cls_looks_at_the_beginning_of_a_long_line() -> None:
    sample = blank(48, 900)
    sample["image"][:, 288:] = 0  # beyond six times the height
    resized = ClsResizeImg(max_ratio=6)(sample)
    assert (resized["image"] == 1).all()
    assert resized["shape"].tolist() == [48, 288, 1, pytest.approx(192 / 288)]
    assert (ClsResizeImg(max_ratio=6)(blank(48, 96))["image"] == ClsResizeImg()(blank(48, 96))["image"]).all()


def test_impossible_cls_ratio_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_ratio must be positive"):
        ClsResizeImg(max_ratio=0)


@pytest.mark.parametrize(("widths", "width"), [([1], 32), ([32], 32), ([33, 5], 64)])
def test_batch_width_rounds_up(widths: list[int], width: int) -> None:
    assert batch_width(widths) == width


def test_pad_batch_refuses_an_image_that_is_too_wide() -> None:
    with pytest.raises(ValueError, match=r"must fit \(3, 4, 8\)"):
        pad_batch([np.zeros((3, 4, 9), np.float32)], 8)


@pytest.mark.parametrize("shape", [(1, 32, 320), (3, 0, 320)])
def test_impossible_line_shape_is_refused(shape: tuple[int, int, int]) -> None:
    for resize in (RecResizeImg, ClsResizeImg):
        with pytest.raises(ConfigError, match=r"must be \[3, height, width\]"):
            resize(shape)


def test_det_limit_below_one_stride_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 32"):
        DetResizeForTest(limit_side_len=16)


@pytest.mark.parametrize(("width", "share"), [(80, 0.25), (320, 1.0), (900, 1.0)])
def test_a_line_says_how_much_of_the_standard_width_it_fills(width: int, share: float) -> None:
    assert RecResizeImg((3, 32, 320))(blank(32, width))["valid_ratio"] == share


def test_a_page_keeps_its_ratio_in_a_fixed_shape_and_its_points_come_back() -> None:
    resize = DetResizeForTest((320, 320), keep_ratio=True)
    sample = resize(blank(100, 400))
    assert sample["image"].shape == (320, 320, 3)
    assert resize.restore(np.float32([[320, 80]]), sample["shape"]).tolist() == [[400.0, 100.0]]


@pytest.mark.parametrize(
    "make",
    [
        lambda: RecResizeImg((3, 32, 10**6)), lambda: RecResizeImg((3, 10**6, 32)),
        lambda: RecResizeImg((3, 9000, 9000)),
        lambda: ClsResizeImg((3, 48, 10**6)), lambda: DetResizeForTest((10**6, 32)),
        lambda: DetResizeForTest(limit_side_len=10**6), lambda: DetResizeForTest(max_side_limit=10**6),
        lambda: EastRandomCropData((10**6, 10**6)),
    ],
)  # fmt: skip
def test_sides_that_would_take_all_memory_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigError, match="at most"):
        make()
