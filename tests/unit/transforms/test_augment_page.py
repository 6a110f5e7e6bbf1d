from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppocr_lite import geometry
from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms.augment_page import EastRandomCropData, IaaAugment, _rects


def make_page(*rects: tuple[int, int, int, int], size: tuple[int, int] = (200, 300)) -> dict[str, Any]:
    """A black page with a white box at each (x0, y0, x1, y1)."""
    image = np.zeros((*size, 3), np.uint8)
    polys = []
    for x0, y0, x1, y1 in rects:
        image[y0:y1, x0:x1] = 255
        polys.append(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float32))
    tags = np.zeros(len(polys), dtype=bool)
    return {"image": image, "polys": polys, "ignore_tags": tags, "texts": [f"t{i}" for i in range(len(polys))]}


def seeded(page: dict[str, Any], seed: int = 0) -> dict[str, Any]:
    return page | {"rng": np.random.default_rng(seed)}


def paint(polys: list[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    canvas = np.zeros(size, np.uint8)
    geometry.fill(canvas, polys, 255)
    return canvas


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a > 127) & (b > 127)).sum() / ((a > 127) | (b > 127)).sum())


@pytest.mark.parametrize("seed", range(6))
def test_iaa_moves_polygons_with_the_image(seed: int) -> None:
    result = IaaAugment()(seeded(make_page((60, 50, 200, 90)), seed))
    painted = paint(result["polys"], result["image"].shape[:2])
    assert overlap(painted, result["image"][:, :, 0]) > 0.93


def test_iaa_keeps_polygons_of_different_lengths_apart() -> None:
    page = make_page((60, 50, 200, 90), (20, 120, 80, 150))
    page["polys"][1] = np.insert(page["polys"][1], 1, [[50, 118]], axis=0)
    assert [len(p) for p in IaaAugment()(seeded(page))["polys"]] == [4, 5]


def test_iaa_depends_on_nothing_but_the_generator() -> None:
    page, augment = make_page((60, 50, 200, 90)), IaaAugment()
    first = augment(seeded(page, 1))
    augment(seeded(page, 2))
    again, other = augment(seeded(page, 1)), IaaAugment()(seeded(page, 1))
    np.testing.assert_array_equal(first["image"], again["image"])
    np.testing.assert_array_equal(first["image"], other["image"])


def test_iaa_varies_with_the_generator() -> None:
    page, augment = make_page((60, 50, 200, 90)), IaaAugment()
    assert len({augment(seeded(page, seed))["image"].shape for seed in range(5)}) > 1


def test_iaa_takes_arguments_by_name_by_position_or_none() -> None:
    nodes = [{"type": "Fliplr", "args": {"p": 1.0}}, {"type": "Flipud", "args": [1.0]}, {"type": "Flipud"}]
    page = make_page((60, 50, 200, 90))
    result = IaaAugment(nodes)(seeded(page))
    np.testing.assert_array_equal(result["image"], page["image"][:, ::-1])


