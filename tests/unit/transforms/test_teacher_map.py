from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.io import images
from ppocr_lite.transforms import Compose
from ppocr_lite.transforms.teacher_map import LoadTeacherMap, to_stored


def test_a_map_is_stretched_to_the_image(tmp_path: Path) -> None:
    stored = to_stored(np.float32([[0.0, 0.5], [1.0, 2.0]]))
    assert stored.tolist() == [[0, 128], [255, 255]]
    (tmp_path / "maps" / "pages").mkdir(parents=True)
    images.write(tmp_path / "maps" / "pages" / "a.jpg.png", stored)
    sample = {"image": np.zeros((20, 30, 3), np.uint8), "path": str(tmp_path / "data" / "pages" / "a.jpg")}
    loaded = LoadTeacherMap(str(tmp_path / "maps"), str(tmp_path / "data"))(sample)["teacher_map"]
    assert (loaded.shape, loaded.dtype) == ((20, 30), np.uint8)
    assert [loaded[0, 0], loaded[0, -1], loaded[-1, 0], loaded[10, -1]] == [0, 128, 255, pytest.approx(198, abs=3)]


def test_a_missing_map_and_an_image_elsewhere_are_named(tmp_path: Path) -> None:
    sample = {"image": np.zeros((20, 30, 3), np.uint8), "path": str(tmp_path / "a.jpg")}
    with pytest.raises(DataError, match=r"a\.jpg\.png: there is no such file.*make_teacher_maps"):
        LoadTeacherMap(str(tmp_path), str(tmp_path))(sample)
    with pytest.raises(DataError, match=r"a\.jpg is not in data_dir"):
        LoadTeacherMap(str(tmp_path), str(tmp_path / "data"))(sample)


def test_it_needs_pixels_and_a_path() -> None:
    with pytest.raises(ConfigError, match="path"):
        Compose([LoadTeacherMap("maps")], ("image",))
