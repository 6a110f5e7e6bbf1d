"""``ppocr-lite show-maps`` draws what a checkpoint sees, with both engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from ppocr_lite import cli, visualize
from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend
from ppocr_lite.engine.infer import live_maps
from ppocr_lite.io import images


@pytest.fixture
def weights(load_small: Callable[..., Any], det_label_file: Path, tmp_path: Path, engine: str) -> Path:
    """Weights of an untrained detector."""
    backend = create_backend(engine)
    backend.build(Task(load_small("det", det_label_file).Architecture, seed=1))
    save_file({name: value.copy() for name, value in backend.weights().items()}, tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def options(config: Path, weights: Path, output: Path, engine: str) -> list[str]:
    files = ["--weights", str(weights), "--output", str(output)]
    return ["-c", str(config), *files, "-o", f"Global.engine={engine}"]


def test_maps_are_those_of_training_at_the_statistics_of_evaluation(
    load_small: Callable[..., Any], det_label_file: Path, weights: Path, engine: str
) -> None:
    config = load_small("det", det_label_file, f"Global.engine={engine}")
    page = images.read(det_label_file.parent / "page_0.png")
    maps, found = live_maps(config, weights)(page)
    assert maps.shape == (3, 320, 320)
    np.testing.assert_allclose(maps[2], 1 / (1 + np.exp(-50.0 * (maps[0] - maps[1]))), atol=1e-3)
    again, _ = live_maps(config, weights)(page)
    np.testing.assert_array_equal(again, maps)  # looking changes nothing
    assert all((polygon >= 0).all() and (polygon <= 320).all() for polygon in found.polygons)


def test_the_verb_writes_a_drawing_of_each_page(
    write_config: Callable[..., Path],
    load_small: Callable[..., Any],
    det_label_file: Path,
    weights: Path,
    engine: str,
) -> None:
    config, output = write_config("det", det_label_file), weights.parent / "maps"
    pages = [str(det_label_file.parent / f"page_{index}.png") for index in (0, 1)]
    arguments = ["show-maps", *pages, *options(config, weights, output, engine)]
    assert cli.main(arguments) == 0
    assert sorted(path.name for path in output.iterdir()) == ["page_0_maps.png", "page_1_maps.png"]
    page = images.read(pages[0])
    maps, found = live_maps(load_small("det", det_label_file, f"Global.engine={engine}"), weights)(page)
    drawn = cv2.imread(str(output / "page_0_maps.png"))
    np.testing.assert_array_equal(drawn, visualize.draw_maps(page, maps, found.polygons))


def test_a_page_that_cannot_be_read_is_named_and_the_others_are_done(
    write_config: Callable[..., Path],
    det_label_file: Path,
    weights: Path,
    engine: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = weights.parent / "maps"
    pages = ["absent.png", str(det_label_file.parent / "page_0.png")]
    config = write_config("det", det_label_file)
    assert cli.main(["show-maps", *pages, *options(config, weights, output, engine)]) == 1
    assert "absent.png" in capsys.readouterr().err
    assert (output / "page_0_maps.png").is_file()


def test_every_page_of_a_file_has_maps_and_a_name_of_its_own(
    write_config: Callable[..., Path], det_label_file: Path, weights: Path, engine: str
) -> None:
    folder, output = det_label_file.parent, weights.parent / "maps"
    page = Image.open(folder / "page_0.png")
    page.save(folder / "page_0.tif", save_all=True, append_images=[page])
    page.save(folder / "page_0.jpg")
    pages = [str(folder / f"page_0.{ending}") for ending in ("jpg", "png", "tif")]
    config = write_config("det", det_label_file)
    assert cli.main(["show-maps", *pages, *options(config, weights, output, engine)]) == 0
    names = ["page_0.png_maps.png", "page_0.tif_p001_maps.png", "page_0.tif_p002_maps.png", "page_0_maps.png"]
    assert sorted(path.name for path in output.iterdir()) == names


def test_only_a_detector_has_maps(
    write_config: Callable[..., Path], rec_label_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["show-maps", "a.png", "-c", str(write_config("rec", rec_label_file))]) == 2
    assert "Only a detector has maps" in capsys.readouterr().err