def test_iaa_reads_a_pair_as_a_range_not_a_choice() -> None:
    augment = IaaAugment([{"type": "Resize", "args": {"size": [0.5, 1.5]}}])
    widths = {augment(seeded(make_page((60, 50, 200, 90)), seed))["image"].shape[1] for seed in range(6)}
    assert len(widths) > 2


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"type": "Flipr"}, r"\[0\].type: no augmenter is called 'Flipr'. Did you mean 'Fliplr'"),
        ({"type": "Fliplr", "arg": 1}, r"\[0\] must be a mapping of 'type' and 'args'"),
        ({"type": "Fliplr", "args": {"q": 1}}, r"\[0\].args: Fliplr refuses"),
        ({}, "must be a mapping"),
    ],
)
def test_iaa_refuses_a_wrong_entry(node: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        IaaAugment([node])


def test_imgaug_is_not_imported_before_it_is_needed(root: Path) -> None:
    code = "import sys, ppocr_lite.transforms; sys.exit('imgaug' in sys.modules or 'paddle' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=root).returncode == 0


@pytest.mark.parametrize("keep_ratio", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_crop_moves_polygons_with_the_image(seed: int, keep_ratio: bool) -> None:
    page = make_page((30, 20, 90, 40), (150, 60, 280, 100), (20, 120, 100, 180))
    result = EastRandomCropData((256, 192), max_tries=50, keep_ratio=keep_ratio)(seeded(page, seed))
    assert result["image"].shape == (192, 256, 3)
    assert overlap(paint(result["polys"], (192, 256)), result["image"][:, :, 0]) > 0.85


@pytest.mark.parametrize("seed", range(20))
def test_crop_cuts_through_no_text(seed: int) -> None:
    page = make_page((30, 20, 90, 40), (150, 60, 280, 100), (20, 120, 100, 180))
    result = EastRandomCropData((256, 256), max_tries=50)(seeded(page, seed))
    assert len(result["polys"]) >= 1
    for polygon in result["polys"]:
        assert polygon.min() >= -1
        assert polygon.max() <= 257


def test_crop_keeps_texts_and_tags_beside_their_polygons() -> None:
    page = make_page((30, 20, 90, 40), (150, 60, 280, 100), (20, 120, 100, 180))
    page["ignore_tags"] = np.array([False, True, False])
    for seed in range(20):
        result = EastRandomCropData((64, 64), max_tries=50)(seeded(page, seed))
        assert len(result["polys"]) == len(result["texts"]) == len(result["ignore_tags"])
        assert [text == "t1" for text in result["texts"]] == result["ignore_tags"].tolist()


def test_crop_pads_with_black_at_the_right_and_below() -> None:
    page = make_page((0, 0, 300, 100), size=(100, 300))
    page["image"][:] = 255
    image = EastRandomCropData((60, 60))(seeded(page))["image"]
    assert image[:20].all()
    assert not image[20:].any()


def test_crop_cuts_off_what_reaches_beyond_the_page() -> None:
    page = make_page((50, 20, 100, 40))
    page["polys"] = [p + np.float32(shift) for p in page["polys"] for shift in ([-60, 0], [-90, 0], [500, 0])]
    page |= {"ignore_tags": np.zeros(3, bool), "texts": ["most", "little", "none"]}
    result = EastRandomCropData((300, 200), min_crop_side_ratio=1.0)(seeded(page))
    assert result["texts"] == ["most", "little"]
    assert result["ignore_tags"].tolist() == [False, True]
    assert geometry.bounding_rect(result["polys"][0]).tolist() == [0, 20, 40, 40]


def test_crop_prefers_parts_that_fill_the_result() -> None:
    page = make_page((30, 20, 60, 30), (150, 60, 180, 70), (20, 120, 60, 130), size=(300, 300))
    page["image"][:] = 255
    shares = {
        least: np.mean(
            [EastRandomCropData((64, 64), 50, 0.1, True, least)(seeded(page, s))["image"].mean() for s in range(40)]
        )
        for least in (0.0, 0.7)
    }
    assert shares[0.7] > 0.7 * 255 > shares[0.0]


def test_crop_of_a_page_full_of_text_is_the_page() -> None:
    page = make_page((0, 0, 300, 200))
    result = EastRandomCropData((300, 200))(seeded(page))
    np.testing.assert_array_equal(result["image"], page["image"])


def test_crop_of_a_page_without_readable_text_is_the_page() -> None:
    page = make_page((30, 20, 90, 40))
    page["ignore_tags"][:] = True
    result = EastRandomCropData((300, 200))(seeded(page))
    np.testing.assert_array_equal(result["image"], page["image"])
    assert result["ignore_tags"].tolist() == [True]


def test_crop_is_at_least_the_asked_share_of_the_page() -> None:
    page = make_page((30, 20, 40, 30), (200, 150, 210, 160))
    for seed in range(20):
        result = EastRandomCropData((300, 200), 50, min_crop_side_ratio=0.5, keep_ratio=False)(seeded(page, seed))
        assert all(np.ptp(polygon[:, 0]) <= 20.01 for polygon in result["polys"])


def test_crop_of_a_tiny_page_works() -> None:
    result = EastRandomCropData((32, 32))(seeded(make_page((0, 0, 1, 1), size=(2, 2))))
    assert result["image"].shape == (32, 32, 3)


@pytest.mark.parametrize("arguments", [{"size": (0, 9)}, {"max_tries": 0}, {"min_crop_side_ratio": 1.5}])
def test_crop_refuses_impossible_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="EastRandomCropData needs"):
        EastRandomCropData(**arguments)


def test_resized_crop_is_sharp_where_it_should_be() -> None:
    page = make_page((0, 0, 300, 200))
    page["image"] = cv2.resize(np.eye(20, dtype=np.uint8)[:, :, None].repeat(3, 2) * 255, (300, 200))
    assert EastRandomCropData((300, 200))(seeded(page))["image"].std() == pytest.approx(page["image"].std())


@pytest.mark.parametrize("seed", range(5))
def test_a_part_keeps_to_its_greatest_side(seed: int) -> None:
    page = make_page((20, 30, 60, 50), (200, 120, 260, 150), (110, 60, 150, 80))
    crop = EastRandomCropData((100, 100), max_tries=200, max_crop_side_ratio=0.5, keep_ratio=False)
    _, sy, sx = crop._cut(page["image"], crop._choose((200, 300), _rects(page["polys"]), np.random.default_rng(seed)))
    assert 100 / min(sy, sx) <= 0.5 * 300


def test_a_part_cannot_have_a_least_side_above_its_greatest() -> None:
    with pytest.raises(ConfigError, match="least crop side"):
        EastRandomCropData(min_crop_side_ratio=0.5, max_crop_side_ratio=0.4)
